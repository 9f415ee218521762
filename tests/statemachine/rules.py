"""What can happen, one function a rule: hypothesis draws what the decorator names, in any order and number.

A new operation needs one ``@asked`` here; what may go wrong with it comes by itself.
"""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from billing.audit.actor import Actor
from billing.models import Office
from billing.operations import cancel_subscription, change_subscription, ensure_customer, subscribe
from tests.conftest import price
from tests.statemachine.stage import Stage

Act = Callable[..., None]
Given = dict[str, st.SearchStrategy[Any]]
ASKED: dict[str, tuple[Act, Given]] = {}
AT_STRIPE: dict[str, tuple[Act, Given]] = {}
WHY = "the state machine asked for it"


def asked(**given: st.SearchStrategy[Any]) -> Callable[[Act], Act]:
    """Somebody asks us for this operation on one of the Offices."""

    def register(act: Act) -> Act:
        ASKED[act.__name__] = (act, given)
        return act

    return register


def at_stripe(**given: st.SearchStrategy[Any]) -> Callable[[Act], Act]:
    """Somebody does this past us: in Stripe's dashboard, or an Office on Stripe's pages."""

    def register(act: Act) -> Act:
        AT_STRIPE[act.__name__] = (act, given)
        return act

    return register


PRICES = st.sampled_from(["practice-monthly", "practice-yearly", "practice-euro", "seats-monthly"])
SEATS = st.integers(1, 5)
SETTLE = st.sampled_from(["now", "next_invoice", "not_at_all"])
CARDS = st.sampled_from(
    [
        "pm_card_visa",
        "pm_card_mastercard",
        "",
        "pm_card_chargeCustomerFail",
        "pm_card_authenticationRequired",
        "pm_card_chargeDeclined",
    ]
)


# --- what we are asked for


@asked()
def become_a_customer(office: Office, by: Actor) -> None:
    ensure_customer(office, by=by, reason=WHY)


@asked(code=PRICES, seats=SEATS, trial_days=st.sampled_from([0, 0, 1, 14]), card=CARDS)
def start(office: Office, by: Actor, *, code: str, seats: int, trial_days: int, card: str) -> None:
    quantity = seats if code == "seats-monthly" else 1
    subscribe(office, price(code), by=by, reason=WHY, quantity=quantity, trial_days=trial_days, payment_method=card)


@asked(seats=SEATS, settle=SETTLE)
def change_seats(office: Office, by: Actor, *, seats: int, settle: Any) -> None:
    change_subscription(office, by=by, reason=WHY, quantity=seats, settle=settle)


@asked(code=PRICES, seats=SEATS, settle=SETTLE)
def change_plan(office: Office, by: Actor, *, code: str, seats: int, settle: Any) -> None:
    quantity = seats if code == "seats-monthly" else 1
    change_subscription(office, by=by, reason=WHY, price=price(code), quantity=quantity, settle=settle)


@asked(at_period_end=st.booleans())
def cancel(office: Office, by: Actor, *, at_period_end: bool) -> None:
    cancel_subscription(office, by=by, reason=WHY, at_period_end=at_period_end)


# --- what happens at Stripe past us


@at_stripe(at_period_end=st.booleans())
def cancelled_in_the_dashboard(stage: Stage, customer: str, *, at_period_end: bool) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        if at_period_end:
            stage.posted(f"subscriptions/{one['id']}", cancel_at_period_end="true")
        else:
            stage.deleted(f"subscriptions/{one['id']}")


@at_stripe()
def taken_back_in_the_dashboard(stage: Stage, customer: str) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(f"subscriptions/{one['id']}", cancel_at_period_end="false")


@at_stripe(seats=SEATS)
def seats_changed_in_the_dashboard(stage: Stage, customer: str, *, seats: int) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(f"subscription_items/{one['items']['data'][0]['id']}", quantity=seats)


@at_stripe(deleted=st.sampled_from([False] * 7 + [True]))
def customer_changed_in_the_dashboard(stage: Stage, customer: str, *, deleted: bool) -> None:
    if deleted:
        stage.deleted(f"customers/{customer}")
    else:
        stage.posted(f"customers/{customer}", name="Another name")


@at_stripe(card=st.sampled_from(["pm_card_visa", "pm_card_chargeCustomerFail"]))
def another_card(stage: Stage, customer: str, *, card: str) -> None:
    if made := stage.posted(f"payment_methods/{card}/attach", customer=customer):
        stage.posted(f"customers/{customer}", **{"invoice_settings[default_payment_method]": made["id"]})


@at_stripe()
def card_taken_off(stage: Stage, customer: str) -> None:
    for one in stage.listed("payment_methods", customer=customer)[:1]:
        stage.posted(f"payment_methods/{one['id']}/detach")


@at_stripe(what=st.sampled_from(["pay", "void", "mark_uncollectible"]))
def open_invoice_settled(stage: Stage, customer: str, *, what: str) -> None:
    for one in stage.listed("invoices", customer=customer, status="open")[-1:]:
        stage.posted(f"invoices/{one['id']}/{what}")


@at_stripe(amount=st.integers(1_000, 9_000))
def billed_by_hand(stage: Stage, customer: str, *, amount: int) -> None:
    """A draft that is sent, or charged in an hour, or thrown away."""
    if draft := stage.posted("invoices", customer=customer, auto_advance="true"):
        stage.posted("invoiceitems", customer=customer, invoice=draft["id"], amount=amount, currency=draft["currency"])
        if amount % 3 == 0:
            stage.deleted(f"invoices/{draft['id']}")
        elif amount % 3 == 1:
            stage.posted(f"invoices/{draft['id']}/finalize")


@at_stripe(outcome=st.sampled_from(["decline", "authenticate"]), times=st.integers(1, 3))
def card_will_refuse(stage: Stage, customer: str, *, outcome: str, times: int) -> None:
    if not stage.is_deleted(customer):
        stage.stripe.control("charges", outcome=outcome, next=times, customer=customer)
