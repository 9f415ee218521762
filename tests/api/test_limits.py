"""Limits: each address has one or is exempt, each request is counted once, and what is told is what holds."""

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RegexPattern
from rest_framework.test import APIClient

from billing import clock, rate_counts
from billing.api.operations import PreviewView
from billing.limits import addresses, process
from billing.models import Job, RateCount
from billing.operations.engine.registry import REGISTRY
from billing.worker import work_once
from config.rate_limits import DEFAULTS, RATES
from config.variables.kinds import Wrong
from tests.api.services import a_service, an_administrator, asking
from tests.api.test_api import path, signed_in
from tests.conftest import PASSWORD, a_member, a_person, an_office, post_delivery
from tests.other_connections import locked_by_another

SIGN_IN = {"email": "nobody@maple.example", "password": "wrong"}


def every_address(entries=None, namespace="", prefix=""):
    """Yield the name with its namespace, the path with parameters, and the view, of every address of the product."""
    for one in entries or get_resolver().url_patterns:
        where = prefix + _written(one.pattern)
        if isinstance(one, URLPattern):
            yield f"{namespace}{one.name}", where, one.callback
        else:
            within = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from every_address(one.url_patterns, within, where)


def _written(pattern):
    if isinstance(pattern, RegexPattern):
        return {"account_reset_password_from_key": "password/reset/key/1-1/"}.get(pattern.name, str(pattern))
    text = re.sub(r"<uuid:\w+>", "3b0c7d1e-5a0f-4c55-9a53-0f1d2c3b4a59", str(pattern))
    return re.sub(r"<\w+:\w+>|<\w+>", "1", text)


EVERY = [one for one in every_address() if not one[1].startswith("admin/(?P")]
NAMES = [name for name, _, _ in EVERY]


def limited(settings, **times):
    settings.RATE_LIMITS = {
        **settings.RATE_LIMITS,
        **{
            name: replace(DEFAULTS[name], times=many)
            for name, many in ((key.replace("_", "-"), value) for key, value in times.items())
        },
    }


def told(answer):
    """What the headers say: the limit, how many it lets through, how many are left, and for how many seconds."""
    policy = re.fullmatch(r'"([a-z-]+)";q=(\d+);w=(\d+)', answer.headers["RateLimit-Policy"])
    left = re.fullmatch(r'"([a-z-]+)";r=(\d+);t=(\d+)', answer.headers["RateLimit"])
    assert policy[1] == left[1]
    return policy[1], int(policy[2]), int(left[2]), int(left[3])


def test_the_walk_finds_the_addresses():
    assert {"healthz", "api:sign-in", "api:entitlement", "admin:login", "admin:billing_office_subscribe"} <= set(NAMES)
    assert len(NAMES) > 150


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("name", "there", "view"), EVERY, ids=NAMES)
def test_every_address_is_counted_once_or_is_exempt(one_connection, settings, name, there, view, method):
    counted = []
    client = Client(raise_request_exception=False, REMOTE_ADDR="203.0.113.7")
    settings.RATE_LIMITS = {key: replace(one, times=5) for key, one in settings.RATE_LIMITS.items()}
    settings.WEB_PROCESSES = 1

    for _ in range(2):
        counted.append(client.generic(method, f"/{there}"))

    if name in ("healthz", "metrics", "djstripe:djstripe_webhook_by_uuid"):
        assert "RateLimit" not in counted[0].headers
        return
    assert [told(one)[2] for one in counted] == [4, 3]
    signs_in = method == "POST" and name in addresses.SIGN_IN
    assert told(counted[0])[0] == ("sign-in" if signs_in else "visitors")


NO_SIGN_IN = {
    "admin:login",  # leads to account_login
    *("admin:billing_user_reset_link", "account_reset_password_done"),
    *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),  # who is signed in, once more
    *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
    *("openid_connect_login", "socialaccount_login_cancelled", "socialaccount_login_error"),  # the provider asks
}


def test_whatever_signs_in_has_the_limit_of_signing_in():
    words = re.compile("login|sign-in|signup|reset|authenticate|recover|token")
    found = {name for name in NAMES if words.search(name)}
    by_link = {"invitation", "new-password"}
    assert found - NO_SIGN_IN | by_link == set(addresses.SIGN_IN)


def test_no_exemption_and_no_entry_is_of_an_address_that_is_gone():
    named = (*addresses.EXEMPT, *addresses.SIGN_IN, *addresses.READ_AT_STRIPE, *addresses.TAKE_A_CODE)
    named += tuple(addresses.EXPORTS)
    assert set(named) <= set(NAMES)


