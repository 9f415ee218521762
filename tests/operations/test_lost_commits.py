"""A database that can lose commits: what Stripe did for an operation that is gone here is never done again unseen."""

import shutil
import sys
from typing import Any

import pytest
from django.db import connections

from billing import errors
from billing.audit import append_only
from billing.models import (
    Adjustment,
    Finding,
    Invoice,
    InvoicePayment,
    Office,
    Operation,
    Payment,
    Subscription,
    SubscriptionChange,
    SubscriptionItem,
)
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.contact import ChangeContact
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.start import StartSubscription
from billing.reconciliation import decisions
from tests.api.test_api import path, signed_in
from tests.conftest import price_id, subscribed_office
from tests.other_connections import ON_SERVER

REASON = "agreed by phone"


@pytest.fixture(autouse=True)
def _commits_can_be_lost(settings):
    settings.DATABASE_CAN_LOSE_COMMITS = True


def forget(operation: Operation) -> None:
    """As after a power cut: the operation and its steps were never written."""
    Adjustment.objects.filter(operation=operation).update(operation=None)
    with append_only.lifted(connections["default"]):
        for rows in (operation.steps.all(), Operation.objects.filter(pk=operation.pk)):
            rows._raw_delete(rows.db)  # the audit trail does not see it either


def the_charge(office: Office) -> tuple[Any, Any]:
    return ChargeOffice(charge="training", amount=25_000), office


def the_credit(office: Office) -> tuple[Any, Any]:
    return AdjustCredit(amount=1_000), office


def the_refund(office: Office) -> tuple[Any, Any]:
    return RefundPayment(amount=100), Payment.objects.get()


def the_credit_note(office: Office) -> tuple[Any, Any]:
    return IssueCreditNote(to="balance", amount=100), Invoice.objects.get()


def more_seats(office: Office) -> tuple[Any, Any]:
    return ChangeSubscription(quantity=office.subscriptions.get().quantity + 1), office


def ask(what, practice, operator) -> None:
    wanted, subject = what(practice)
    perform(wanted, subject, by=operator, reason="duplicate")


def charges(stripe) -> int:
    return len([one for one in stripe.listed("charges") if one["amount"] == 25_000])


def test_a_charge_that_is_not_on_record_any_more_is_not_made_again(stripe, operator, office):
    practice = subscribed_office(office, by=operator)
    ask(the_charge, practice, operator)
    of_it = {"invoice__in": list(Invoice.objects.filter(kind="one_off"))}
    for rows in (
        InvoicePayment.objects.filter(**of_it),
        Payment.objects.filter(**of_it),
        Invoice.objects.filter(kind="one_off"),
    ):
        rows._raw_delete(rows.db)
    forget(Operation.objects.latest("pk"))

    for _ in range(2):
        with pytest.raises(errors.OperationLost):
            ask(the_charge, practice, operator)

    assert charges(stripe) == 1
    assert Invoice.objects.get(kind="one_off").amount_paid == 25_000  # our rows show it again
    finding = Finding.objects.get(kind="operation_lost")
    assert (finding.office, finding.severity, finding.resolved_at) == (practice, "critical", None)


@pytest.mark.parametrize("what", [the_credit, the_refund, the_credit_note, more_seats])
def test_nor_is_anything_else_that_moves_money(stripe, operator, office, what):
    practice = subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    stripe.deliver_and_apply()
    ask(what, practice, operator)
    forget(Operation.objects.latest("pk"))

    with pytest.raises(errors.OperationLost):
        ask(what, Office.objects.get(), operator)


def test_once_a_person_closed_the_finding_it_may_be_asked_for_again(stripe, operator, office):
    practice = subscribed_office(office, by=operator)
    ask(the_charge, practice, operator)
    forget(Operation.objects.latest("pk"))
    with pytest.raises(errors.OperationLost):
        ask(the_charge, practice, operator)

    decisions.close(Finding.objects.get(kind="operation_lost"), by=operator, reason="a second training was held")
    ask(the_charge, practice, operator)

    assert charges(stripe) == 2


@pytest.mark.parametrize("address", ["the same", "another"])
def test_a_subscription_of_a_customer_that_is_forgotten_is_not_started_again(stripe, operator, office, address):
    practice = subscribed_office(office, by=operator)
    for operation in Operation.objects.all():
        forget(operation)
    for model in (InvoicePayment, Payment, Invoice, SubscriptionChange, SubscriptionItem, Subscription):
        rows = model.objects.all()
        rows._raw_delete(rows.db)
    Office.objects.filter(pk=practice.pk).update(
        payment_provider_customer_id=None, payment_provider_subscription_id="", subscription_status=""
    )
    if address == "another":
        Office.objects.filter(pk=practice.pk).update(billing_email="as-before@practice.example")
    practice.refresh_from_db()

    with pytest.raises(errors.OperationLost):
        perform(
            StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa"),
            practice,
            by=operator,
            reason=REASON,
        )

    finding = Finding.objects.get(kind="operation_lost")
    assert "link the customer" in finding.detail
    decisions.close(finding, by=operator, reason="closed by mistake")
    with pytest.raises(errors.OperationLost):  # a person cannot decide for a second customer
        perform(EnsureCustomer(), practice, by=operator, reason=REASON)
    assert len(stripe.listed("subscriptions", status="all")) == len(stripe.listed("customers")) == 1


def test_what_moves_no_money_is_not_held_up(stripe, operator, office):
    practice = subscribed_office(office, by=operator)
    forget(Operation.objects.latest("pk"))

    perform(ChangeContact(name="Another Practice"), practice, by=operator, reason=REASON)


def test_a_database_that_keeps_its_commits_asks_nothing_more_of_stripe(stripe, operator, office, settings):
    settings.DATABASE_CAN_LOSE_COMMITS = False
    practice = subscribed_office(office, by=operator)
    forget(Operation.objects.latest("pk"))

    ask(the_charge, practice, operator)

    assert charges(stripe) == 1


@pytest.mark.skipif(not ON_SERVER, reason="cuts the power of a libSQL server")
@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_after_a_power_cut_of_the_server_the_same_charge_is_refused_under_the_same_key(stripe, operator, office):
    server = sys.modules["tests.on_libsql_server"].server
    practice = subscribed_office(office, by=operator)
    client = signed_in(operator.user)
    server.kill()
    before = shutil.copytree(server.folder, server.folder.with_name("before"))
    server.start()
    connections.close_all()
    body = {"charge": "training", "amount": 25_000, "reason": "agreed"}
    first = client.post(path(practice, "charges/"), body, format="json", HTTP_IDEMPOTENCY_KEY="one-key")
    assert first.status_code == 201, first.content

    server.kill()
    shutil.rmtree(server.folder)
    before.rename(server.folder)
    server.start()
    connections.close_all()
    assert not Operation.objects.filter(kind="charge_office").exists()  # the database lost it
    again = client.post(path(practice, "charges/"), body, format="json", HTTP_IDEMPOTENCY_KEY="one-key")

    assert (again.status_code, again.json()["code"]) == (409, "operation_lost")
    assert charges(stripe) == 1
