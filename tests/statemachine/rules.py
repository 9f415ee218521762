"""What can happen, one function a rule: hypothesis draws what the decorator names, in any order and number.

A new operation needs one ``@asked`` here; what may go wrong with it comes by itself.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from hypothesis import strategies as st

from billing import clock
from billing.audit.actor import Actor
from billing.models import Invoice, Office
from billing.operations import (
    adjust_credit,
    apply_discount,
    archive_office,
    cancel_on_date,
    cancel_subscription,
    change_contact,
    change_subscription,
    charge_office,
    ensure_customer,
    issue_credit_note,
    mark_uncollectible,
    move_trial_end,
    pause_collection,
    pay_invoice,
    refund_payment,
    remove_discount,
    remove_payment_method,
    restart_period,
    resume_collection,
    resume_renewal,
    retry_invoice,
    send_invoice,
    set_default_payment_method,
    subscribe,
    unarchive_office,
    void_invoice,
)
from tests.conftest import price
from tests.statemachine.stage import COUPONS, NoneThere, Stage

Act = Callable[..., None]
Row = TypeVar("Row", bound=Model)
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

DAYS = st.integers(1, 45)
PARTLY = st.sampled_from([None, None, 1_000])
ON_INVOICES: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "pay": (pay_invoice, ("open", "uncollectible")),
    "retry": (retry_invoice, ("open",)),
    "send": (send_invoice, ("open",)),
    "void": (void_invoice, ("open", "uncollectible")),
    "write off": (mark_uncollectible, ("open",)),
}


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


@asked()
def take_the_cancellation_back(office: Office, by: Actor) -> None:
    resume_renewal(office, by=by, reason=WHY)


@asked(days=DAYS)
def end_on_a_date(office: Office, by: Actor, *, days: int) -> None:
    cancel_on_date(office, _in(days), by=by, reason=WHY)


@asked(become=st.sampled_from(["keep_as_draft", "void", "mark_uncollectible"]), days=st.none() | DAYS)
def pause(office: Office, by: Actor, *, become: Any, days: int | None) -> None:
    pause_collection(office, by=by, reason=WHY, invoices_become=become, until=_in(days) if days else None)


@asked()
def collect_again(office: Office, by: Actor) -> None:
    resume_collection(office, by=by, reason=WHY)


@asked(days=st.none() | DAYS)
def end_the_trial(office: Office, by: Actor, *, days: int | None) -> None:
    move_trial_end(office, _in(days) if days else None, by=by, reason=WHY)


@asked(credit=st.sampled_from(["now", "not_at_all"]))
def begin_a_period(office: Office, by: Actor, *, credit: Any) -> None:
    restart_period(office, by=by, reason=WHY, credit=credit)


@asked(code=st.sampled_from([*COUPONS, "UNKNOWN"]))
def give_a_discount(office: Office, by: Actor, *, code: str) -> None:
    apply_discount(office, code, by=by, reason=WHY)


@asked()
def take_the_discount(office: Office, by: Actor) -> None:
    remove_discount(office, by=by, reason=WHY)


@asked(amount=st.integers(1_000, 9_000), days=st.sampled_from([0, 0, 14]))
def charge_once(office: Office, by: Actor, *, amount: int, days: int) -> None:
    charge_office(office, by=by, reason=WHY, charge="training", amount=amount, days_until_due=days)


@asked(what=st.sampled_from(sorted(ON_INVOICES)))
def settle_an_invoice(office: Office, by: Actor, *, what: str) -> None:
    act, statuses = ON_INVOICES[what]
    found = office.invoices.filter(status__in=statuses, deleted_at=None)
    act(_newest(found if what != "send" else found.filter(collection=Invoice.Collection.SENT)), by=by, reason=WHY)


@asked(amount=PARTLY)
def give_a_payment_back(office: Office, by: Actor, *, amount: int | None) -> None:
    refund_payment(_newest(office.payments.filter(status="succeeded")), by=by, reason=WHY, amount=amount)


@asked(to=st.sampled_from(["due", "refund", "balance"]), amount=PARTLY)
def credit_an_invoice(office: Office, by: Actor, *, to: Any, amount: int | None) -> None:
    status = "open" if to == "due" else "paid"
    issue_credit_note(_newest(office.invoices.filter(status=status)), by=by, reason=WHY, to=to, amount=amount)


@asked(amount=st.sampled_from([5_000, 700, -1_200]))
def change_the_credit(office: Office, by: Actor, *, amount: int) -> None:
    adjust_credit(office, amount, by=by, reason=WHY)


@asked()
def choose_another_card(office: Office, by: Actor) -> None:
    others = office.payment_methods.filter(detached_at=None, is_default=False)
    set_default_payment_method(office, _newest(others), by=by, reason=WHY)


@asked()
def take_a_card_off(office: Office, by: Actor) -> None:
    remove_payment_method(office, _newest(office.payment_methods.filter(detached_at=None)), by=by, reason=WHY)


@asked(name=st.sampled_from(["A practice", "Another practice"]), locale=st.sampled_from(["en", "es"]))
def address_it_otherwise(office: Office, by: Actor, *, name: str, locale: str) -> None:
    change_contact(office, by=by, reason=WHY, name=name, billing_email="accounts@practice.example", locale=locale)


@asked()
def archive_or_bring_back(office: Office, by: Actor) -> None:
    (unarchive_office if office.archived_at else archive_office)(office, by=by, reason=WHY)


def _in(days: int) -> datetime:
    return clock.billing() + timedelta(days=days)


def _newest(rows: QuerySet[Row]) -> Row:
    """Raises: NoneThere."""
    found = rows.first()
    if found is None:
        raise NoneThere
    return found


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
