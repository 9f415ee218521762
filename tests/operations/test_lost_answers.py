"""After a day Stripe keeps no answer for a key: what an operation should have done is looked for, and found or not.

``LOST`` has a row for each operation that asks Stripe.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing import clock, errors
from billing.models import Invoice, Office, Operation, OperationStep
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import AtStripe, Declaration
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.cards import (
    MakeCardLink,
    PreparePaymentMethod,
    RemovePaymentMethod,
    SetDefaultPaymentMethod,
    key_of,
)
from billing.operations.offices.contact import ChangeContact
from billing.operations.offices.customer import EnsureCustomer, OpenPortal
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import ApplyDiscount, MakeDiscount, RemoveDiscount
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from billing.operations.subscriptions.under_way import EndWaitingSubscription
from tests.at_stripe import a_coupon, begun_at_stripe
from tests.conftest import price_id

REASON = "agreed with them"


# --- what there is before


def as_it_is(stripe, office, by):
    return office


def subscribed(stripe, office, by, **given):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    start = StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa", **given)
    office = perform(start, office, by=by, reason="new")
    stripe.deliver_and_apply()
    return office


def on_trial(stripe, office, by):
    return subscribed(stripe, office, by, trial_days=14)


def after(wanted: Callable[[], Declaration[Any, Any]]):
    """Subscribed, and this done to it."""

    def made(stripe, office, by):
        office = perform(wanted(), subscribed(stripe, office, by), by=by, reason=REASON)
        stripe.deliver_and_apply()
        return office

    return made


def linked(stripe, office, by):
    perform(a_link(office), office, by=by, reason=REASON)
    return Office.objects.get(pk=office.pk)


def waiting(stripe, office, by):
    office = perform(EnsureCustomer(), office, by=by, reason=REASON)
    begun_at_stripe(stripe, office.payment_provider_customer_id, "pm_card_authenticationRequired")
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


def with_two_cards(stripe, office, by):
    office = subscribed(stripe, office, by)
    stripe.post("payment_methods/pm_card_mastercard/attach", customer=office.payment_provider_customer_id)
    stripe.deliver_and_apply()
    return office


def sent(stripe, office, by):
    charge = ChargeOffice(charge="training", amount=30_000, days_until_due=14)
    return perform(charge, subscribed(stripe, office, by), by=by, reason=REASON)


def overdue(stripe, office, by):
    subscribed(stripe, office, by)
    stripe.control("charges", outcome="decline", code="insufficient_funds", next=1)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    return Invoice.objects.get(kind="cycle")


def paid_invoice(stripe, office, by):
    return subscribed(stripe, office, by).invoices.get()


def paid(stripe, office, by):
    return subscribed(stripe, office, by).payments.get()


# --- what is asked for


def a_link(office):
    return CreatePaymentLink(price=price_id("practice-monthly"))


def another_card(office):
    return key_of(office.payment_methods.get(is_default=False))


def soon():
    return (clock.billing() + timedelta(days=5)).replace(microsecond=0)


@dataclass(frozen=True)
class Lost:
    """``found``: what was done is found. Else it is undone or of no use, so the operation is given up either way."""

    path: str
    before: Callable[..., Any] = subscribed
    asked: Callable[[Any], Any] | None = None
    found: bool = True


LOST: dict[type[AtStripe[Any, Any]], Lost] = {
    EnsureCustomer: Lost("/v1/customers", as_it_is),
    ChangeContact: Lost("/v1/customers/", asked=lambda _: ChangeContact(name="Elm Street Practice")),
    OpenPortal: Lost("/v1/billing_portal/", found=False),
    PreparePaymentMethod: Lost("/v1/setup_intents"),
    MakeCardLink: Lost("/v1/checkout/"),
    SetDefaultPaymentMethod: Lost(
        "/v1/customers/", with_two_cards, lambda office: SetDefaultPaymentMethod(card=another_card(office))
    ),
    RemovePaymentMethod: Lost(
        "/v1/payment_methods/", with_two_cards, lambda office: RemovePaymentMethod(card=another_card(office))
    ),
    StartSubscription: Lost(
        "/v1/subscriptions",
        as_it_is,
        lambda _: StartSubscription(price=price_id("practice-monthly"), trial_days=14),
    ),
    CreatePaymentLink: Lost("/v1/checkout/", as_it_is, a_link),
    WithdrawPaymentLink: Lost("/v1/checkout/", linked),
    EndWaitingSubscription: Lost("/v1/invoices/", waiting),
    ChangeSubscription: Lost(
        "/v1/subscriptions/", asked=lambda _: ChangeSubscription(price=price_id("practice-yearly"))
    ),
    CancelSubscription: Lost("/v1/subscriptions/"),
    CancelOnDate: Lost("/v1/subscriptions/", asked=lambda _: CancelOnDate(at=soon())),
    ResumeRenewal: Lost("/v1/subscriptions/", after(CancelSubscription)),
    MoveTrialEnd: Lost("/v1/subscriptions/", on_trial, lambda _: MoveTrialEnd(at=None)),
    RestartPeriod: Lost("/v1/subscriptions/"),
    PauseCollection: Lost("/v1/subscriptions/", asked=lambda _: PauseCollection(invoices_become="void")),
    ResumeCollection: Lost("/v1/subscriptions/", after(lambda: PauseCollection(invoices_become="void"))),
    ApplyDiscount: Lost("/v1/subscriptions/", asked=lambda _: ApplyDiscount(code="FIFTH")),
    MakeDiscount: Lost("/v1/subscriptions/", asked=lambda _: MakeDiscount(percent=10, lasts="months", months=3)),
    RemoveDiscount: Lost("/v1/subscriptions/", after(lambda: ApplyDiscount(code="FIFTH"))),
    PayInvoice: Lost("/v1/invoices/", sent),
    RetryInvoice: Lost("/v1/invoices/", overdue),
    SendInvoice: Lost("/v1/invoices/", sent),
    VoidInvoice: Lost("/v1/invoices/", sent),
    MarkUncollectible: Lost("/v1/invoices/", sent),
    ChargeOffice: Lost("/v1/invoices", asked=lambda _: ChargeOffice(charge="training", amount=25_000), found=False),
    IssueCreditNote: Lost("/v1/credit_notes", paid_invoice, lambda _: IssueCreditNote(to="balance", amount=1_000)),
    RefundPayment: Lost("/v1/refunds", paid, lambda _: RefundPayment(amount=1_000)),
    AdjustCredit: Lost("/v1/customers/", asked=lambda _: AdjustCredit(amount=1_000)),
}


@pytest.mark.parametrize("declared", LOST, ids=lambda declared: declared.__name__)
@pytest.mark.parametrize("done", [True, False])
def test_what_was_done_a_day_ago_is_found_and_what_was_not_is_abandoned(stripe, operator, office, declared, done):
    row = LOST[declared]
    subject = row.before(stripe, office, operator)
    wanted = row.asked(subject) if row.asked else declared()
    stripe.fail_next("drop_after" if done else "503", method="POST", path_prefix=row.path)
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, subject, by=operator, reason=REASON)

    lost = Operation.objects.get(status="unknown")
    assert lost.kind == declared.kind
    OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(hours=21))
    Operation.objects.filter(pk=lost.pk).update(lease_until=clock.wall())
    resume_unsettled()

    lost.refresh_from_db()
    assert lost.status == ("succeeded" if done and row.found else "abandoned")
