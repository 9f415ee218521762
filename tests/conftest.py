"""Shared fixtures: one local Stripe for each test process, over HTTP, and a named cast."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import httpx
import hypothesis
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import connections, transaction
from django.test import Client

from billing import accounts, clock, observations, time_limits
from billing.access import grants, services
from billing.audit import actor, reads, trail
from billing.limits import process
from billing.models import Agreement, AuditEntry, Membership, Office, Plan, PlanPrice, RefusalCount, User
from billing.operations.catalogue import publish_plans
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.start import StartSubscription
from billing.reconciliation import drift
from billing.stripe_api import client, known_account, outbound, sandbox_clock
from billing.webhooks import inbox, refused_signatures
from tests import append_only, conformance, kept_rows, lengths, long, made_calls
from tests.other_connections import keep_its_file_to_sqlite, refused_without_limits
from tests.processes import released, started

__all__ = ["released", "started"]
PASSWORD = "correct horse battery staple"
hypothesis.settings.register_profile("search", max_examples=2_000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(conformance)
    config.pluginmanager.register(made_calls)
    append_only.empty_after_each_test()
    lengths.kept_on_each_database()
    keep_its_file_to_sqlite()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each test that commits use all connections: what a process notes and counts goes through its own ones."""
    long.mark(items)
    for item in items:
        for marker in item.iter_markers("django_db"):
            if marker.kwargs.get("transaction"):
                cast(dict[str, Any], marker.kwargs)["databases"] = ["default", "impatient", "optional"]


class LocalStripe:
    """The local Stripe as tests use it. ``price`` is the id of one that a test made there by itself."""

    price: str

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=20)

    def control(self, path: str, **given: Any) -> dict[str, Any]:
        return self.http.post(f"/_sandbox/{path}", json=given).raise_for_status().json()

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        answer = self.http.get(f"/v1/{path}", params={"limit": 100, **params}, headers=headers)
        return answer.raise_for_status().json()["data"]

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        """Send a request as somebody else would: the vendor's front end, or a person in the dashboard."""
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        return self.http.post(f"/v1/{path}", data=params, headers=headers).raise_for_status().json()

    def confirm(self, setup_intent: str, card: str) -> None:
        """Do what Stripe.js does with the client secret."""
        self.post(f"setup_intents/{setup_intent}/confirm", payment_method=card)

    def delete(self, path: str) -> None:
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        self.http.delete(f"/v1/{path}", headers=headers).raise_for_status()

    def requests(self, method: str = "") -> list[dict[str, Any]]:
        found = self.http.get("/_sandbox/requests").json()["requests"]
        return [one for one in found if not method or one["method"] == method]

    def forget_requests(self) -> None:
        self.http.delete("/_sandbox/requests").raise_for_status()

    def fail_next(self, kind: str, **given: Any) -> None:
        self.control("faults", kind=kind, **given)

    def advance(self, **delta: int) -> None:
        self.control("clock", advance=int(timedelta(**delta).total_seconds()))
        sandbox_clock.forget()

    def taken(self, **how: Any) -> list[dict[str, Any]]:
        """Take the signed deliveries that wait, as Stripe would send them."""
        return self.control("deliveries/take", **how)["deliveries"]

    def deliver(self, **how: Any) -> list[int]:
        """Post the waiting deliveries to our receiver. Returns the statuses of the answers."""
        return [post_delivery(one).status_code for one in self.taken(**how)]

    def deliver_and_apply(self, **how: Any) -> None:
        assert set(self.deliver(**how)) <= {200}
        inbox.work_off()


def post_delivery(delivery: dict[str, Any], **changed: Any) -> Any:
    path = "/" + delivery["url"].split("/", 3)[3]
    headers = {name: value for name, value in delivery["headers"].items() if name != "Content-Type"}
    body = changed.pop("body", delivery["body"])
    headers |= changed.pop("headers", {})
    return _sender().post(path, body, content_type="application/json", headers=headers)


