"""The Snapshot and its parts: one customer as it is at Stripe now, in frozen values. Times are aware UTC.

Amounts are minor units of the ``currency`` in the same object.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.discounts import Discount
from billing.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Card:
    """What tells a card or a bank account apart. ``brand`` of anything but a card is Stripe's word for its kind."""

    brand: str = ""
    last4: str = ""
    expires: str = ""

    @property
    def is_known(self) -> bool:
        return bool(self.brand or self.last4)


@dataclass(frozen=True, slots=True)
class PaymentMethodState:
    """A card or bank account that a customer has on file."""

    id: str
    card: Card


@dataclass(frozen=True, slots=True)
class Contact:
    """Name, e-mail address and language of a customer. Compared with our Office's, or taken over at its adoption."""

    name: str
    email: str
    locale: str


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer. ``credit`` is taken off the next invoices, in minor units of ``currency``.

    Below zero, it is added to them. ``currency`` is empty until the customer was invoiced or had credit.
    ``other_credits`` are those in other currencies, in minor units by currency, without zeros.
    """

    id: str
    deleted: bool
    office: str
    card: Card
    default_payment_method: PaymentMethodState | None
    credit: int
    currency: str
    other_credits: dict[str, int]
    operation: str
    test_clock: str
    redacted: dict[str, Any]

    def credit_in(self, currency: str) -> int:
        """Return the credit for invoices in this currency, in minor units. Below zero, it is a debt."""
        return self.credit if self.currency in ("", currency) else self.other_credits.get(currency, 0)


@dataclass(frozen=True, slots=True)
class ItemState:
    """An item of a subscription: a price, and how many of it are billed.

    ``unit_amount`` is None if what is billed cannot be told from the price. ``monthly_amount`` is then 0.
    """

    id: str
    price_id: str
    quantity: int
    currency: str
    unit_amount: int | None
    interval: str
    interval_count: int
    monthly_amount: int
    current_period_start: datetime | None
    current_period_end: datetime | None
    discounts: tuple[Discount, ...]


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """A subscription. Its period is that of the item that ends first. ``schedule`` is what manages it, if expanded."""

    id: str
    items: tuple[ItemState, ...]
    status: str
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
    schedule: Schedule | None
    card: Card
    operation: str
    redacted: dict[str, Any]

    @property
    def stripe_id(self) -> str:
        """Return its id under the name that our rows have for it."""
        return self.id


@dataclass(frozen=True, slots=True)
class InvoicePaymentState:
    """What pays an invoice or a part of it. It has a payment intent, a charge, or neither (paid outside of Stripe)."""

    id: str
    payment_intent_id: str
    charge_id: str
    status: str
    amount_paid: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class InvoiceState:
    id: str
    subscription_id: str
    payments: tuple[InvoicePaymentState, ...]
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
    starting_balance: int
    ending_balance: int | None
    overpaid: int
    auto_advance: bool
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
    """A charge. ``returned_at`` is when the bank sent back a debit that was on its way, and None for any other."""

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
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class AdjustmentState:
    """A refund, credit note or dispute. ``reason`` and ``outcome`` are our own words.

    ``taken_at`` and ``returned_at`` are when the bank moved the money of a dispute, and None for any other.
    """

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
    taken_at: datetime | None
    returned_at: datetime | None


@dataclass(frozen=True, slots=True)
class FraudWarningState:
    """A bank's early warning that a payment may be fraud. It is actionable until a refund in whole, or a dispute."""

    payment_id: str
    is_actionable: bool


@dataclass(frozen=True, slots=True)
class PreviewedInvoice:
    """A preview of an invoice. ``amount_due`` is what is charged: what remains after credit, with an earlier debt.
    ``is_whole``: all its lines are there.

    What is too little to be charged is not due. It is ``put_off``, and the next invoice asks for it. ``is_sent`` says
    that no card is charged: the customer pays the invoice until it is due. ``tax_within`` is the part of the tax that
    is within the prices. The rest of the tax is on top of them.
    """

    currency: str
    subtotal: int
    discount: int
    tax: int
    tax_within: int
    total: int
    amount_due: int
    put_off: int
    is_sent: bool
    period_start: datetime | None
    period_end: datetime | None
    lines: tuple[dict[str, Any], ...]
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class PriceState:
    """A recurring price. ``is_plain``: a fixed amount for each unit, by months or years, not by metered use."""

    id: str
    lookup_key: str
    active: bool
    product_id: str
    product_name: str
    product_active: bool
    currency: str
    unit_amount: int
    interval: str
    interval_count: int
    is_plain: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One customer as it is now, seen by a look with this ticket.

    ``missing`` are ids of invoices that Stripe does not have. ``detached`` are ids of cards that are no longer the
    customer's. ``schedules`` are those that have not started, or None if the look did not ask for them.
    """

    office_id: int
    ticket: int
    seen_at: datetime
    customer: CustomerState | None
    subscriptions: tuple[SubscriptionState, ...] = ()
    invoices: tuple[InvoiceState, ...] = ()
    payments: tuple[PaymentState, ...] = ()
    adjustments: tuple[AdjustmentState, ...] = ()
    fraud_warnings: tuple[FraudWarningState, ...] = ()
    missing: tuple[str, ...] = ()
    payment_methods: tuple[PaymentMethodState, ...] = ()
    detached: tuple[str, ...] = ()
    schedules: tuple[Schedule, ...] | None = None
