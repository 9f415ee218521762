"""StripeObject → Snapshot: what one customer looks like at Stripe now, in frozen values of ours.

Only here are Stripe's epochs converted. What we must not keep (names, addresses, e-mail, fingerprints,
free text) is dropped here: the dataclasses have no field for it, and ``redacted`` keeps a short list.
Source: https://docs.stripe.com/api
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from stripe import StripeObject

from billing import invoice_lines
from billing.discounts import Discount
from billing.money import Money
from billing.stripe_api import outbound

KINDS = {
    "subscription_create": "start",
    "subscription_cycle": "cycle",
    "subscription_update": "change",
    "manual": "one_off",
}


@dataclass(frozen=True, slots=True)
class Card:
    brand: str = ""
    last4: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True)
class PaymentMethodState:
    """A card that a customer has on file."""

    id: str
    card: Card


@dataclass(frozen=True, slots=True)
class CustomerState:
    """``credit`` is what the next invoices take off, in minor units; below zero, what they add."""

    id: str
    deleted: bool
    office: str
    card: Card
    default_payment_method: PaymentMethodState | None
    credit: int
    operation: str
    test_clock: str
    redacted: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    id: str
    item_id: str
    status: str
    price_id: str
    quantity: int
    currency: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    current_period_start: datetime | None
    current_period_end: datetime | None
    billing_cycle_anchor: datetime | None
    trial_end: datetime | None
    cancel_at: datetime | None
    cancels_at_period_end: bool
    collection_paused: str
    collection_paused_until: datetime | None
    discounts: tuple[Discount, ...]
    card: Card
    operation: str
    redacted: dict[str, Any]


@dataclass(frozen=True, slots=True)
class InvoiceState:
    id: str
    subscription_id: str
    payment_intent_id: str
    number: str
    status: str
    kind: str
    collection: str
    currency: str
    subtotal: int
    discount: int
    tax: int
    total: int
    amount_paid: int
    amount_remaining: int
    paid_elsewhere: int
    credited_before_payment: int
    credited_after_payment: int
    attempt_count: int
    next_payment_attempt: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    created_at: datetime
    due_at: datetime | None
    finalised_at: datetime | None
    paid_at: datetime | None
    voided_at: datetime | None
    uncollectible_at: datetime | None
    operation: str
    lines: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class PaymentState:
    id: str
    payment_intent_id: str
    status: str
    currency: str
    amount: int
    amount_refunded: int
    disputed: bool
    failure_code: str
    decline_code: str
    card: Card
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AdjustmentState:
    """A refund, credit note or dispute; ``reason`` and ``outcome`` are words of ours."""

    kind: str
    id: str
    payment_id: str
    invoice_id: str
    operation: str
    status: str
    currency: str
    amount: int
    reason: str
    failure_code: str
    created_at: datetime
    due_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True)
class PreviewedInvoice:
    """An invoice that would be. Amounts are minor units of ``currency``; ``amount_due`` is after credit."""

    currency: str
    subtotal: int
    discount: int
    tax: int
    total: int
    amount_due: int
    period_start: datetime | None
    period_end: datetime | None
    lines: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The present of one customer, seen by a look with this ticket. ``missing`` are ids that Stripe denied,
    ``detached`` cards that are no longer the customer's."""

    office_id: int
    ticket: int
    seen_at: datetime
    customer: CustomerState | None
    subscriptions: tuple[SubscriptionState, ...] = ()
    invoices: tuple[InvoiceState, ...] = ()
    payments: tuple[PaymentState, ...] = ()
    adjustments: tuple[AdjustmentState, ...] = ()
    missing: tuple[str, ...] = ()
    payment_methods: tuple[PaymentMethodState, ...] = ()
    detached: tuple[str, ...] = ()


def plain(value: StripeObject) -> dict[str, Any]:
    """Nested dicts and lists."""
    return value.to_dict()


def when(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, UTC) if epoch else None


def moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def identity(value: Any) -> str:
    """The id of an object that may be expanded, absent, or an id."""
    if isinstance(value, dict):
        return str(value.get("id") or "")
    return value or ""


