"""What can happen, one function for each rule. Hypothesis draws the decorator's arguments, in any order and number.

A new operation needs one ``@asked`` here. What may go wrong with it is added automatically.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from hypothesis import strategies as st

from billing import clock
from billing.audit.actor import Actor
from billing.models import Invoice, Office
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import OnInvoice
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
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
from tests.conftest import price, price_id
from tests.statemachine.stage import COUPONS, NoneThere, Stage

Act = Callable[..., None]
Row = TypeVar("Row", bound=Model)
Given = dict[str, st.SearchStrategy[Any]]
ASKED: dict[str, tuple[Act, Given]] = {}
AT_STRIPE: dict[str, tuple[Act, Given]] = {}
WHY = "the state machine asked for it"


def asked(**given: st.SearchStrategy[Any]) -> Callable[[Act], Act]:
    """Register an operation that somebody asks for on one of the Offices."""

    def register(act: Act) -> Act:
        ASKED[act.__name__] = (act, given)
        return act

    return register


def at_stripe(**given: st.SearchStrategy[Any]) -> Callable[[Act], Act]:
    """Register something that somebody does without us: in Stripe's dashboard, or an Office on Stripe's pages."""

    def register(act: Act) -> Act:
        AT_STRIPE[act.__name__] = (act, given)
        return act

    return register


PRICES = st.sampled_from(["practice-monthly", "practice-yearly", "practice-euro", "seats-monthly"])
ANY_PRICE = st.sampled_from(["practice-monthly", "practice-yearly", "seats-monthly", "special", "special"])
"""A price of ours by its code, or one that somebody made at Stripe."""
MOST_ITEMS = 3
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
ON_INVOICES: dict[str, tuple[type[OnInvoice], tuple[str, ...]]] = {
    "pay": (PayInvoice, ("open", "uncollectible")),
    "retry": (RetryInvoice, ("open",)),
    "send": (SendInvoice, ("open",)),
    "void": (VoidInvoice, ("open", "uncollectible")),
    "write off": (MarkUncollectible, ("open",)),
}


# --- what we are asked for


@asked()
def become_a_customer(office: Office, by: Actor) -> None:
    perform(EnsureCustomer(), office, by=by, reason=WHY)


@asked(code=PRICES, seats=SEATS, trial_days=st.sampled_from([0, 0, 1, 14]), card=CARDS)
def start(office: Office, by: Actor, *, code: str, seats: int, trial_days: int, card: str) -> None:
    quantity = seats if code == "seats-monthly" else 1
    perform(
        StartSubscription(price=price_id(code), quantity=quantity, trial_days=trial_days, payment_method=card),
        office,
        by=by,
        reason=WHY,
    )


@asked()
def end_the_waiting_one(office: Office, by: Actor) -> None:
    perform(EndWaitingSubscription(), office, by=by, reason=WHY)


@asked(seats=SEATS, settle=SETTLE)
def change_seats(office: Office, by: Actor, *, seats: int, settle: Any) -> None:
    perform(ChangeSubscription(quantity=seats, settle=settle), office, by=by, reason=WHY)


@asked(code=PRICES, seats=SEATS, settle=SETTLE)
def change_plan(office: Office, by: Actor, *, code: str, seats: int, settle: Any) -> None:
    quantity = seats if code == "seats-monthly" else 1
    perform(ChangeSubscription(price=price_id(code), quantity=quantity, settle=settle), office, by=by, reason=WHY)


@asked(at_period_end=st.booleans())
def cancel(office: Office, by: Actor, *, at_period_end: bool) -> None:
    perform(CancelSubscription(at_period_end=at_period_end), office, by=by, reason=WHY)


@asked()
def take_the_cancellation_back(office: Office, by: Actor) -> None:
    perform(ResumeRenewal(), office, by=by, reason=WHY)


@asked(days=DAYS)
def end_on_a_date(office: Office, by: Actor, *, days: int) -> None:
    perform(CancelOnDate(at=_in(days)), office, by=by, reason=WHY)


@asked(become=st.sampled_from(["keep_as_draft", "void", "mark_uncollectible"]), days=st.none() | DAYS)
def pause(office: Office, by: Actor, *, become: Any, days: int | None) -> None:
    perform(PauseCollection(invoices_become=become, until=_in(days) if days else None), office, by=by, reason=WHY)


@asked()
def collect_again(office: Office, by: Actor) -> None:
    perform(ResumeCollection(), office, by=by, reason=WHY)


@asked(days=st.none() | DAYS)
def end_the_trial(office: Office, by: Actor, *, days: int | None) -> None:
    perform(MoveTrialEnd(at=_in(days) if days else None), office, by=by, reason=WHY)


@asked(credit=st.sampled_from(["now", "not_at_all"]))
def begin_a_period(office: Office, by: Actor, *, credit: Any) -> None:
    perform(RestartPeriod(credit=credit), office, by=by, reason=WHY)


@asked(code=st.sampled_from([*COUPONS, "UNKNOWN"]))
def give_a_discount(office: Office, by: Actor, *, code: str) -> None:
    perform(ApplyDiscount(code=code), office, by=by, reason=WHY)


@asked(percent=st.sampled_from([None, 10]), months=st.sampled_from([None, 3]))
def make_a_discount(office: Office, by: Actor, *, percent: int | None, months: int | None) -> None:
    off = {"percent": percent} if percent else {"amount": 1_000}
    lasts = "months" if months else "once"
    perform(MakeDiscount(**off, lasts=lasts, months=months), office, by=by, reason=WHY)


@asked()
def take_the_discount(office: Office, by: Actor) -> None:
    perform(RemoveDiscount(), office, by=by, reason=WHY)


@asked(amount=st.integers(1_000, 9_000), days=st.sampled_from([0, 0, 14]))
def charge_once(office: Office, by: Actor, *, amount: int, days: int) -> None:
    perform(ChargeOffice(charge="training", amount=amount, days_until_due=days), office, by=by, reason=WHY)


@asked(what=st.sampled_from(sorted(ON_INVOICES)))
def settle_an_invoice(office: Office, by: Actor, *, what: str) -> None:
    act, statuses = ON_INVOICES[what]
    found = office.invoices.filter(status__in=statuses, deleted_at=None)
    if what == "send":
        found = found.filter(collection=Invoice.Collection.SENT)
    perform(act(), _newest(found), by=by, reason=WHY)


@asked(amount=PARTLY)
def give_a_payment_back(office: Office, by: Actor, *, amount: int | None) -> None:
    perform(RefundPayment(amount=amount), _newest(office.payments.filter(status="succeeded")), by=by, reason=WHY)


@asked(to=st.sampled_from(["due", "refund", "balance"]), amount=PARTLY)
def credit_an_invoice(office: Office, by: Actor, *, to: Any, amount: int | None) -> None:
    status = "open" if to == "due" else "paid"
    perform(IssueCreditNote(to=to, amount=amount), _newest(office.invoices.filter(status=status)), by=by, reason=WHY)


@asked(amount=st.sampled_from([5_000, 700, -1_200]))
def change_the_credit(office: Office, by: Actor, *, amount: int) -> None:
    perform(AdjustCredit(amount=amount), office, by=by, reason=WHY)


@asked()
def choose_another_card(office: Office, by: Actor) -> None:
    others = office.payment_methods.filter(detached_at=None, is_default=False)
    perform(SetDefaultPaymentMethod(card=key_of(_newest(others))), office, by=by, reason=WHY)


@asked()
def take_a_card_off(office: Office, by: Actor) -> None:
    perform(
        RemovePaymentMethod(card=key_of(_newest(office.payment_methods.filter(detached_at=None)))),
        office,
        by=by,
        reason=WHY,
    )


@asked(name=st.sampled_from(["A practice", "Another practice"]), locale=st.sampled_from(["en", "es"]))
def address_it_otherwise(office: Office, by: Actor, *, name: str, locale: str) -> None:
    perform(
        ChangeContact(name=name, billing_email="accounts@practice.example", locale=locale), office, by=by, reason=WHY
    )


@asked(what=st.sampled_from([OpenPortal, MakeCardLink, PreparePaymentMethod]))
def let_it_enter_a_card(office: Office, by: Actor, *, what: Any) -> None:
    perform(what(), office, by=by, reason=WHY)


@asked(code=PRICES, trial_days=st.sampled_from([0, 14]))
def link_to_start(office: Office, by: Actor, *, code: str, trial_days: int) -> None:
    perform(CreatePaymentLink(price=price_id(code), trial_days=trial_days), office, by=by, reason=WHY)


@asked()
def take_the_link_back(office: Office, by: Actor) -> None:
    perform(WithdrawPaymentLink(), office, by=by, reason=WHY)


@asked()
def archive_or_bring_back(office: Office, by: Actor) -> None:
    perform(UnarchiveOffice() if office.archived_at else ArchiveOffice(), office, by=by, reason=WHY)


def _in(days: int) -> datetime:
    return clock.billing() + timedelta(days=days)


def _newest(rows: QuerySet[Row]) -> Row:
    """Return the first row. Raises: NoneThere."""
    found = rows.first()
    if found is None:
        raise NoneThere
    return found


# --- what happens at Stripe without us


@at_stripe(at_period_end=st.booleans())
def cancelled_in_the_dashboard(stage: Stage, customer: str, *, at_period_end: bool) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        if at_period_end:
            stage.posted(f"subscriptions/{one['id']}", cancel_at_period_end="true")
        else:
            stage.deleted(f"subscriptions/{one['id']}")


@at_stripe(code=PRICES)
def begun_in_the_dashboard(stage: Stage, customer: str, *, code: str) -> None:
    """Begin a subscription that waits for 3-D Secure, unless there is one. With a fault nobody could see that."""
    if stage.has_trouble or stage.listed("subscriptions", customer=customer):
        return
    if method := stage.posted("payment_methods/pm_card_authenticationRequired/attach", customer=customer):
        item = {"items[0][price]": price(code).stripe_price_id}
        stage.posted("subscriptions", customer=customer, default_payment_method=method["id"], **item)


@at_stripe()
def taken_back_in_the_dashboard(stage: Stage, customer: str) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(f"subscriptions/{one['id']}", cancel_at_period_end="false")


@at_stripe(seats=st.integers(0, 5))
def seats_changed_in_the_dashboard(stage: Stage, customer: str, *, seats: int) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(f"subscription_items/{one['items']['data'][0]['id']}", quantity=seats)


@at_stripe(code=ANY_PRICE, quantity=st.integers(0, 2))
def item_added_in_the_dashboard(stage: Stage, customer: str, *, code: str, quantity: int) -> None:
    """Add another price, also one that is not ours. All items have the same interval: the local Stripe has no other."""
    for one in stage.listed("subscriptions", customer=customer):
        every = one["items"]["data"][0]["price"]["recurring"]["interval"]
        key, interval = stage.price_at_stripe(code)
        if interval == every and len(one["items"]["data"]) < MOST_ITEMS:
            stage.posted("subscription_items", subscription=one["id"], price=key, quantity=quantity)


@at_stripe()
def item_removed_in_the_dashboard(stage: Stage, customer: str) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        if len(one["items"]["data"]) > 1:
            stage.deleted(f"subscription_items/{one['items']['data'][0]['id']}")


@at_stripe()
def put_on_a_special_price_in_the_dashboard(stage: Stage, customer: str) -> None:
    for one in stage.listed("subscriptions", customer=customer):
        if len(one["items"]["data"]) == 1:
            key, _ = stage.price_at_stripe("special")
            stage.posted(f"subscription_items/{one['items']['data'][0]['id']}", price=key)


@at_stripe(code=PRICES, active=st.booleans())
def price_archived_or_brought_back(stage: Stage, customer: str, *, code: str, active: bool) -> None:
    key, _ = stage.price_at_stripe(code)
    stage.posted(f"prices/{key}", active=str(active).lower())


@at_stripe(coupon=st.sampled_from([*COUPONS, ""]))
def item_discounted_in_the_dashboard(stage: Stage, customer: str, *, coupon: str) -> None:
    given = {"discounts[0][coupon]": coupon} if coupon else {"discounts": ""}
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(f"subscription_items/{one['items']['data'][-1]['id']}", **given)


@at_stripe(days=st.sampled_from([0, 1, 14, None]))
def collected_otherwise_in_the_dashboard(stage: Stage, customer: str, *, days: int | None) -> None:
    """Let invoices be sent from now on, with this many days to pay, or charged."""
    sent = {"collection_method": "send_invoice", "days_until_due": days}
    for one in stage.listed("subscriptions", customer=customer):
        stage.posted(
            f"subscriptions/{one['id']}", **({"collection_method": "charge_automatically"} if days is None else sent)
        )


@at_stripe(within=st.booleans())
def taxed_in_the_dashboard(stage: Stage, customer: str, *, within: bool) -> None:
    """Let a tax be added to the prices, or be within them."""
    terms = {"display_name": "Tax", "percentage": 7.5, "inclusive": str(within).lower()}
    if rate := stage.posted("tax_rates", **terms):
        for one in stage.listed("subscriptions", customer=customer):
            stage.posted(f"subscriptions/{one['id']}", **{"default_tax_rates[0]": rate["id"]})


@at_stripe(amount=st.sampled_from([1_500, 30_000, -2_000]))
def balance_changed_in_the_dashboard(stage: Stage, customer: str, *, amount: int) -> None:
    """Put a debt on the balance, or below zero a credit."""
    stage.posted(f"customers/{customer}/balance_transactions", amount=amount, currency="usd")


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


@at_stripe(outside=st.booleans())
def open_invoice_paid_otherwise(stage: Stage, customer: str, *, outside: bool) -> None:
    """Pay an open invoice outside of Stripe, or by another payment than its own."""
    for one in stage.listed("invoices", customer=customer, status="open")[-1:]:
        if outside:
            stage.posted(f"invoices/{one['id']}/pay", paid_out_of_band="true")
            continue
        terms = {"customer": customer, "amount": one["amount_remaining"], "currency": one["currency"]}
        if paid := stage.posted("payment_intents", **terms, payment_method="pm_card_visa", confirm="true"):
            stage.posted(f"invoices/{one['id']}/attach_payment", payment_intent=paid["id"])


@at_stripe(amount=st.integers(1_000, 9_000), currency=st.sampled_from(["", "", "eur", "jpy"]))
def billed_by_hand(stage: Stage, customer: str, *, amount: int, currency: str) -> None:
    """Make a draft, in some currency, that is sent, charged in an hour, or deleted."""
    given = {"currency": currency} if currency else {}
    if draft := stage.posted("invoices", customer=customer, auto_advance="true", **given):
        stage.posted("invoiceitems", customer=customer, invoice=draft["id"], amount=amount, currency=draft["currency"])
        if amount % 3 == 0:
            stage.deleted(f"invoices/{draft['id']}")
        elif amount % 3 == 1:
            stage.posted(f"invoices/{draft['id']}/finalize")


@at_stripe(outcome=st.sampled_from(["decline", "authenticate"]), times=st.integers(1, 3))
def card_will_refuse(stage: Stage, customer: str, *, outcome: str, times: int) -> None:
    if not stage.is_deleted(customer):
        stage.stripe.control("charges", outcome=outcome, next=times, customer=customer)