@functools.cache
def _sender() -> Client:
    """Return one client for all tests. A new client would build all middleware again."""
    return Client()


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[LocalStripe]:
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual", "--strict"]
    command += ["--secret-key", "sk_test_only_for_tests", "--webhook-secret", "whsec_only_for_tests"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout
        url = process.stdout.readline().strip().rpartition(" ")[2]
        assert url.startswith("http://127.0.0.1:"), "the local Stripe did not start"
        running = LocalStripe(url)
        yield running
        conformance.note(running.http)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Drop auditlog's and knox's own tables, which ours replace. On PostgreSQL they would prevent emptying the tables.

    On PostgreSQL, also let each test fail in which a statement runs without the time limits that it must have.
    """
    with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS auditlog_logentry")
        cursor.execute("DROP TABLE IF EXISTS knox_authtoken")
    with django_db_blocker.unblock():
        append_only.note_what_is_always_there(connections["default"])
    for alias in ("impatient", "optional"):
        if connections[alias].vendor == "postgresql":
            connections[alias].execute_wrappers.append(refused_without_limits)


@pytest.fixture
def one_connection(db: None) -> Iterator[None]:
    """Replace the other connections by the default one inside a test's transaction, so that they see the same rows."""
    if not connections["default"].in_atomic_block:
        yield
        return
    own = {alias: connections[alias] for alias in ("impatient", "optional")}
    for alias in own:
        connections[alias] = connections["default"]
    yield
    for alias, connection in own.items():
        connections[alias] = connection


@pytest.fixture(autouse=True)
def what_people_look_at_is_recorded(request: pytest.FixtureRequest) -> None:
    """Let the connection on which that is written see a test's rows, in each test that has some."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("one_connection")


@pytest.fixture
def no_limit_is_reached(settings: Any) -> None:
    settings.RATE_LIMITS = {name: replace(one, times=1_000_000) for name, one in settings.RATE_LIMITS.items()}


@pytest.fixture
def commits_are_kept(settings: Any) -> None:
    """Ask Stripe nothing more than on a database that keeps its commits: the test counts what Stripe is asked."""
    settings.DATABASE_CAN_LOSE_COMMITS = False


@contextlib.contextmanager
def rolled_back() -> Iterator[None]:
    """Undo the block's changes to the database. To the code inside, it looks like a test case's transaction."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # Django's own
    with block:
        yield
        transaction.set_rollback(True)


def stocked(stripe_server: LocalStripe) -> LocalStripe:
    """Create our account, plans and webhook endpoint, in an empty database and at an empty Stripe."""
    sandbox_clock.forget()
    by = actor.job("tests")
    accounts.record_account(by=by, reason="tests")
    with trail.acting(by, reason="tests"):
        practice = Plan.objects.create(code="practice", name="Practice")
        team = Plan.objects.create(code="team", name="Team")
        for code, plan, currency, amount, interval, per_seat in (
            ("practice-monthly", practice, "usd", 19_900, "month", False),
            ("practice-yearly", practice, "usd", 199_000, "year", False),
            ("practice-euro", practice, "eur", 18_900, "month", False),
            ("seats-monthly", team, "usd", 4_900, "month", True),
        ):
            PlanPrice.objects.create(
                code=code, plan=plan, currency=currency, unit_amount=amount, interval=interval, per_seat=per_seat
            )
    publish_plans(by=by, reason="tests")
    accounts.register_endpoint(at_stripe=True, by=by, reason="tests")
    stripe_server.taken()
    stripe_server.forget_requests()
    return stripe_server


@pytest.fixture
def empty_stripe(stripe_server: LocalStripe, settings: Any, one_connection: None) -> LocalStripe:
    """Return a local Stripe with nothing in it."""
    stripe_server.control("reset")
    sandbox_clock.forget()
    settings.STRIPE_API_BASE = stripe_server.url
    return stripe_server


STOCK_LASTS = drift.UNDERWAY / 2
"""Its events did not arrive. When they are older, a comparison wonders where they are."""


@functools.cache
def kept_stock(url: str) -> list[kept_rows.KeptRows]:
    """Return where this process keeps what it stocked first, here and at the local Stripe at this address."""
    return []


@pytest.fixture
def stripe(empty_stripe: LocalStripe) -> Iterator[LocalStripe]:
    """Yield a local Stripe with nothing but our account, plans and webhook endpoint.

    They are made once in each process, and put back as they were where nothing else is there yet.
    """
    kept, first = kept_stock(empty_stripe.url), kept_rows.nobody_was_here()
    if kept and kept[0].age > STOCK_LASTS.total_seconds():
        kept.clear()
    if first and kept and kept[0].fit():
        empty_stripe.control("put_back")
        kept[0].put_back()
    elif first and not kept:
        had_rows = kept_rows.with_rows()
        stocked(empty_stripe).control("keep")
        kept.append(kept_rows.KeptRows(had_rows=had_rows))
    else:
        stocked(empty_stripe)
    yield empty_stripe
    sandbox_clock.forget()
    assert clock.wall()


def refusals(**how: Any) -> int:
    """Return how many refusals are in the trail: the entries, and those that were counted after them."""
    entries = AuditEntry.objects.filter(kind="refusal", **how)
    counted = RefusalCount.objects.filter(pk__in=list(entries.values_list("window_key", flat=True)))
    return entries.count() + sum(counted.values_list("times", flat=True))


OPERATOR = "operator finance auditor"
ADMINISTRATOR = f"administrator {OPERATOR}"
"""Several roles of one person, as in a small company: one who does the billing, and one who may do everything."""


def a_person(email: str, *, group: str = "") -> User:
    """Return a person with these roles of the vendor, and no role if there is none."""
    with trail.acting(actor.job("tests"), reason="the cast"):
        user = User.objects.create_user(email, PASSWORD, is_staff=bool(group))
        if group:
            user.groups.add(*(Group.objects.get(name=one) for one in group.split()))
    return user


def can_sign_in(email: str, password: str) -> bool:
    """Return whether this password opens this account. What else a sign-in asks for is another matter."""
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    return user is not None and user.check_password(password)


def an_office(name: str = "Maple Street Family Practice") -> Office:
    with trail.acting(actor.job("tests"), reason="the cast"):
        return Office.objects.create(name=name, billing_email="billing@maple.example")


def a_member(office: Office, role: str) -> User:
    user = a_person(f"{role}@maple.example")
    with trail.acting(actor.job("tests"), reason="the cast"):
        grants.write_grants(Membership.objects.create(user=user, office=office, role=role))
    return user


def price(code: str) -> PlanPrice:
    return PlanPrice.objects.get(code=code)


def price_id(code: str) -> str:
    """Return the price's id as an operation takes it."""
    return str(price(code).public_id)


def subscribed_office(
    office: Office, *, by: actor.Actor, plan: str = "practice-monthly", card: str = "pm_card_visa", **given: Any
) -> Office:
    """Return the Office after it started a subscription. The first invoice is paid, unless there is a trial."""
    start = StartSubscription(price=price_id(plan), payment_method=card, **given)
    return perform(start, office, by=by, reason="new")


def determined(by: actor.Actor, then: actor.Actor, *, ends_in_days: int | None = 365) -> Agreement:
    """Create a determination "executed", prepared by one and approved by another. With negative days it has ended."""
    today = clock.wall().date()
    with trail.acting(by, reason="tests"):
        return Agreement.objects.create(
            kind="executed",
            document_sha256="5e" * 32,
            document_at="contracts register, number 12",
            counterparty="Processor Payments Company",
            services="payments and invoicing",
            terms_version="services agreement of September",
            terms_dated=today - timedelta(days=90),
            terms_review_by=today + timedelta(days=300),
            outbound_list=outbound.text(),
            outbound_fingerprint=outbound.fingerprint_of(outbound.text()),
            our_signer="Olive Owner, managing director",
            their_signer="Pat Processor, general counsel",
            signed_on=today - timedelta(days=90),
            effective_from=today - timedelta(days=90),
            effective_until=None if ends_in_days is None else today + timedelta(days=ends_in_days),
            prepared_by=by.user,
            approved_by=then.user,
            approved_at=clock.wall() - timedelta(days=60),
        )


@pytest.fixture
def live(stripe: LocalStripe, settings: Any) -> LocalStripe:
    """Return the local Stripe with the product in live mode, as if real money moved."""
    settings.STRIPE_LIVE_MODE = True
    return stripe


@pytest.fixture
def operator(db: None) -> actor.Actor:
    return actor.person(a_person("operator@vendor.example", group=OPERATOR))


@pytest.fixture
def auditor(db: None) -> actor.Actor:
    return actor.person(a_person("auditor@vendor.example", group="auditor"))


@pytest.fixture
def administrator(db: None) -> actor.Actor:
    return actor.person(a_person("administrator@vendor.example", group=ADMINISTRATOR))


@pytest.fixture
def office(db: None) -> Office:
    return an_office()


@pytest.fixture
def subscribed(stripe: LocalStripe, operator: actor.Actor, office: Office) -> Office:
    return subscribed_office(office, by=operator)


@pytest.fixture
def outsider(db: None) -> actor.Actor:
    return actor.person(a_person("outsider@elsewhere.example"))


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    """Let each test ask as if nobody had asked before. What the database counts goes with its rows."""
    process.forget()
    observations.forget()
    known_account.confirm()
    refused_signatures.forget()
    reads.forget()
    time_limits.forget()
    services.tried.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_side_door(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call to Stripe fail if it does not go through our client."""
    if request.path.parent.name == "stripe_sandbox":  # those tests use the SDK's own client
        return
    import stripe as sdk

    through = sdk.RequestsClient.request

    def only_ours(self: Any, *args: Any, **kwargs: Any) -> Any:
        assert isinstance(self, client.Transport), "Stripe was called past billing.stripe_api.client"
        return through(self, *args, **kwargs)

    monkeypatch.setattr(sdk.RequestsClient, "request", only_ours)