def customer(source: StripeObject) -> CustomerState:
    data = plain(source)
    method = (data.get("invoice_settings") or {}).get("default_payment_method")
    default = payment_method(method) if isinstance(method, dict) and method.get("card") else None
    keep = ("id", "object", "created", "livemode", "currency", "delinquent", "balance", "metadata", "deleted")
    return CustomerState(
        id=data["id"],
        deleted=bool(data.get("deleted")),
        office=(data.get("metadata") or {}).get("office", ""),
        card=default.card if default else Card(),
        default_payment_method=default,
        credit=-(data.get("balance") or 0),  # Stripe's balance is what the customer owes
        operation=(data.get("metadata") or {}).get("operation", ""),
        test_clock=identity(data.get("test_clock")),
        redacted={key: data[key] for key in keep if key in data} | {"metadata": ours(data)},
    )


def payment_method(data: dict[str, Any]) -> PaymentMethodState:
    return PaymentMethodState(data["id"], card(data.get("card")))


def ours(data: dict[str, Any]) -> dict[str, str]:
    """Our own keys of an object's metadata; what somebody typed there in the dashboard is dropped."""
    return {key: value for key, value in (data.get("metadata") or {}).items() if key in outbound.METADATA}


def card(data: dict[str, Any] | None) -> Card:
    if not data:
        return Card()
    month, year = data.get("exp_month"), data.get("exp_year")
    return Card(
        brand=data.get("brand") or "",
        last4=data.get("last4") or "",
        expires=f"{year:04}-{month:02}" if month and year else "",
    )


def subscription(source: StripeObject | dict[str, Any]) -> SubscriptionState:
    data = source if isinstance(source, dict) else plain(source)
    items = data["items"]["data"]
    item = items[0] if items else {}
    price = item.get("price") or {}
    keep = ("id", "object", "status", "created", "livemode", "currency", "metadata", "cancel_at", "ended_at")
    pause, method = data.get("pause_collection") or {}, data.get("default_payment_method")
    cancel_at = when(data.get("cancel_at"))
    if cancel_at is None and data.get("cancel_at_period_end"):
        cancel_at = when(item.get("current_period_end"))
    return SubscriptionState(
        id=data["id"],
        item_id=item.get("id") or "",
        status=data["status"],
        price_id=identity(price),
        quantity=item.get("quantity") or 1,
        currency=data["currency"],
        created_at=datetime.fromtimestamp(data["created"], UTC),
        started_at=when(data.get("start_date")),
        ended_at=when(data.get("ended_at")),
        current_period_start=when(item.get("current_period_start")),
        current_period_end=when(item.get("current_period_end")),
        billing_cycle_anchor=when(data.get("billing_cycle_anchor")),
        trial_end=when(data.get("trial_end")),
        cancel_at=cancel_at,
        cancels_at_period_end=bool(data.get("cancel_at_period_end")),
        collection_paused=pause.get("behavior") or "",
        collection_paused_until=when(pause.get("resumes_at")),
        discounts=tuple(discount(one) for one in data.get("discounts") or [] if isinstance(one, dict)),
        card=card(method.get("card") if isinstance(method, dict) else None),
        operation=(data.get("metadata") or {}).get("operation", ""),
        redacted={key: data[key] for key in keep if key in data}
        | {"customer": identity(data["customer"]), "metadata": ours(data)},
    )


def discount(data: dict[str, Any]) -> Discount:
    """A coupon that was redeemed, where it is expanded. Its name is dropped: somebody typed it at Stripe."""
    source = (data.get("source") or {}).get("coupon")
    return replace(coupon(source if isinstance(source, dict) else {}), until=when(data.get("end")))


def coupon(data: dict[str, Any]) -> Discount:
    percent = data.get("percent_off")
    return Discount(
        percent=None if percent is None else Decimal(str(percent)),
        amount=Money(data.get("amount_off") or 0, data.get("currency") or ""),
        duration=data.get("duration") or "",
        months=data.get("duration_in_months"),
    )


