"""What fits next for an Office in each state, by hand; and the worklist, its page and bulk acts say the same."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from billing import clock, debts, declines, next_steps
from billing.audit import actor, trail
from billing.bulk import offices as bulk
from billing.bulk.kinds import Cannot
from billing.models import Invoice, Office, Operation, Payment, PaymentMethod, Subscription
from billing.next_steps import State
from tests.admin.test_offices import signed_in
from tests.conftest import ADMINISTRATOR, a_person, an_office

DAY = timedelta(days=1)
CARD = {"payment_method_brand": "visa", "payment_method_last4": "4242", "payment_method_expires": "2099-12"}
NO_CARD = "No payment method is on file. Send it a link to add a card."
LATE = {"created_at": -40 * DAY, "finalised_at": -40 * DAY}
SENT = {**LATE, "collection": "send_invoice"}
NEEDS_PAYER = (
    "expired_card incorrect_cvc incorrect_number authentication_required card_not_supported account_closed no_account "
    "debit_not_authorized bank_account_restricted"
).split()
"""By hand, from https://docs.stripe.com/declines/codes: what is charged again unchanged is declined again."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """Moments are from now on. ``why_not`` is what a bulk act says that charges nothing, "" if it charges."""

    status: str = ""
    office: dict[str, Any] = field(default_factory=dict)
    invoice: dict[str, Any] | None = None
    payment: dict[str, Any] | None = None
    operation: str = ""
    steps: str
    why_not: str


def declined(code: str, **more: Any) -> dict[str, Any]:
    return {"status": "failed", "decline_code": code, "card_brand": "visa", "card_last4": "4242", **more}


CASES = {
    "never subscribed": Case(steps="withdraw_link payment_link subscribe", why_not="It owes nothing."),
    "never subscribed, with a card": Case(
        office=CARD, steps="withdraw_link subscribe payment_link", why_not="It owes nothing."
    ),
    "active": Case(status="active", office=CARD, steps="change_plan", why_not="It owes nothing."),
    "active without a card": Case(status="active", steps="link_card change_plan", why_not="It owes nothing."),
    "active, and its card expires": Case(
        status="active",
        office=CARD | {"payment_method_expires": "2020-01"},
        steps="link_card change_plan",
        why_not="It owes nothing.",
    ),
    "active until the end": Case(
        status="active",
        office=CARD | {"cancel_at": 20 * DAY},
        steps="resume_renewal change_plan",
        why_not="It owes nothing.",
    ),
    "trialing with a card": Case(
        status="trialing",
        office=CARD | {"trial_end": 20 * DAY},
        steps="move_trial_end change_plan",
        why_not="It owes nothing.",
    ),
    "trialing without a card": Case(
        status="trialing",
        office={"trial_end": 20 * DAY},
        steps="link_card move_trial_end change_plan",
        why_not="It owes nothing.",
    ),
    "paused": Case(status="paused", steps="link_card change_plan", why_not="It owes nothing."),
    "past due, nothing tried": Case(status="past_due", office=CARD, invoice=LATE, steps="pay link_card", why_not=""),
    "past due without a card": Case(status="past_due", invoice=LATE, steps="link_card pay", why_not=NO_CARD),
    "past due, a debit under way": Case(
        status="past_due",
        office=CARD,
        invoice=LATE,
        payment={"status": "pending"},
        steps="",
        why_not="A payment is under way.",
    ),
    "past due, declined, and another card is on file now": Case(
        status="past_due",
        office=CARD,
        invoice=LATE,
        payment=declined("expired_card", card_last4="0069"),
        steps="pay link_card",
        why_not="",
    ),
    "sent and not due": Case(
        status="active",
        office=CARD,
        invoice=SENT | {"due_at": 5 * DAY},
        steps="change_plan",
        why_not="It is not due yet.",
    ),
    "past due, and what was sent is not due": Case(
        status="past_due",
        office=CARD,
        invoice=SENT | {"due_at": 5 * DAY},
        steps="send link_card",
        why_not="It is not due yet.",
    ),
    "sent and overdue": Case(
        status="active", office=CARD, invoice=SENT | {"due_at": -5 * DAY}, steps="pay link_card", why_not=""
    ),
    "sent and overdue, without a card": Case(
        status="active", invoice=SENT | {"due_at": -5 * DAY}, steps="link_card send pay", why_not=NO_CARD
    ),
    "canceled": Case(
        status="canceled", office=CARD, steps="withdraw_link subscribe payment_link", why_not="It owes nothing."
    ),
    "canceled with a debt": Case(status="canceled", office=CARD, invoice=LATE, steps="pay link_card", why_not=""),
    "unpaid": Case(status="unpaid", office=CARD, invoice=LATE, steps="pay link_card", why_not=""),
    "incomplete": Case(
        status="incomplete",
        office=CARD,
        invoice=LATE,
        steps="complete_payment end_waiting",
        why_not="Its first payment waits to be completed. Its page has the link.",
    ),
    "not settled": Case(
        status="past_due",
        office=CARD,
        invoice=LATE,
        operation="unknown",
        steps="",
        why_not="An operation of it is not settled yet.",
    ),
    "archived": Case(
        status="canceled",
        office=CARD | {"archived_at": -DAY},
        invoice=LATE,
        steps="unarchive",
        why_not="It is archived.",
    ),
    "deleted at Stripe": Case(
        status="canceled",
        office=CARD | {"customer_deleted_at": -DAY},
        invoice=LATE,
        steps="",
        why_not="Its customer was deleted at Stripe.",
    ),
} | {
    f"past due, declined: {code}": Case(
        status="past_due",
        office=CARD,
        invoice=LATE,
        payment=declined(code),
        steps="link_card pay" if code in NEEDS_PAYER else "pay link_card",
        why_not=f"{declines.of(code).says} Send it a link to add a card." if code in NEEDS_PAYER else "",
    )
    for code in (*declines.TABLE, "generic_decline")
}