def test_previews_and_what_takes_a_code_have_the_narrower_limit():
    for name, _, view in EVERY:
        declared = getattr(view, "view_initkwargs", {}).get("declared")
        if declared is None:
            continue
        takes_a_code = {"code", "coupon"} & set(declared.__dataclass_fields__)
        previews = issubclass(view.cls, PreviewView)
        expected = "at-stripe" if previews or takes_a_code else "operations"
        assert addresses.limit_of(name, "POST") == expected, name
    assert {"code", "coupon"} & {field for one in REGISTRY.values() for field in one.__dataclass_fields__}
    assert DEFAULTS["at-stripe"].times < DEFAULTS["operations"].times


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_limit_lets_through_what_it_says_and_no_more(one_connection, settings, office, name):
    limited(settings, **{name.replace("-", "_"): 6})
    settings.WEB_PROCESSES = 2
    ask, lets_through = asked_for(name, office)

    answers = [ask() for _ in range(8)]

    refused = [one for one in answers if one.status_code == 429]
    assert len(refused) == 8 - lets_through
    assert [told(one)[0] for one in answers] == [name] * 8
    assert [told(one)[2] for one in answers] == [*range(lets_through - 1, -1, -1), *[0] * (8 - lets_through)]
    assert {told(one)[1] for one in answers} == {6}
    assert all(1 <= int(one.headers["Retry-After"]) <= 60 for one in refused)
    assert all("Retry-After" not in one.headers for one in answers if one.status_code != 429)


def asked_for(name, office):
    """Return a request that this limit counts, and how many of six the process of the test lets through."""
    if name == "sign-in":
        address = (f"nobody{number}@maple.example" for number in range(8))
        return lambda: APIClient().post("/api/v1/auth/token/", {**SIGN_IN, "email": next(address)}, format="json"), 6
    if name == "wrong-tokens":
        stranger = APIClient()
        stranger.credentials(HTTP_AUTHORIZATION="Token nobody gave it")
        return lambda: stranger.get(path(office)), 6
    if name == "visitors":
        return lambda: APIClient().get(path(office)), 3
    if name == "services":
        client = asking(a_service()[1])
        return lambda: client.get(path(office, "entitlement/")), 3
    if name == "exports":
        owner = signed_in(a_member(office, "owner"))
        return lambda: owner.get(path(office, "audit-trail/export/")), 6
    client = signed_in(a_member(office, "viewer"))
    if name == "operations":
        return lambda: client.post(path(office, "subscription/cancel/"), {"reason": "we close"}, format="json"), 6
    if name == "at-stripe":
        return lambda: client.post(path(office, "subscription/discount/preview/"), {"code": "TEN"}, format="json"), 6
    return lambda: client.get(path(office, "entitlement/" if name == "entitlement" else "")), 3


def test_a_refusal_says_when_to_try_again_and_nothing_was_done(one_connection, settings, office):
    limited(settings, operations=1)
    client = signed_in(a_member(office, "owner"))
    client.post("/api/v1/auth/sign-out/", format="json")
    client = signed_in(_owner())

    refused = client.post("/api/v1/auth/sign-out/", format="json")

    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert f"in {refused.headers['Retry-After']} seconds" in refused.json()["detail"]
    assert client.get("/api/v1/offices/").status_code == 200


def _owner():
    from billing.models import User

    return User.objects.get(email="owner@maple.example")


def test_a_page_of_the_admin_says_it_in_words(one_connection, settings, operator):
    limited(settings, reads=2)
    client = Client()
    client.force_login(operator.user)

    answers = [client.get("/admin/") for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 429]
    assert "Nothing was done." in answers[1].content.decode()


def test_the_sign_in_of_the_pages_and_that_of_the_api_are_counted_together(one_connection, settings):
    limited(settings, sign_in=4)
    a_person("staff@vendor.example", group="operator")
    form = {"login": "staff@vendor.example", "password": "wrong"}
    page = "/account/login/"

    answers = [Client().post(page, form).status_code for _ in range(2)]
    answers += [APIClient().post("/api/v1/auth/token/", SIGN_IN, format="json").status_code for _ in range(2)]
    right = Client().post(page, {**form, "password": PASSWORD})

    assert answers == [200, 200, 401, 401]
    assert right.status_code == 429
    assert Client(REMOTE_ADDR="203.0.113.7").post(page, {**form, "password": PASSWORD}).status_code == 302
    assert Client().get(page).status_code == 200


