"""A file with a real day in it, and some values that databases treat differently."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.models import JSONField, Value
from django.test import Client, override_settings
from djstripe import models as djstripe

from billing import clock
from billing.access import tokens
from billing.audit import actor, append_only, trail
from billing.models import (
    Adjustment,
    AuditEntry,
    Finding,
    IdempotentRequest,
    Notification,
    Office,
    Payment,
    ReceivedEvent,
    Subscription,
    User,
)
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.refund import RefundPayment
from billing.stripe_api import sandbox_clock
from tests.append_only import rewrite
from tests.conftest import (
    ADMINISTRATOR,
    OPERATOR,
    LocalStripe,
    a_member,
    a_person,
    an_office,
    determined,
    stocked,
    subscribed_office,
)
from tests.moving.places import Place, Places, opened

MICROSECONDS = datetime(2026, 2, 3, 4, 5, 6, 7, UTC)
NESTED = {"ä": [1, 2.5, None, True, {"deep": "„q“ 🦷", "big": 2**60}], "": "", "null": None, "0": 0}


@pytest.fixture
def places(tmp_path: Path, django_db_blocker: Any) -> Iterator[Places]:
    made = Places(tmp_path)
    with django_db_blocker.unblock(), made.undo:
        yield made


@pytest.fixture(scope="session")
def day(stripe_server: LocalStripe, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    file = tmp_path_factory.mktemp("day") / "day.db"
    here = override_settings(
        STRIPE_API_BASE=stripe_server.url, PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]
    )
    with django_db_blocker.unblock(), here, opened(Place(f"libsql:///{file}")) as connection:
        call_command("migrate", verbosity=0)
        stripe_server.control("reset")
        _live_through(stocked(stripe_server))
        with trail.acting(actor.job("tests"), reason="tests"):
            _add_odd_values()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sandbox_clock.forget()
    return file


@pytest.fixture
def source(day: Path, places: Places) -> Place:
    """A copy of its own for one test."""
    return places.copy_of(day)


def _live_through(stripe: LocalStripe) -> None:
    operator = actor.person(a_person("operator@vendor.example", group=OPERATOR))
    administrator = actor.person(a_person("administrator@vendor.example", group=ADMINISTRATOR))
    determined(operator, administrator)
    office = subscribed_office(an_office("Zahnärzte „Süd“ 漢字 🦷"), by=operator)
    tokens.make(a_member(office, "owner"))
    stripe.deliver_and_apply()
    perform(ChargeOffice(charge="training", amount=25_000), office, by=operator, reason="agreed by telephone")
    perform(RefundPayment(amount=5_000), Payment.objects.earliest("pk"), by=operator, reason="Goodwill: they waited")
    stripe.deliver_and_apply()
    stripe.post("customers", name="Somebody else")
    assert set(stripe.deliver()) == {200}  # this event waits
    Client().force_login(User.objects.get(email="operator@vendor.example"))


def _add_odd_values() -> None:
    office = Office.objects.get()
    for number, (when, context) in enumerate(
        [(MICROSECONDS, NESTED), (MICROSECONDS.replace(microsecond=0), {}), (clock.wall(), Value(None, JSONField()))]
    ):
        Notification.objects.create(
            kind="x", dedupe_key=f"{number}", recipient="ü@x.example", due_at=when, context=context, office=None
        )
    now = {"status": "pending", "currency": "usd", "kind": "refund", "ticket": 2**62, "created_at": MICROSECONDS}
    Adjustment.objects.create(office=office, stripe_id="re_big", amount=2**60, **now)
    Adjustment.objects.create(office=office, stripe_id="re_less", amount=-(2**60), payment=None, **now)
    ReceivedEvent.objects.create(stripe_id="evt_x", type="'; DROP -- % \\ \n\t", created_at=MICROSECONDS)
    account = djstripe.Account.objects.get()
    one = djstripe.Account.objects.create(
        id="acct_1", stripe_data=NESTED, metadata=None, djstripe_owner_account=account
    )
    other = djstripe.Account.objects.create(id="acct_2", stripe_data={}, djstripe_owner_account=one)
    djstripe.Account.objects.filter(pk=account.pk).update(djstripe_owner_account=other)  # in a circle
    djstripe.Account.objects.update(djstripe_updated=MICROSECONDS, djstripe_created=MICROSECONDS)
    Subscription.objects.update(discount_percent=Decimal("12.50"))
    rewrite(AuditEntry.objects.filter(pk=1), remote_addr="203.0.113.7")
    rewrite(AuditEntry.objects.filter(pk=2), remote_addr="2001:db8::7", additional_data=NESTED)
    for _ in range(3):  # their keys are never given again
        with append_only.lifted(connections["default"]):
            Finding.objects.create(kind="x", subject="x", detail="x").delete()
    assert IdempotentRequest.objects.count() == 0  # a table without rows