def moments(values: dict[str, Any]) -> dict[str, Any]:
    return {key: clock.billing() + one if isinstance(one, timedelta) else one for key, one in values.items()}


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture
def made(db, case) -> Office:
    """The Office of the case, in the database."""
    office = an_office()
    now = clock.billing()
    subscription = {"payment_provider_subscription_id": "sub_1", "subscription_status": case.status}
    period = {"current_period_start": now - 10 * DAY, "current_period_end": now + 20 * DAY, "confirmed_at": now}
    given = {"currency": "usd", "payment_provider_customer_id": "cus_1"} | (
        subscription | period if case.status else {}
    )
    with trail.acting(actor.job("tests"), reason="tests"):
        for name, value in (given | moments(case.office)).items():
            setattr(office, name, value)
        office.balance_due = 19_900 if case.invoice else 0
        office.save()
        if case.status:
            Subscription.objects.create(
                office=office,
                stripe_id="sub_1",
                ticket=1,
                status=case.status,
                quantity=1,
                currency="usd",
                created_at=now - 10 * DAY,
                started_at=now - 10 * DAY,
            )
        if office.has_payment_method:
            PaymentMethod.objects.create(
                office=office, stripe_id="pm_1", ticket=1, brand="visa", last4="4242", is_default=True
            )
        if case.invoice:
            an_invoice(office, **moments(case.invoice))
        if case.payment:
            money = {"currency": "usd", "amount": 19_900, "created_at": now - DAY}
            Payment.objects.create(
                office=office, invoice=office.invoices.get(), stripe_id="ch_1", ticket=1, **money, **case.payment
            )
        if case.operation:
            Operation.objects.create(office=office, kind="update_customer", status=case.operation, lease_until=now)
    return office


def an_invoice(office: Office, **values: Any) -> Invoice:
    money = {"currency": "usd", "subtotal": 19_900, "total": 19_900, "amount_paid": 0, "amount_remaining": 19_900}
    given = {"status": "open", "attempt_count": 1, **money, **values}
    return Invoice.objects.create(office=office, stripe_id=f"in_{office.invoices.count()}", ticket=1, **given)


def state_of(office: Office) -> State:
    keys = [office.pk]
    return State(office, debts.first_of(keys).get(office.pk), office.pk in debts.with_unsettled(keys))


def test_the_steps_of_each_state_come_in_their_order(case, made):
    steps = next_steps.fitting(state_of(made), at=clock.billing())

    assert " ".join(steps) == case.steps


def test_a_bulk_act_charges_where_paying_is_the_first_step_and_says_why_not_elsewhere(case, made):
    judged = bulk.PAY.judge([made], {})[made.pk]

    why = judged.why if isinstance(judged, Cannot) else ""
    assert why == case.why_not
    assert (why == "") is (case.steps.split()[:1] == ["pay"])


def address(office: Office, step: str) -> str:
    if step in ("pay", "send"):
        return reverse(f"admin:billing_invoice_{step}", args=[office.invoices.get().pk])
    return reverse(f"admin:billing_office_{step}", args=[office.pk])


def test_the_page_and_the_worklist_lead_to_the_first_step(case, made):
    client = signed_in(a_person("adam@vendor.example", group=ADMINISTRATOR))
    steps = case.steps.split()

    beside = client.get(reverse("admin:billing_office_change", args=[made.pk])).context["buttons"]
    rows = client.get(reverse("admin:billing_followup_changelist"), {"whose": "all"}).context["rows"]

    offered = [one.page for one in beside]
    assert set(offered) <= {address(made, step) for step in steps}
    if steps and steps[0] != "withdraw_link":  # there is a link to withdraw only if one was made
        assert offered[0] == address(made, steps[0])
    assert [row["office"].pk for row in rows] == ([made.pk] if case.invoice and not made.archived_at else [])
    for row in rows:
        first = row["steps"][0]["page"]
        if steps[:1] == ["change_plan"] or not steps:
            assert first == f"{reverse('admin:billing_office_note', args=[made.pk])}?kind=call&from=worklist"
        else:
            assert first == address(made, steps[0])
            assert beside[0].title.startswith(row["steps"][0]["title"])


def test_of_several_debts_the_one_that_is_due_longest_is_paid_first(db):
    office, now = an_office(), clock.billing()
    with trail.acting(actor.job("tests"), reason="tests"):
        an_invoice(office, created_at=now - 30 * DAY, due_at=now + DAY, collection="send_invoice")
        late = an_invoice(office, created_at=now - 20 * DAY, finalised_at=now - 2 * DAY)
        an_invoice(office, created_at=now - 25 * DAY, due_at=now - DAY, collection="send_invoice")

    assert debts.first_of([office.pk])[office.pk].invoice == late