def test_a_service_has_its_own_limit_and_none_for_its_network(one_connection, settings, office):
    limited(settings, services=4, visitors=2)
    settings.WEB_PROCESSES = 1
    by = an_administrator()
    one, other = (asking(a_service(by=by, name=name)[1]) for name in ("One program", "Another program"))
    wrong = asking("obs_0123456789ab_wrong")

    strangers = [wrong.get(path(office)).status_code for _ in range(4)]
    first = [one.get(path(office)).status_code for _ in range(5)]
    second = [other.get(path(office)).status_code for _ in range(4)]

    assert strangers == [401, 401, 429, 429]
    assert first == [200] * 4 + [429]
    assert second == [200] * 4


def test_what_a_service_reads_at_stripe_is_counted_exactly(one_connection, settings, office):
    limited(settings, at_stripe=2)
    client = asking(a_service()[1])

    answers = [client.get(path(office, "invoices/upcoming/")) for _ in range(3)]

    assert [told(one)[0] for one in answers] == ["at-stripe"] * 3
    assert [one.status_code for one in answers][-1] == 429
    assert client.get(path(office)).status_code == 200


def test_a_refused_scope_is_counted_too(one_connection, settings, office):
    limited(settings, services=2)
    settings.WEB_PROCESSES = 1
    client = asking(a_service(scopes=["plans:read"])[1])

    assert [client.get(path(office)).status_code for _ in range(3)] == [403, 403, 429]


def test_codes_cannot_be_tried_faster_than_the_limit(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))
    stripe.forget_requests()

    answers = [
        client.post(
            path(subscribed, "subscription/discount/preview/"), {"code": f"TRY{number}"}, format="json"
        ).status_code
        for number in range(30)
    ]
    answers += [
        client.post(
            path(subscribed, "subscription/discount/"), {"code": f"TRY{number}", "reason": "try"}, format="json"
        ).status_code
        for number in range(30)
    ]

    assert Counter(answers) == {422: 20, 429: 40}
    asked = [one for one in stripe.requests("GET") if one["path"].startswith("/v1/promotion_codes")]
    assert len(asked) == 20


def test_500_webhooks_from_one_address_are_never_refused(stripe, subscribed):
    [delivery, *_] = stripe.taken() or [None]
    assert delivery

    answers = Counter(post_delivery(delivery).status_code for _ in range(500))

    assert answers == {200: 500}


def test_the_health_is_asked_as_often_as_wanted(one_connection):
    assert {Client().get("/healthz").status_code for _ in range(400)} == {503}  # no worker runs here


def test_reads_take_no_statement_more_and_operations_one(stripe, subscribed):
    client = signed_in(a_member(subscribed, "owner"))
    with CaptureQueriesContext(connection) as read:
        client.get(path(subscribed, "entitlement/"))
    with CaptureQueriesContext(connection) as posted:
        client.post(path(subscribed, "subscription/resume-renewal/"), {"reason": "go on"}, format="json")

    counting = [one for one in posted.captured_queries if RateCount._meta.db_table in one["sql"]]
    assert len(read) == 2
    assert len(counting) == 1


class TestExact:
    """What the database counts: over threads and processes, window by window."""

    LIMIT = replace(DEFAULTS["operations"], times=5, seconds=60)

    def test_the_window_begins_with_the_first_and_then_anew(self, db, monkeypatch):
        at = clock.wall()
        monkeypatch.setattr(clock, "wall", lambda: at)
        first = [rate_counts.take(self.LIMIT, "person 1") for _ in range(6)]
        at += timedelta(seconds=59.9)
        still = rate_counts.take(self.LIMIT, "person 1")
        at += timedelta(seconds=0.1)
        anew = rate_counts.take(self.LIMIT, "person 1")

        assert [left for left, _ in first] == [4, 3, 2, 1, 0, -1]
        assert first[-1][1] == 60
        assert still == (-1, pytest.approx(0.1, abs=0.002))
        assert anew == (4, 60)

    def test_each_caller_and_each_limit_by_itself(self, db):
        other = replace(self.LIMIT, name="at-stripe")
        for limit, who in ((self.LIMIT, "person 1"), (self.LIMIT, "person 2"), (other, "person 1")):
            assert rate_counts.take(limit, who)[0] == 4

    def test_what_is_refused_writes_nothing(self, db):
        for _ in range(5):
            rate_counts.take(self.LIMIT, "person 1")
        before = RateCount.objects.values().get()
        rate_counts.take(self.LIMIT, "person 1")
        assert RateCount.objects.values().get() == before

    def test_old_rows_are_deleted_by_the_worker(self, one_connection):
        long_ago = int((clock.wall() - timedelta(hours=3)).timestamp() * 1_000)
        RateCount.objects.create(who="operations person 1", began=long_ago, used=3)
        rate_counts.take(self.LIMIT, "person 2")
        Job.objects.create(name="forget-rate-counts", due_at=clock.wall())

        work_once()

        assert list(RateCount.objects.values_list("pk", flat=True)) == ["operations person 2"]

    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_are_counted_exactly(self):
        limit = replace(self.LIMIT, times=20)

        def ask(_):
            try:
                return rate_counts.take(limit, "person 1")[0]
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            left = list(pool.map(ask, range(40)))

        assert sorted(left, reverse=True)[:20] == list(range(19, -1, -1))
        assert Counter(left)[-1] == 20