def invoice(data: dict[str, Any]) -> InvoiceState:
    parent = (data.get("parent") or {}).get("subscription_details") or {}
    transitions = data.get("status_transitions") or {}
    payments = (data.get("payments") or {}).get("data") or []
    default = next((one for one in payments if one.get("is_default")), payments[0] if payments else {})
    lines = tuple(line(one) for one in (data.get("lines") or {}).get("data") or [])
    period_start, period_end = _period(lines)
    return InvoiceState(
        id=data["id"],
        subscription_id=identity(parent.get("subscription")),
        payment_intent_id=identity((default.get("payment") or {}).get("payment_intent")),
        number=data.get("number") or "",
        status=data.get("status") or "draft",
        kind=KINDS.get(data.get("billing_reason") or "", "other"),
        collection=data.get("collection_method") or "charge_automatically",
        currency=data["currency"],
        subtotal=data["subtotal"],
        discount=sum(one["amount"] for one in data.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in data.get("total_taxes") or []),
        total=data["total"],
        amount_paid=data["amount_paid"],
        amount_remaining=data["amount_remaining"],
        paid_elsewhere=data.get("amount_paid_off_stripe") or 0,
        credited_before_payment=data.get("pre_payment_credit_notes_amount") or 0,
        credited_after_payment=data.get("post_payment_credit_notes_amount") or 0,
        attempt_count=data.get("attempt_count") or 0,
        next_payment_attempt=when(data.get("next_payment_attempt")),
        period_start=period_start or when(data.get("period_start")),
        period_end=period_end or when(data.get("period_end")),
        created_at=datetime.fromtimestamp(data["created"], UTC),
        due_at=when(data.get("due_date")),
        finalised_at=when(transitions.get("finalized_at")),
        paid_at=when(transitions.get("paid_at")),
        voided_at=when(transitions.get("voided_at")),
        uncollectible_at=when(transitions.get("marked_uncollectible_at")),
        operation=(data.get("metadata") or {}).get("operation", ""),
        lines=lines,
    )


def _period(lines: tuple[dict[str, Any], ...]) -> tuple[datetime | None, datetime | None]:
    """What the lines are for; Stripe's own period of an invoice is the one that was used before it."""
    starts = [one["period_start"] for one in lines if one["period_start"]]
    ends = [one["period_end"] for one in lines if one["period_end"]]
    return min(starts, default=None), max(ends, default=None)


def previewed(data: dict[str, Any]) -> PreviewedInvoice:
    return PreviewedInvoice(
        currency=data["currency"],
        subtotal=data["subtotal"],
        discount=sum(one["amount"] for one in data.get("total_discount_amounts") or []),
        tax=sum(one["amount"] for one in data.get("total_taxes") or []),
        total=data["total"],
        amount_due=data["amount_due"],
        period_start=when(data.get("period_start")),
        period_end=when(data.get("period_end")),
        lines=tuple(line(one) for one in (data.get("lines") or {}).get("data") or []),
    )


def line(data: dict[str, Any]) -> dict[str, Any]:
    """One invoice line: its price or neutral charge, and its period; ``billing.invoice_lines`` makes the words."""
    details = ((data.get("pricing") or {}).get("price_details")) or {}
    period = data.get("period") or {}
    parent = data.get("parent") or {}
    source = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    charge = (data.get("metadata") or {}).get("charge", "")
    taxes = data.get("taxes") or []
    return {
        "charge": charge if charge in invoice_lines.CATALOGUE else "",
        "tax": sum(one["amount"] for one in taxes),
        "tax_on_top": sum(one["amount"] for one in taxes if one.get("tax_behavior") != "inclusive"),
        "price": identity(details.get("price")),
        "quantity": data.get("quantity"),
        "amount": data["amount"],
        "proration": bool(source.get("proration")),
        "period_start": when(period.get("start")),
        "period_end": when(period.get("end")),
    }


def payment(data: dict[str, Any]) -> PaymentState:
    """A charge: one attempt to collect."""
    details = data.get("payment_method_details") or {}
    outcome = data.get("outcome") or {}
    return PaymentState(
        id=data["id"],
        payment_intent_id=identity(data.get("payment_intent")),
        status=data["status"],
        currency=data["currency"],
        amount=data["amount"],
        amount_refunded=data["amount_refunded"],
        disputed=bool(data.get("disputed")),
        failure_code=data.get("failure_code") or "",
        decline_code=(outcome.get("reason") or "") if data["status"] == "failed" else "",
        card=card(details.get("card")),
        created_at=datetime.fromtimestamp(data["created"], UTC),
    )
