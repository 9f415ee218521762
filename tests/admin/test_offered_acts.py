"""An act that a page offers can work: it shows its form, and the state of the Office or the invoice does not refuse it.

``STATES`` makes an Office in each state, and ``REQUESTS`` has what somebody asks for with each act.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin import site

from billing import clock, errors
from billing.admin.acts import OperationAct
from billing.admin.acts.pages import ActsAdmin
from billing.models import Invoice, Office, Payment
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import TO_BY_STATUS, IssueCreditNote
from billing.operations.money.invoices import (
    MarkUncollectible,
    PayInvoice,
    RetryInvoice,
    SendInvoice,
    VoidInvoice,
)
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.cards import (
    MakeCardLink,
    RemovePaymentMethod,
    SetDefaultPaymentMethod,
    key_of,
    on_file,
    removable,
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
from tests.admin.test_offices import signed_in
from tests.at_stripe import a_coupon, begun_at_stripe, scheduled
from tests.conftest import a_person, price_id, subscribed_office

WHY = "agreed with them"


def fresh(office: Office) -> Office:
    return Office.objects.get(pk=office.pk)


def subscribed(stripe: Any, office: Office, by: Any, **given: Any) -> Office:
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    subscribed_office(office, by=by, **given)
    stripe.deliver_and_apply()
    return fresh(office)


def after(*wanted: Declaration[Any, Any], **given: Any) -> Callable[..., Office]:
    def made(stripe: Any, office: Office, by: Any) -> Office:
        office = subscribed(stripe, office, by, **given)
        for one in wanted:
            perform(one, office, by=by, reason=WHY)
            stripe.deliver_and_apply()
        return fresh(office)

    return made


def customer(stripe: Any, office: Office, by: Any) -> Office:
    return perform(EnsureCustomer(), office, by=by, reason=WHY)


def deleted(stripe: Any, office: Office, by: Any) -> Office:
    stripe.delete(f"customers/{customer(stripe, office, by).payment_provider_customer_id}")
    stripe.deliver_and_apply()
    return fresh(office)


def waiting(stripe: Any, office: Office, by: Any) -> Office:
    office = customer(stripe, office, by)
    begun_at_stripe(stripe, office.payment_provider_customer_id or "", "pm_card_authenticationRequired")
    stripe.deliver_and_apply()
    return fresh(office)


def will_start(stripe: Any, office: Office, by: Any) -> Office:
    scheduled(stripe, customer(stripe, office, by).payment_provider_customer_id or "")
    stripe.deliver_and_apply()
    return fresh(office)


def managed(stripe: Any, office: Office, by: Any) -> Office:
    office = subscribed(stripe, office, by)
    stripe.post("subscription_schedules", from_subscription=office.payment_provider_subscription_id)
    stripe.deliver_and_apply()
    return fresh(office)


def linked(stripe: Any, office: Office, by: Any) -> Office:
    perform(CreatePaymentLink(price=price_id("practice-monthly")), office, by=by, reason=WHY)
    return fresh(office)


def past_due(stripe: Any, office: Office, by: Any) -> Office:
    subscribed(stripe, office, by)
    stripe.control("charges", outcome="decline", code="insufficient_funds", next=1)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    return fresh(office)


def owes_without_card(stripe: Any, office: Office, by: Any) -> Office:
    """A charge was sent, and the subscription and the card are gone since then."""
    office = subscribed(stripe, office, by)
    perform(ChargeOffice(charge="training", amount=30_000, days_until_due=14), office, by=by, reason=WHY)
    perform(CancelSubscription(at_period_end=False), fresh(office), by=by, reason=WHY)
    perform(RemovePaymentMethod(card=key_of(on_file(office).get())), fresh(office), by=by, reason=WHY)
    stripe.deliver_and_apply()
    return fresh(office)


def trial_without_card(stripe: Any, office: Office, by: Any) -> Office:
    return subscribed(stripe, office, by, card="", trial_days=14)


def archived(stripe: Any, office: Office, by: Any) -> Office:
    perform(ArchiveOffice(), office, by=by, reason=WHY)
    return fresh(office)


def two_cards(stripe: Any, office: Office, by: Any) -> Office:
    office = subscribed(stripe, office, by)
    stripe.post("payment_methods/pm_card_mastercard/attach", customer=office.payment_provider_customer_id)
    stripe.deliver_and_apply()
    return fresh(office)


STATES: dict[str, Callable[..., Office]] = {
    "new": lambda stripe, office, by: office,
    "a customer": customer,
    "its customer was deleted": deleted,
    "active": after(),
    "in a trial": after(trial_days=14),
    "in a trial without a card": trial_without_card,
    "past due": past_due,
    "ends with the period": after(CancelSubscription()),
    "canceled": after(CancelSubscription(at_period_end=False)),
    "not collected": after(PauseCollection(invoices_become="void")),
    "with a discount": after(ApplyDiscount(code="FIFTH")),
    "with credit": after(AdjustCredit(amount=2_500)),
    "with a debt on its balance": after(CancelSubscription(at_period_end=False), AdjustCredit(amount=-2_500)),
    "waits for the first payment": waiting,
    "a schedule starts one": will_start,
    "a schedule manages it": managed,
    "a payment link is open": linked,
    "owes without a card": owes_without_card,
    "with two cards": two_cards,
    "archived": archived,
}


def soon() -> Any:
    return (clock.billing() + timedelta(days=5)).replace(microsecond=0)


REQUESTS: dict[str, Callable[[Any], Declaration[Any, Any]]] = {
    "subscribe": lambda _: StartSubscription(price=price_id("practice-monthly")),
    "payment_link": lambda _: CreatePaymentLink(price=price_id("practice-monthly")),
    "withdraw_link": lambda _: WithdrawPaymentLink(),
    "end_waiting": lambda _: EndWaitingSubscription(),
    "change_plan": lambda _: ChangeSubscription(price=price_id("seats-monthly"), settle="next_invoice"),
    "cancel": lambda office: CancelSubscription(at_period_end=False),
    "resume_renewal": lambda _: ResumeRenewal(),
    "move_trial_end": lambda _: MoveTrialEnd(at=soon()),
    "restart_period": lambda _: RestartPeriod(),
    "apply_discount": lambda _: ApplyDiscount(code="FIFTH"),
    "make_discount": lambda _: MakeDiscount(percent=10),
    "remove_discount": lambda _: RemoveDiscount(),
    "pause_collection": lambda _: PauseCollection(invoices_become="keep_as_draft"),
    "resume_collection": lambda _: ResumeCollection(),
    "charge": lambda _: ChargeOffice(charge="training", amount=5_000, days_until_due=14),
    "link_card": lambda _: MakeCardLink(),
    "default_card": lambda office: SetDefaultPaymentMethod(card=key_of(on_file(office).filter(is_default=False)[0])),
    "remove_card": lambda office: RemovePaymentMethod(card=key_of(removable(office)[0])),
    "contact": lambda _: ChangeContact(name="Elm Street Practice"),
    "credit": lambda _: AdjustCredit(amount=1_000),
    "portal": lambda _: OpenPortal(),
    "archive": lambda _: ArchiveOffice(),
    "unarchive": lambda _: UnarchiveOffice(),
    "pay": lambda invoice: PayInvoice(payment_method=key_of(on_file(invoice.office)[0])),
    "retry": lambda _: RetryInvoice(),
    "send": lambda _: SendInvoice(),
    "void": lambda _: VoidInvoice(),
    "mark_uncollectible": lambda _: MarkUncollectible(),
    "credit_note": lambda invoice: IssueCreditNote(to=TO_BY_STATUS[invoice.status][0], amount=100),
    "refund": lambda _: RefundPayment(amount=100),
}
"""By the name of the act. It depends on nothing but the subject, and on no choice that the person could make better."""


@pytest.mark.parametrize("state", STATES)
def test_what_is_offered_shows_its_form_and_is_not_refused_for_the_state(stripe, operator, office, state):
    office = STATES[state](stripe, office, operator)
    user = a_person("all@vendor.example", group="operator finance auditor administrator")
    client = signed_in(user)
    seen = set()
    for subject in (office, *Invoice.objects.filter(office=office), *Payment.objects.filter(office=office)):
        model_admin = site._registry[type(subject)]
        assert isinstance(model_admin, ActsAdmin)
        for act in model_admin.acts:
            if isinstance(act, OperationAct) and act.available(subject):
                seen.add(act.name)
                place = f"/admin/billing/{subject._meta.model_name}/{subject.pk}/{act.path}/"
                assert client.get(place).status_code == 200, act.name
                try:
                    previews.second_step(REQUESTS[act.name](subject), subject, by=operator, reason=WHY)
                except errors.BillingError as refusal:
                    pytest.fail(f"{act.name} is offered and refused: {refusal}")
    assert seen or state in ("its customer was deleted",)


def test_each_act_that_is_an_operation_has_a_request():
    admins = [one for one in site._registry.values() if isinstance(one, ActsAdmin)]
    assert {act.name for one in admins for act in one.acts if isinstance(act, OperationAct)} == set(REQUESTS)


def test_an_end_on_a_date_is_offered_only_while_no_schedule_manages_the_subscription(stripe, operator, office):
    office = managed(stripe, office, operator)
    shown = signed_in(operator.user).get(f"/admin/billing/office/{office.pk}/cancel/").content.decode()

    assert 'value="now"' in shown
    assert 'value="period_end"' not in shown
    assert CancelOnDate.is_offered(office) is False


def test_what_is_offered_is_found_with_few_queries(stripe, operator, office, django_assert_max_num_queries):
    office = subscribed(stripe, office, operator)
    acts = [act for act in site._registry[Office].acts if isinstance(act, OperationAct)]

    with django_assert_max_num_queries(8):
        assert [act.name for act in acts if act.available(office)]