class TestOfThisProcess:
    LIMIT = replace(DEFAULTS["reads"], times=9, seconds=60)

    def test_it_lets_through_its_share(self):
        assert [process.take(self.LIMIT, "a", processes=4)[0] for _ in range(3)] == [1, 0, -1]
        assert process.take(replace(self.LIMIT, times=1), "b", processes=8)[0] == 0

    def test_it_begins_anew_after_its_seconds(self, monkeypatch):
        at = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: at)
        assert [process.take(self.LIMIT, "a", processes=9) for _ in range(2)] == [(0, 60), (-1, 60)]
        at = 1_060.0
        assert process.take(self.LIMIT, "a", processes=9) == (0, 60)

    def test_its_memory_has_an_end(self, monkeypatch):
        monkeypatch.setattr(process, "MOST_CALLERS", 100)
        for number in range(1_000):
            process.take(self.LIMIT, str(number), processes=1)
        assert len(process._counts["reads"].of) <= 100

    def test_threads_are_counted_exactly(self):
        limit, left = replace(self.LIMIT, times=1_000), []
        threads = [
            threading.Thread(target=lambda: left.extend(process.take(limit, "a", processes=1)[0] for _ in range(400)))
            for _ in range(4)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert sorted(left, reverse=True)[:1_000] == list(range(999, -1, -1))
        assert Counter(left)[-1] == 600


class TestWithoutItsStore:
    """The table of counts is locked or gone: reads go through, and what must be counted exactly is 503."""

    @pytest.fixture
    def gone(self, db):
        with connections["default"].execute_wrapper(_no_counts):
            yield

    def test_reads_go_through(self, one_connection, office, gone):
        client = asking(a_service()[1])
        assert client.get(path(office, "entitlement/")).status_code == 200
        assert client.get(path(office)).status_code == 200

    def test_signing_in_is_503(self, one_connection, gone):
        a_person("owner@maple.example")
        given = {"email": "owner@maple.example", "password": PASSWORD}
        answer = APIClient().post("/api/v1/auth/token/", given, format="json")

        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        form = {"login": "owner@maple.example", "password": PASSWORD}
        assert Client(raise_request_exception=False).post("/account/login/", form).status_code == 503

    def test_an_operation_is_503_and_a_preview_is_counted_in_this_process(self, one_connection, office, settings):
        settings.RATE_LIMITS = {
            **settings.RATE_LIMITS,
            "at-stripe": replace(settings.RATE_LIMITS["at-stripe"], times=4),
        }
        settings.WEB_PROCESSES = 2
        client = signed_in(a_member(office, "owner"))
        with connections["default"].execute_wrapper(_no_counts):
            assert client.post(path(office, "subscription/cancel/"), {}, format="json").status_code == 503
            preview = path(office, "subscription/discount/preview/")
            statuses = [client.post(preview, {}, format="json").status_code for _ in range(3)]
        assert statuses == [400, 400, 429]


def _no_counts(execute, sql, params, many, context):
    from django.db import OperationalError

    if apps.get_model("billing", "RateCount")._meta.db_table in sql:
        raise OperationalError("the table is locked")
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_reads_of_people_go_through_also_while_the_database_is_locked():
    office = an_office()
    client = signed_in(a_member(office, "viewer"))
    with locked_by_another("billing_ratecount", "billing_job", "billing_accesstoken", mode="EXCLUSIVE"):
        began = time.monotonic()
        assert [client.get(path(office)).status_code for _ in range(3)] == [200] * 3
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ("read=5/minute", "there is no limit read. There are: sign-in, operations"),
        ("reads=5", "reads must be a number of requests, a slash, and second, minute or hour"),
        ("reads", "reads must be"),
        ("exports=4/minute,reads=0/minute", "reads must be"),
        ("reads=5/day", "reads must be"),
    ],
)
def test_a_wrong_rate_stops_the_start(changed, says):
    with pytest.raises(Wrong, match=f"^{says}"):
        RATES.read(changed)


def test_a_rate_can_be_changed():
    found = RATES.read("reads = 7200/hour")
    assert (found["reads"].times, found["reads"].seconds) == (7_200, 3_600)
    assert {name: one for name, one in found.items() if name != "reads"} == {
        name: one for name, one in DEFAULTS.items() if name != "reads"
    }
