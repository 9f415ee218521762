"""The drill: a day goes on after a backup, the database is lost, and the backup is restored 25 hours later.

Nothing is charged, given back or mailed a second time, and each loss is listed.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from billing import clock, errors, sealing, worker
from billing.audit import actor, verify
from billing.models import (
    AuditEntry,
    Backup,
    Finding,
    Hold,
    Notification,
    Office,
    Operation,
    OperationStep,
    Payment,
    ReceivedEvent,
)
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.customer import EnsureCustomer
from billing.reconciliation import decisions
from billing.stripe_api import sandbox_clock
from tests.api.test_api import path, signed_in
from tests.conftest import OPERATOR, LocalStripe, a_member, a_person, an_office, stocked, subscribed_office
from tests.moving.places import Place, Places, needs_cipher, needs_postgresql, opened
from tests.outbox.conftest import MailServer, told_of_role

FORMS = [
    pytest.param("file"),
    pytest.param("encrypted", marks=needs_cipher),
    pytest.param("postgresql", marks=needs_postgresql),
]
REASON = "the drill"
LATER = timedelta(hours=25)


@dataclass
class Day:
    """What was lost, and what Stripe and the mail server had at its end."""

    stripe: LocalStripe
    mail: MailServer
    backup: Path
    lost: Place
    done: str
    done_since: str
    never_done: str
    at_stripe: dict[str, list[str]]
    mails: int

    def moved_since(self) -> bool:
        """Return whether anything was charged, given back, made or mailed since the database was lost."""
        return (at_stripe(self.stripe), len(self.mail.received)) != (self.at_stripe, self.mails)


def at_stripe(stripe: LocalStripe) -> dict[str, list[str]]:
    lists = ("charges", "refunds", "customers", "subscriptions", "invoices", "invoiceitems")
    return {name: sorted(one["id"] for one in stripe.listed(name)) for name in lists}


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def day(form: str, places: Places, stripe_server: LocalStripe, mail_server: MailServer, settings: Any,
        backup_key: str, tmp_path: Path) -> Day:  # fmt: skip
    settings.STRIPE_API_BASE = stripe_server.url
    settings.AUDIT_HEADS_FILE = str(tmp_path / "heads")
    folder, place = tmp_path / "backups", getattr(places, form)()
    with opened(place):
        call_command("migrate", verbosity=0)
        stripe_server.control("reset")
        stripe = stocked(stripe_server)
        operator = actor.person(a_person("operator@vendor.example", group=OPERATOR))
        office = subscribed_office(an_office(), by=operator)
        a_member(office, "owner")
        without_customer = an_office("Oak Lane Dental")
        others = [subscribed_office(an_office(name), by=operator) for name in ("Elm Court", "Fir Street")]
        stripe.deliver_and_apply()
        stripe.fail_next("slow", method="POST", path_prefix="/v1/invoices/", seconds=0)  # the finalising is answered
        done = _left_open(stripe, office, operator, "drop_after", path_prefix="/v1/invoices/")
        done_since = _left_open(stripe, others[0], operator, "503")
        never_done = _left_open(stripe, others[1], operator, "503")
        told_of_role("otto@maple.example")
        sealing.seal()
        call_command("backup", to=str(folder))
        _go_on(stripe, operator, without_customer, [done, done_since])
        left = at_stripe(stripe)
    stripe.advance(hours=25)
    (backup,) = folder.glob("*.age")
    sandbox_clock.forget()
    return Day(stripe, mail_server, backup, place, done, done_since, never_done, left, len(mail_server.received))


def _left_open(stripe: LocalStripe, office: Office, operator: actor.Actor, fault: str, **where: str) -> str:
    """Leave a charge of the Office without an outcome."""
    stripe.fail_next(fault, method="POST", **where)
    with pytest.raises(errors.StripeUnavailable):
        perform(ChargeOffice(charge="training", amount=25_000), office, by=operator, reason=REASON)
    return str(Operation.objects.latest("pk").public_id)


def _by_our_clock_too() -> None:
    """Let what is in the backup be 25 hours older by our clock."""
    times = {name: F(name) - LATER for name in ("created_at", "lease_until")}
    Operation.objects.update(**times)
    OperationStep.objects.update(first_asked_at=F("first_asked_at") - LATER, last_asked_at=F("last_asked_at") - LATER)
    Notification.objects.update(created_at=F("created_at") - LATER, due_at=F("due_at") - LATER)


def _go_on(stripe: LocalStripe, operator: actor.Actor, without_customer: Office, settled: list[str]) -> None:
    """Do what the backup does not have: settle what was open, charge, give back, mail, and make customers."""
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() + timedelta(minutes=10))
    Operation.objects.filter(public_id__in=settled).update(lease_until=clock.wall())
    assert worker.work_once()
    assert Operation.objects.filter(public_id__in=settled, status="succeeded").count() == 2
    office = Office.objects.get(name="Maple Street Family Practice")
    perform(ChargeOffice(charge="onboarding", amount=40_000), office, by=operator, reason=REASON)
    perform(RefundPayment(amount=5_000), Payment.objects.earliest("pk"), by=operator, reason=REASON)
    perform(AdjustCredit(amount=1_000), office, by=operator, reason=REASON)
    subscribed_office(without_customer, by=operator)
    subscribed_office(an_office("Birch Hill Cardiology"), by=operator)
    perform(EnsureCustomer(), an_office("Ash Road Pediatrics"), by=operator, reason=REASON)
    told_of_role("mira@maple.example")
    stripe.deliver_and_apply()
    worker.work_once()
    sealing.seal()


@pytest.mark.slow
def test_after_25_hours_nothing_is_done_twice_and_each_loss_is_listed(day, form, places, capsys):
    place = getattr(places, form)()
    with opened(place):
        call_command("restore", str(day.backup))

        _by_our_clock_too()
        hold = Hold.objects.get()
        assert (hold.released_at, Backup.objects.count()) == (None, 0)
        _is_held(day)

        day.stripe.forget_requests()
        call_command("after_restore", reason=REASON)
        told = capsys.readouterr().out
        assert not day.moved_since()
        _is_held(day)
        _lists_each_loss(day, told)

        with pytest.raises(CommandError, match="--by"):
            call_command("after_restore", reason=REASON, release=True, by="nobody@vendor.example")
        call_command("after_restore", reason=REASON, release=True, by="operator@vendor.example")
        for _ in range(3):
            worker.work_once()
            Operation.objects.filter(status="unknown").update(lease_until=clock.wall())
        assert not day.moved_since()
        _names_the_gap_once()
        _lets_a_person_decide(day)


def _is_held(day: Day) -> None:
    """It answers what is read, stores events, and does nothing else."""
    operator = actor.person(Operation.objects.earliest("pk").actor)
    office = Office.objects.get(name="Maple Street Family Practice")
    with pytest.raises(errors.DatabaseHeld):
        perform(ChargeOffice(charge="training", amount=25_000), office, by=operator, reason=REASON)
    client = signed_in(operator.user)
    body = {"charge": "training", "amount": 1_000, "reason": REASON}
    for _ in range(2):  # the refusal is not remembered for the key
        refused = client.post(path(office, "charges/"), body, format="json", HTTP_IDEMPOTENCY_KEY="one-key")
        assert (refused.status_code, refused.json()["code"]) == (503, "database_held")
        assert "Idempotent-Replayed" not in refused
    assert client.get(path(office, "entitlement/")).json()["access"] == "full"
    before = ReceivedEvent.objects.filter(status="waiting").count()
    day.stripe.post(f"customers/{office.payment_provider_customer_id}", **{"metadata[note]": str(before)})
    assert day.stripe.deliver() == [200]
    assert worker.work_once() == 0
    assert ReceivedEvent.objects.filter(status="waiting").count() == before + 1
    assert not day.moved_since()


def _lists_each_loss(day: Day, told: str) -> None:
    report = Hold.objects.get().report
    open_ = [Operation.objects.get(public_id=one).status for one in (day.done, day.done_since, day.never_done)]
    assert open_ == ["succeeded", "succeeded", "abandoned"]
    assert [line.rpartition(": ")[2] for line in report["open operations"]] == open_
    row = Notification.objects.get()
    assert (row.state, len(report["e-mails"])) == ("unknown", 1)
    assert Finding.objects.filter(kind="mail_unknown", resolved_at=None).count() == 1
    names = set(Office.objects.exclude(payment_provider_customer_id=None).values_list("name", flat=True))
    assert names == {
        "Maple Street Family Practice",
        "Elm Court",
        "Fir Street",
        "Oak Lane Dental",
        "Birch Hill Cardiology",
        "Ash Road Pediatrics",
    }
    assert len(report["Offices"]) == 3
    # onboarding, the refund, the credit, and the two subscriptions
    assert len(report["lost operations"]) == 5
    assert not Finding.objects.filter(kind="events_missed").exists()
    differences = Finding.objects.filter(kind="drift")
    assert "had not arrived" not in " ".join(differences.values_list("detail", flat=True))
    known = set(Payment.objects.values_list("stripe_id", flat=True))
    assert set(day.at_stripe["charges"]) <= known
    assert {line.split()[1].rstrip(",") for line in report["lost operations"]} == set(
        Finding.objects.filter(kind="operation_lost", resolved_at=None).values_list("subject", flat=True)
    )
    assert "sealed" not in told
    assert "Lost for good:" in told
    for line in report["audit trail"] + report["lost operations"]:
        assert line in told


def _names_the_gap_once() -> None:
    sealing.seal()
    found = verify.verify()
    assert (found.faults, [str(one.backup) for one in found.gaps]) == ([], [Hold.objects.get().backup])
    assert found.gaps[0].lost > 0
    assert sealing.verify_trail() is False
    assert not Finding.objects.filter(kind="audit_trail_changed").exists()
    assert AuditEntry.objects.filter(what__startswith="released the database", actor_label="operator@vendor.example")


def _lets_a_person_decide(day: Day) -> None:
    """Charge an Office with a lost operation only once a person closed each finding about it."""
    office = Office.objects.get(name="Maple Street Family Practice")
    operator = actor.person(Operation.objects.earliest("pk").actor)
    wanted = ChargeOffice(charge="onboarding", amount=40_000)
    with pytest.raises(errors.OperationLost):
        perform(wanted, office, by=operator, reason=REASON)
    assert not day.moved_since()
    for finding in Finding.objects.filter(kind="operation_lost", office=office, resolved_at=None):
        decisions.close(finding, by=operator, reason="looked at it")
    perform(wanted, office, by=operator, reason=REASON)
    assert day.moved_since()
