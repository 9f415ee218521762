"""What the page of an Office says first: its state and what is next, for each state that there is."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from billing.admin.office_page import months, next_acts, period
from billing.entitlement import Policy, entitlement
from billing.models import Invoice, Office, Operation, Payment, PaymentMethod, Plan, PlanPrice, Subscription
from billing.office_state.rows import PAYMENTS_READ, Rows
from billing.office_state.sentences import said

NOW = datetime(2026, 12, 29, 12, tzinfo=UTC)
BEGAN, ENDS = datetime(2026, 12, 28, 15, tzinfo=UTC), datetime(2027, 1, 28, 15, tzinfo=UTC)
TEAM = PlanPrice(
    plan=Plan(pk=2, name="Team"), currency="usd", unit_amount=4_900, interval="month", interval_count=1, per_seat=True
)
YEARLY = PlanPrice(
    plan=Plan(pk=1, name="Practice"), currency="usd", unit_amount=199_000, interval="year", interval_count=1
)
POLICY = Policy()
NUMBERS = count(1)


def an_office(status: str = "active", **columns: Any) -> Office:
    given = {
        "name": "Maple Street Family Practice",
        "currency": "usd",
        "credit_currency": "",
        "payment_provider_customer_id": "cus_1",
        "payment_provider_subscription_id": "sub_1" if status else "",
        "subscription_status": status,
        "current_period_start": BEGAN if status else None,
        "current_period_end": ENDS if status else None,
        "confirmed_at": NOW,
        "payment_method_brand": "visa",
        "payment_method_last4": "4242",
        "payment_method_expires": "2029-12",
    }
    return Office(pk=1, **(given | columns))


def a_subscription(status: str = "active", price: PlanPrice | None = TEAM, quantity: int = 16, **columns: Any) -> Any:
    given = {"stripe_id": "sub_1", "currency": "usd", "created_at": BEGAN, "monthly_amount": 78_400}
    row = Subscription(
        office=an_office(), status=status, plan_price=price, quantity=quantity, ticket=1, **(given | columns)
    )
    row.has_more_items = False  # type: ignore[attr-defined]  # as the page reads it
    return row


def an_invoice(**columns: Any) -> Invoice:
    given = {"status": "open", "currency": "usd", "subtotal": 78_400, "total": 78_400, "amount_paid": 0}
    given |= {"amount_remaining": 78_400, "created_at": BEGAN, "kind": "cycle", "number": "M-2"}
    return Invoice(pk=next(NUMBERS), ticket=1, **(given | columns))


def a_payment(status: str = "succeeded", at: datetime = BEGAN, **columns: Any) -> Payment:
    given = {"currency": "usd", "amount": 78_400, "card_brand": "visa", "card_last4": "4242"}
    return Payment(pk=next(NUMBERS), ticket=1, status=status, created_at=at, **(given | columns))


def words(office: Office, **rows: Any) -> str:
    rows.setdefault(
        "subscriptions", (a_subscription(office.subscription_status),) if office.subscription_status else ()
    )
    return said(Rows(office=office, **rows), POLICY, at=NOW).in_words


def owing(**columns: Any) -> Office:
    return an_office("past_due", past_due_since=BEGAN, balance_due=78_400, **columns)


UNPAID = an_invoice(next_payment_attempt=datetime(2026, 12, 31, 15, tzinfo=UTC))
REFUSED = a_payment("failed", invoice=UNPAID, decline_code="insufficient_funds")
TEAM_NOW = "Active on Team, 16 seats, 784.00 USD a month"
NO_ACCESS = "It has no access to the product."
STATES: dict[str, tuple[Office, dict[str, Any], str]] = {
    "none": (an_office(""), {}, "It has no subscription."),
    "active": (
        an_office(),
        {},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029.",
    ),
    "active by the year": (
        an_office(),
        {"subscriptions": (a_subscription(price=YEARLY, quantity=1),)},
        "Active on Practice, 1,990.00 USD a year; next charge on 28 January 2027; visa …4242 until 12/2029.",
    ),
    "active without a card": (
        an_office(payment_method_brand="", payment_method_last4="", payment_method_expires=""),
        {},
        f"{TEAM_NOW}; next charge on 28 January 2027; nothing is on file to charge.",
    ),
    "active with an expired card": (
        an_office(payment_method_expires="2026-11"),
        {"methods": (PaymentMethod(brand="visa", last4="4242", expires="2026-11", is_default=True),)},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242, which has expired.",
    ),
    "active until the period's end": (
        an_office(cancel_at=datetime(2027, 1, 28, 5, tzinfo=UTC)),  # midnight in New York
        {},
        f"{TEAM_NOW}; its last day is 27 January 2027, and nothing more is charged.",
    ),
    "active until a later day": (
        an_office(cancel_at=datetime(2027, 3, 1, 5, tzinfo=UTC)),
        {},
        f"{TEAM_NOW}; its last day is 28 February 2027; next charge on 28 January 2027; visa …4242 until 12/2029.",
    ),
    "paid by invoice": (
        an_office(),
        {"invoices": (an_invoice(status="paid", collection="send_invoice"),)},
        f"{TEAM_NOW}; next invoice on 28 January 2027; visa …4242 until 12/2029.",
    ),
    "an open invoice that is sent": (
        an_office(balance_due=78_400),
        {"asked_for": (an_invoice(collection="send_invoice", due_at=datetime(2027, 1, 11, 15, tzinfo=UTC)),)},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029. "
        "It owes 784.00 USD, due on 11 January 2027.",
    ),
    "collection paused": (
        an_office(collection_paused="keep_as_draft", collection_paused_until=datetime(2027, 2, 1, 5, tzinfo=UTC)),
        {},
        f"{TEAM_NOW}; visa …4242 until 12/2029. "
        "Collection is paused until 31 January 2027: new invoices stay drafts and can be charged later.",
    ),
    "collection paused until before the next invoice": (
        an_office(collection_paused="void", collection_paused_until=datetime(2027, 1, 15, 5, tzinfo=UTC)),
        {},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029. "
        "Collection is paused until 14 January 2027: new invoices become void and are never charged.",
    ),
    "credit": (
        an_office(credit_balance=2_500),
        {},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029. "
        "25.00 USD credit is taken off the next invoices.",
    ),
    "a debt on the balance": (
        an_office(credit_balance=-2_500),
        {},
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029. 25.00 USD owed with the next invoice.",
    ),
    "two live": (
        an_office(),
        {
            "subscriptions": (
                a_subscription(),
                a_subscription("trialing", price=YEARLY, quantity=1, stripe_id="sub_2"),
            )
        },
        f"{TEAM_NOW}; next charge on 28 January 2027; visa …4242 until 12/2029. "
        "2 subscriptions are live, and there should be one. Also live: Practice, 1,990.00 USD a year, trialing.",
    ),
    "in trial": (
        an_office("trialing", trial_end=ENDS),
        {},
        "In its trial of Team, 16 seats, 784.00 USD a month; the last day of the trial is 28 January 2027. "
        "Charged then: visa …4242 until 12/2029.",
    ),
    "in trial without a card": (
        an_office("trialing", trial_end=ENDS, payment_method_brand="", payment_method_last4=""),
        {},
        "In its trial of Team, 16 seats, 784.00 USD a month; the last day of the trial is 28 January 2027, "
        "and nothing is on file to charge.",
    ),
    "past due": (
        owing(),
        {"asked_for": (UNPAID,), "payments": (REFUSED,)},
        "Owes 784.00 USD since 28 December 2026: not enough money on visa …4242. "
        "Stripe tries again on 31 December 2026. It has access until 11 January 2027. "
        "It is subscribed to Team, 16 seats, 784.00 USD a month.",
    ),
    "past due, in the grace's last hours no longer": (
        owing(confirmed_at=datetime(2027, 1, 12, tzinfo=UTC)),
        {"asked_for": (an_invoice(),), "at": datetime(2027, 1, 12, tzinfo=UTC)},
        "Owes 784.00 USD since 28 December 2026. Stripe does not try again by itself. "
        f"{NO_ACCESS} It is subscribed to Team, 16 seats, 784.00 USD a month.",
    ),
    "past due, and money on its way": (
        owing(),
        {"asked_for": (an_invoice(),), "payments": (a_payment("pending", card_brand="us_bank_account"),)},
        "Owes 784.00 USD since 28 December 2026. 784.00 USD is on its way: the bank has not decided yet. "
        "Stripe does not try again by itself. It has access until 11 January 2027. "
        "It is subscribed to Team, 16 seats, 784.00 USD a month.",
    ),
    "an invoice that was sent is past due": (
        owing(),
        {"asked_for": (an_invoice(collection="send_invoice", due_at=BEGAN),)},
        "Owes 784.00 USD since 28 December 2026. It pays by invoice, due on 28 December 2026: Stripe charges nothing "
        "by itself. It has access until 11 January 2027. It is subscribed to Team, 16 seats, 784.00 USD a month.",
    ),
    "unpaid": (
        an_office("unpaid", past_due_since=BEGAN, balance_due=78_400, other_debts={"eur": 500}),
        {"asked_for": (an_invoice(),)},
        "Owes 784.00 USD and 5.00 EUR since 28 December 2026. Stripe has stopped trying, and new invoices stay drafts. "
        f"{NO_ACCESS} It is subscribed to Team, 16 seats, 784.00 USD a month.",
    ),
    "paused": (
        an_office("paused"),
        {},
        f"Paused: its trial ended, and nothing was on file to charge. {NO_ACCESS}",
    ),
    "canceled by a person": (
        an_office("canceled"),
        {
            "subscriptions": (a_subscription("canceled", ended_at=datetime(2026, 12, 20, 15, tzinfo=UTC)),),
            "ended_by": Operation(
                kind="cancel",
                actor_label="olive@vendor.example",
                reason="The practice closes",
                created_at=datetime(2026, 12, 2, 15, tzinfo=UTC),
            ),
        },
        f"It has no subscription: Team, 16 seats ended on 20 December 2026. {NO_ACCESS} "
        "olive@vendor.example canceled it on 2 December 2026: The practice closes",
    ),
    "canceled at Stripe, and still owing": (
        an_office("canceled", balance_due=78_400),
        {
            "subscriptions": (a_subscription("canceled", ended_at=datetime(2026, 12, 20, 15, tzinfo=UTC)),),
            "asked_for": (an_invoice(),),
        },
        f"It has no subscription: Team, 16 seats ended on 20 December 2026. {NO_ACCESS} "
        "Nobody canceled it here: it ended at Stripe, and an invoice was not paid. It still owes 784.00 USD.",
    ),
    "never begun": (
        an_office("incomplete_expired"),
        {},
        "It has no subscription: the first payment was not made in time, so the last one never began.",
    ),
    "waiting for the first payment": (
        an_office("incomplete", balance_due=78_400),
        {"asked_for": (an_invoice(kind="start"),)},
        "Waiting since 28 December 2026 for its first payment of 784.00 USD: Team, 16 seats. "
        f"If nobody pays within 23 hours after the start, it never begins. {NO_ACCESS} It owes 784.00 USD.",
    ),
    "archived": (
        an_office("", archived_at=BEGAN),
        {},
        "Archived since 28 December 2026: its members do not see it, and it cannot be billed.",
    ),
    "deleted at Stripe": (
        an_office("", customer_deleted_at=BEGAN),
        {},
        f"Its customer was deleted at Stripe on 28 December 2026. {NO_ACCESS}",
    ),
    "not settled": (
        an_office(""),
        {"operations": (Operation(kind="subscribe", status="unknown"),)},
        "It has no subscription. “Start a subscription” is not settled yet. Nothing else can begin before it is.",
    ),
    "a status of a later version": (
        an_office("dreaming"),
        {},
        f"Its status at Stripe is “dreaming”, which this version does not know. {NO_ACCESS}",
    ),
    "not seen since the period ended": (
        an_office(current_period_end=NOW - timedelta(hours=2), confirmed_at=NOW - timedelta(hours=3)),
        {},
        f"{TEAM_NOW}; next charge on 29 December 2026; visa …4242 until 12/2029. "
        "Stripe has not confirmed this period yet. It keeps its access until 1 January 2027, 05:00.",
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_an_office_says_its_state_and_what_is_next(state):
    office, rows, right = STATES[state]
    given = dict(rows)
    at = given.pop("at", NOW)
    live = (a_subscription(office.subscription_status),) if office.subscription_status else ()
    given.setdefault("subscriptions", live)

    assert said(Rows(office=office, **given), POLICY, at=at).in_words == right


@pytest.mark.django_db
def test_what_a_schedule_changes_later_is_said():
    phases = [
        {"starts_at": BEGAN.isoformat(), "items": [["price_a", 1]], "has_other_terms": False},
        {"starts_at": ENDS.isoformat(), "items": [["price_b", 1]], "has_other_terms": False},
    ]
    stored = {"id": "sub_sched_1", "phases": phases, "over_at": None, "cancels": False}
    present = a_subscription(schedule=stored)

    told = words(an_office(), subscriptions=(present,))

    assert "On 28 January 2027 (America/New_York) it changes to a price that is not one of our plans." in told


NO_CARD = {"payment_method_brand": "", "payment_method_last4": "", "payment_method_expires": ""}
FITTING: dict[str, tuple[Office, dict[str, Any], list[str]]] = {
    "none, with a card": (an_office(""), {}, ["withdraw_link", "subscribe", "payment_link"]),
    "none, without one": (an_office("", **NO_CARD), {}, ["withdraw_link", "payment_link", "subscribe"]),
    "canceled": (an_office("canceled"), {}, ["withdraw_link", "subscribe", "payment_link"]),
    "canceled, and owing": (an_office("canceled"), {"asked_for": (UNPAID,)}, ["pay", "link_card"]),
    "active": (an_office(), {}, ["change_plan"]),
    "active without a card": (an_office(**NO_CARD), {}, ["link_card", "change_plan"]),
    "active, and the card expires before the next charge": (
        an_office(payment_method_expires="2026-12"),
        {},
        ["link_card", "change_plan"],
    ),
    "active until the end": (an_office(cancel_at=ENDS), {}, ["resume_renewal", "change_plan"]),
    "not collected": (an_office(collection_paused="void"), {}, ["resume_collection", "change_plan"]),
    "in trial": (an_office("trialing", trial_end=ENDS), {}, ["move_trial_end", "change_plan"]),
    "past due": (owing(), {"asked_for": (UNPAID,)}, ["pay", "link_card"]),
    "past due without a card": (owing(**NO_CARD), {"asked_for": (UNPAID,)}, ["link_card", "pay"]),
    "past due, and money on its way": (
        owing(),
        {"asked_for": (UNPAID,), "payments": (a_payment("pending", invoice=UNPAID),)},
        [],
    ),
    "a sent invoice": (
        owing(**NO_CARD),
        {"asked_for": (an_invoice(collection="send_invoice"),)},
        ["link_card", "send", "pay"],
    ),
    "waiting": (an_office("incomplete"), {}, ["complete_payment", "end_waiting"]),
    "paused": (an_office("paused", **NO_CARD), {}, ["link_card", "change_plan"]),
    "archived": (an_office("", archived_at=BEGAN), {}, ["unarchive"]),
    "deleted at Stripe": (an_office("", customer_deleted_at=BEGAN), {}, []),
    "not settled": (an_office(), {"operations": (Operation(kind="cancel", status="open"),)}, []),
}


@pytest.mark.parametrize("state", FITTING)
def test_the_acts_that_fit_come_in_their_order(state):
    office, rows, right = FITTING[state]

    assert [one.name for one in next_acts.fitting(Rows(office=office, **rows), at=NOW)] == right


def the_bar(office: Office, **rows: Any) -> Any:
    return period.bar(Rows(office=office, **rows), entitlement(office, POLICY, at=NOW), at=NOW)


def test_the_bar_has_each_moment_of_an_office_that_owes_in_its_order():
    bar = the_bar(owing(), asked_for=(UNPAID,), payments=(REFUSED,))

    assert [(one.kind, one.day) for one in bar.marks] == [
        ("start", "28 Dec 2026"),
        ("failed", "28 Dec 2026"),
        ("now", "29 Dec 2026"),
        ("next", "31 Dec 2026"),
        ("access", "11 Jan 2027"),
        ("end", "28 Jan 2027"),
    ]
    # 14 of the 31 days have access
    assert (bar.marks[0].place, bar.marks[-1].place, bar.access) == (0, 1000, round(1000 * 14 / 31))


def test_the_bar_of_a_trial_ends_with_it():
    bar = the_bar(an_office("trialing", trial_end=ENDS))

    assert [one.kind for one in bar.marks] == ["start", "now", "trial", "end"]
    assert bar.access == 1000


@pytest.mark.parametrize("status", ["", "canceled", "incomplete"])
def test_there_is_no_bar_without_a_live_subscription(status):
    assert the_bar(an_office(status)) is None


def test_each_month_of_the_offices_zone_has_a_bar_and_the_last_is_the_present_one():
    in_new_york_still_november = datetime(2026, 12, 1, 3, tzinfo=UTC)
    payments = [
        a_payment(at=BEGAN),
        a_payment("failed", at=BEGAN - timedelta(days=1)),
        a_payment(at=in_new_york_still_november, amount=39_200, amount_refunded=100),
        a_payment(at=datetime(2025, 12, 31, 12, tzinfo=UTC)),  # 13 months ago
    ]

    [picture] = months.pictures(payments, "America/New_York", at=NOW)

    assert [one.first_day for one in picture.months][:2] == [date(2026, 1, 1), date(2026, 2, 1)]
    assert [one.height for one in picture.months] == [0] * 10 + [50, 100]
    assert picture.months[10].says == "November 2026: 392.00 USD paid, 1.00 USD of it given back"
    assert picture.months[11].says == "December 2026: 784.00 USD paid, 1 failed try"
    assert str(picture.total) == "1,176.00 USD"


def test_two_currencies_are_two_pictures():
    payments = [a_payment(), a_payment(currency="jpy", amount=5_000)]

    found = months.pictures(payments, "America/New_York", at=NOW)

    assert [str(one.total) for one in found] == ["5,000 JPY", "784.00 USD"]


def test_months_before_the_oldest_payment_that_was_read_are_not_shown_as_nothing():
    [picture] = months.pictures([a_payment()] * PAYMENTS_READ, "America/New_York", at=NOW)

    assert [one.is_known for one in picture.months] == [False] * 12
    assert "not shown" in picture.months[0].says
