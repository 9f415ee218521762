"""What happened to the demo's Offices: who did what, and how long ago. ``demo.past`` plays it.

``Ago(13, 20)`` is 13 months and 20 days before the demo was made, so the same things happen in every demo.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.models import Office, PlanPrice
from billing.operations.engine.declaration import Declaration
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.refund import RefundPayment
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.collection import PauseCollection
from billing.operations.subscriptions.discounts import MakeDiscount
from billing.operations.subscriptions.start import StartSubscription

VISA, MASTERCARD, AMEX = "pm_card_visa", "pm_card_mastercard", "pm_card_amex"
ALWAYS = 1_000
"""Times that a card is declined: until there is another card."""


@dataclass(frozen=True, order=True)
class Ago:
    months: int
    days: int

    def before(self, now: datetime) -> datetime:
        """Return that moment, by the calendar. If the month has no such day, it is the last one."""
        count = now.year * 12 + now.month - 1 - self.months
        year, month = count // 12, count % 12 + 1
        day = min(now.day, calendar.monthrange(year, month)[1])
        return now.replace(year=year, month=month, day=day) - timedelta(days=self.days)


@dataclass(frozen=True)
class Asked:
    """An operation. ``make`` returns it, and the row that it is about."""

    says: str
    reason: str
    make: Callable[[Office], tuple[Declaration, object]]
    waits_for_approval: bool = False


@dataclass(frozen=True)
class Happened:
    """Something that nobody asked for here: the bank or the card network did it. ``path`` is of the control plane."""

    says: str
    path: Callable[[Office], str]
    body: Callable[[Office, datetime], dict[str, object]]


def starts(price: str, *, seats: int = 1, card: str = VISA, trial: int = 0) -> Asked:
    def make(office: Office) -> tuple[Declaration, object]:
        chosen = PlanPrice.objects.get(code=price)
        key = str(chosen.public_id)
        return StartSubscription(price=key, quantity=seats, trial_days=trial, payment_method=card), office

    return Asked("trial" if trial else "new", "signed up by phone", make)


def changes(*, seats: int | None = None, price: str = "") -> Asked:
    def make(office: Office) -> tuple[Declaration, object]:
        chosen = str(PlanPrice.objects.get(code=price).public_id) if price else None
        return ChangeSubscription(price=chosen, quantity=seats), office

    return Asked("change of seats" if seats else "change of plan", "office_asked", make)


def cancels(*, now: bool = False) -> Asked:
    return Asked("cancelled", "closing", lambda office: (CancelSubscription(at_period_end=not now), office))


def pauses() -> Asked:
    pause = PauseCollection(invoices_become="keep_as_draft")
    return Asked("paused", "agreed", lambda office: (pause, office))


def gets_discount(percent: int, months: int) -> Asked:
    discount = MakeDiscount(percent=percent, lasts="months", months=months)
    return Asked("discount", "agreed", lambda office: (discount, office))


def gets_credit(amount: int) -> Asked:
    return Asked("credit", "goodwill", lambda office: (AdjustCredit(amount=amount), office))


def waits_for_credit(amount: int) -> Asked:
    """``amount`` is above the limit for one person, so the credit waits for another."""
    return Asked("credit that waits for approval", "goodwill", gets_credit(amount).make, waits_for_approval=True)


def is_charged(what: str, amount: int) -> Asked:
    return Asked("one-off charge", "agreed", lambda office: (ChargeOffice(charge=what, amount=amount), office))


def is_refunded(amount: int | None = None) -> Asked:
    def make(office: Office) -> tuple[Declaration, object]:
        return RefundPayment(amount=amount), office.payments.filter(status="succeeded").latest("created_at")

    return Asked("refund", "goodwill", make)


def is_declined(times: int) -> Happened:
    def body(office: Office, now: datetime) -> dict[str, object]:
        customer = office.payment_provider_customer_id
        return {"outcome": "decline", "code": "insufficient_funds", "next": times, "customer": customer}

    return Happened("card without enough money", lambda office: "charges", body)


def disputes(reason: str) -> Happened:
    def path(office: Office) -> str:
        return f"charges/{office.payments.filter(status='succeeded').latest('created_at').stripe_id}/dispute"

    return Happened("dispute", path, lambda office, now: {"reason": reason})


def card_ends() -> Happened:
    def path(office: Office) -> str:
        return f"payment_methods/{office.payment_methods.get(is_default=True).stripe_id}/renew"

    return Happened("card that expires soon", path, lambda office, now: {"exp_month": now.month, "exp_year": now.year})


HISTORY: dict[str, tuple[tuple[Ago, Asked | Happened], ...]] = {
    "Maple Street Family Practice": (
        (Ago(13, 25), starts("practice-monthly")),
        (Ago(13, 24), is_charged("onboarding", 45_000)),
        (Ago(4, 9), is_charged("training", 30_000)),
        (Ago(0, 20), is_refunded(5_000)),
    ),
    "Birchwood Pediatrics": (
        (Ago(13, 18), starts("practice-monthly", card=MASTERCARD)),
        (Ago(8, 5), cancels()),
    ),
    "Harbor Pediatrics": (
        (Ago(13, 11), starts("seats-monthly", seats=3)),
        (Ago(10, 6), changes(seats=4)),
        (Ago(5, 17), changes(seats=6)),
    ),
    "Elm Park Dental": (
        (Ago(13, 2), starts("seats-monthly", seats=5, card=AMEX)),
        (Ago(6, 10), changes(seats=3)),
    ),
    "Northgate Dental": ((Ago(12, 22), starts("practice-yearly", card=MASTERCARD)),),
    "Hawthorn Eye Care": (
        (Ago(12, 8), starts("practice-monthly")),
        (Ago(7, 9), is_declined(1)),
    ),
    "Linden Physiotherapy": (
        (Ago(11, 12), starts("seats-monthly", seats=6)),
        (Ago(6, 20), is_declined(4)),
        (Ago(2, 20), starts("seats-monthly", seats=4, card=MASTERCARD)),
    ),
    "Old Mill Internal Medicine": (
        (Ago(11, 3), starts("practice-monthly")),
        (Ago(0, 1), cancels()),
    ),
    "Cedar Hill Orthopedics": (
        (Ago(10, 25), starts("seats-monthly", seats=8)),
        (Ago(8, 12), changes(seats=11)),
        (Ago(3, 4), changes(seats=14)),
    ),
    "Rowan Cardiology": (
        (Ago(10, 14), starts("seats-monthly", seats=2)),
        (Ago(4, 3), changes(price="practice-monthly")),
    ),
    "Aspen Sports Medicine": (
        (Ago(9, 3), starts("seats-monthly", seats=10)),
        (Ago(0, 2), disputes("product_not_received")),
    ),
    "Granite Peak Cardiology": (
        (Ago(8, 19), starts("practice-yearly")),
        (Ago(0, 1), waits_for_credit(75_000)),
    ),
    "Willow Women's Health": (
        (Ago(7, 4), starts("practice-monthly", card=MASTERCARD)),
        (Ago(0, 6), is_declined(ALWAYS)),
    ),
    "Sycamore Family Practice": (
        (Ago(7, 18), starts("practice-monthly")),
        (Ago(2, 12), is_refunded()),
        (Ago(0, 12), pauses()),
    ),
    "Magnolia Dermatology": (
        (Ago(6, 6), starts("practice-monthly", card=AMEX)),
        (Ago(6, 5), gets_discount(20, 3)),
        (Ago(1, 20), cancels(now=True)),
    ),
    "Cypress Allergy Clinic": (
        (Ago(5, 1), starts("seats-monthly", seats=7)),
        (Ago(2, 1), changes(seats=10)),
        (Ago(0, 5), card_ends()),
    ),
    "Hickory Internal Medicine": ((Ago(4, 17), starts("practice-yearly", trial=14)),),
    "Juniper Allergy Center": (
        (Ago(3, 10), starts("seats-monthly", seats=2)),
        (Ago(1, 15), gets_credit(4_900)),
        (Ago(0, 16), changes(seats=4)),
    ),
    "Poplar Orthopedics": ((Ago(2, 9), starts("seats-monthly", seats=12, card=MASTERCARD)),),
    "Laurel Women's Health": ((Ago(1, 12), starts("practice-monthly")),),
    "Alder Dental": ((Ago(0, 24), starts("seats-monthly", seats=5, trial=14)),),
    "Sunrise Physiotherapy": ((Ago(0, 18), starts("seats-monthly", seats=3, trial=30)),),
    "Lakeview Dermatology": ((Ago(0, 10), starts("practice-monthly", card="", trial=14)),),
}
