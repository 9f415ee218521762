"""Lockout: how many wrong passwords are looked at, on each way in, and what that leaves open."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from billing.access import tokens
from billing.limits import lockout
from billing.models import AuditEntry, RateCount, RefusalCount, User
from tests.conftest import PASSWORD, a_member
from tests.sign_in.browser import Browser, entries

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
STAFF = "operator@vendor.example"
HERE, THERE = "203.0.113.7", "198.51.100.9"
WRONG = "sign-in: wrong address or password"
NOW_LOCKED = f"{WRONG}. From this network none is looked at for a while"
NOT_LOOKED_AT = "sign-in: not looked at, after too many wrong tries"


@pytest.fixture(autouse=True)
def many_may_ask(settings):
    """What is tried here is lockout. The limit of requests has tests of its own."""
    settings.RATE_LIMITS = {
        name: type(one)(one.name, 1_000_000, one.seconds, one.exact, one.says)
        for name, one in settings.RATE_LIMITS.items()
    }


def on_the_page(email, password, network=HERE):
    return Browser(REMOTE_ADDR=network).sign_in(email, password)


def over_the_api(email, password, network=HERE):
    given = {"email": email, "password": password}
    return APIClient(REMOTE_ADDR=network).post("/api/v1/auth/token/", given, format="json")


WAYS = {"page": on_the_page, "API": over_the_api}
RIGHT, REFUSED = {"page": 302, "API": 200}, {"page": 200, "API": 401}


def wrong(way, times, email=STAFF, network=HERE):
    return [WAYS[way](email, "not the password", network).status_code for _ in range(times)]


def later(**how):
    """Let the failures have been so long ago."""
    for row in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=row.pk).update(attempt_time=row.attempt_time - timedelta(**how))


@pytest.mark.parametrize("way", WAYS)
def test_attempts_answers_and_entries(operator, way):
    """The table: five wrong ones are looked at, the fifth locks, and what comes then is not looked at.

    Each kind of refusal is in the trail once, and counted after that.
    """
    try_once = WAYS[way]

    assert wrong(way, 4) == [REFUSED[way]] * 4
    for password in ("not the password", "not the password", PASSWORD):
        answer = try_once(STAFF, password)
        assert answer.status_code == 429
        assert 890 <= int(answer.headers["Retry-After"]) <= 900
        assert "Try again in 15 minutes" in answer.content.decode()

    assert entries() == [
        ("refusal", "somebody who is not signed in", WRONG),
        ("refusal", "somebody who is not signed in", NOW_LOCKED),
        ("refusal", "somebody who is not signed in", NOT_LOOKED_AT),
    ]
    assert sorted(RefusalCount.objects.values_list("times", flat=True)) == [0, 1, 3]


@pytest.mark.parametrize("first", WAYS)
@pytest.mark.parametrize("then", WAYS)
def test_all_ways_in_count_together(operator, first, then):
    wrong(first, 5)
    assert WAYS[then](STAFF, PASSWORD).status_code == 429


def test_the_lock_ends_by_itself_and_trying_meanwhile_does_not_prolong_it(operator):
    wrong("page", 5)
    later(minutes=14)
    assert int(on_the_page(STAFF, PASSWORD).headers["Retry-After"]) <= 60
    later(minutes=1)

    assert on_the_page(STAFF, PASSWORD).status_code == 302


def test_the_same_account_from_another_network_is_free(operator):
    wrong("page", 5)
    assert on_the_page(STAFF, PASSWORD, THERE).status_code == 302


def test_another_account_from_the_same_network_is_free(operator, auditor):
    wrong("page", 5)
    assert on_the_page("auditor@vendor.example", PASSWORD).status_code == 302


def test_the_account_is_the_same_however_it_is_written(operator):
    for typed in (STAFF, STAFF.upper(), STAFF.replace("s", "ſ") if "s" in STAFF else STAFF, f" {STAFF}", STAFF.title()):
        on_the_page(typed, "not the password")

    assert on_the_page(STAFF, PASSWORD).status_code == 429


@pytest.mark.parametrize(
    ("first", "then", "locked"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
    ],
)
def test_a_network_of_ipv6_is_its_64(operator, first, then, locked):
    wrong("page", 5, network=first)
    assert (on_the_page(STAFF, PASSWORD, then).status_code == 429) is locked


def test_a_right_password_forgets_the_wrong_ones_from_there(operator):
    wrong("page", 4)
    wrong("page", 1, network=THERE)

    assert on_the_page(STAFF, PASSWORD).status_code == 302

    assert wrong("page", 4) == [200] * 4
    assert AccessAttempt.objects.count() == 2


def test_looking_at_pages_counts_nothing(operator):
    for _ in range(10):
        Browser(REMOTE_ADDR=HERE).get("/account/login/")
        Browser(REMOTE_ADDR=HERE).get("/admin/")
    assert not AccessAttempt.objects.exists()
    assert on_the_page(STAFF, PASSWORD).status_code == 302


def test_an_account_that_does_not_exist_is_answered_the_same(operator):
    answers = {email: [wrong(way, 6, email) for way in WAYS] for email in (STAFF, "nobody@elsewhere.example")}
    assert answers[STAFF] == answers["nobody@elsewhere.example"]


def test_one_who_tries_from_everywhere_slows_the_account_and_locks_nobody_out(operator):
    networks = [f"198.51.100.{number}" for number in range(5)]
    for network in networks:
        wrong("page", 4, network=network)

    assert on_the_page(STAFF, PASSWORD).status_code == 302  # one in ten seconds is looked at
    answer = on_the_page(STAFF, PASSWORD)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) <= 10


def test_who_is_locked_out_takes_no_turn_from_the_person_whose_account_it_is(operator):
    networks = [f"198.51.100.{number}" for number in range(4)]
    for network in networks:
        wrong("page", 5, network=network)
    for network in networks:
        assert wrong("page", 2, network=network) == [429, 429]

    assert on_the_page(STAFF, PASSWORD).status_code == 302


def test_sessions_tokens_and_the_api_go_on_while_the_account_is_locked(operator):
    browser = Browser(REMOTE_ADDR=HERE)
    browser.sign_in(STAFF)
    api = APIClient(REMOTE_ADDR=HERE)
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(User.objects.get())[1]}")

    assert wrong("page", 6)[-1] == 429

    assert browser.get("/admin/").status_code == 200
    assert api.get("/api/v1/offices/").status_code == 200


def test_ones_own_password_is_tried_no_more_often_when_signed_in(office):
    owner = a_member(office, "owner")
    api = APIClient(REMOTE_ADDR=HERE)
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(owner)[1]}")

    def change(current):
        given = {"current": current, "new": "seven wild geese over a lake"}
        return api.post("/api/v1/account/password/", given, format="json")

    assert [change("wrong").status_code for _ in range(4)] == [403] * 4
    assert [change("wrong").data["code"], change(PASSWORD).data["code"]] == ["too_many_tries"] * 2
    assert change(PASSWORD).headers["Retry-After"]
    assert User.objects.get(pk=owner.pk).check_password(PASSWORD)


def test_nothing_that_somebody_typed_is_kept(operator):
    typed = "patient-file-4711@elsewhere.example"
    on_the_page(typed, "a secret of mine")
    over_the_api(typed, "a secret of mine")
    Browser(REMOTE_ADDR=HERE).post(f"/account/login/?next=/{typed}", {"login": typed, "password": "a secret of mine"})

    kept = [str(row) for model in (AccessAttempt, AuditEntry) for row in model.objects.values()]
    assert kept
    for text in ("patient-file", "secret of mine", "elsewhere"):  # no number: a digest may hold any
        assert not [one for one in kept if text in one]


def test_the_digest_of_an_account_needs_our_key(operator, settings):
    request = RequestFactory().post("/")
    with_key = lockout.account_of(request, {"username": STAFF})
    settings.SECRET_KEY = "another"
    assert lockout.account_of(request, {"username": STAFF}) != with_key


def test_failures_that_count_no_more_are_deleted_by_the_hourly_job(operator):
    wrong("page", 2)
    lockout.purge()
    assert AccessAttempt.objects.exists()
    later(minutes=15)

    lockout.purge()

    assert not AccessAttempt.objects.exists()


def tried_with(token, network=HERE):
    api = APIClient(REMOTE_ADDR=network)
    api.credentials(HTTP_AUTHORIZATION=token)
    return api.get("/api/v1/offices/")


@pytest.mark.parametrize("wrong_one", ["Token " + "0" * 64, "Bearer obs_000000000000_" + "x" * 43])
def test_wrong_tokens_count_for_their_network_and_a_right_one_is_not_refused_for_them(operator, settings, wrong_one):
    limit = settings.RATE_LIMITS["wrong-tokens"]
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"wrong-tokens": type(limit)(limit.name, 3, 60, True, limit.says)}
    right = "Token " + tokens.make(operator.user)[1]

    answers = [tried_with(wrong_one) for _ in range(5)]

    assert [one.status_code for one in answers] == [401] * 3 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert tried_with(wrong_one, THERE).status_code == 401
    assert RateCount.objects.get(pk=f"wrong-tokens from {HERE}").used == 3
    assert tried_with(right).status_code == 200
    assert not AccessAttempt.objects.exists()
    assert on_the_page(STAFF, PASSWORD).status_code == 302


def test_a_right_token_writes_nothing(operator):
    right = "Token " + tokens.make(operator.user)[1]
    with CaptureQueriesContext(connection) as asked:
        assert tried_with(right).status_code == 200
    assert all(one["sql"].startswith("SELECT") for one in asked.captured_queries)


def test_a_flood_of_wrong_tokens_is_refused_without_sql(operator, settings, django_assert_num_queries):
    settings.WEB_PROCESSES = 1
    visitors = settings.RATE_LIMITS["visitors"]
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"visitors": type(visitors)("visitors", 2, 60, False, "")}
    wrong_one = "Token " + "0" * 64
    assert [tried_with(wrong_one).status_code for _ in range(3)] == [401, 401, 429]

    with django_assert_num_queries(1):  # whose token it is
        assert tried_with(wrong_one).status_code == 429
