"""Invoices, and the payments that are attempts to collect them. Amounts are minor units of ``currency``."""

import uuid

from django.db import models

from billing import declines, method_names
from billing.declines import Decline
from billing.models.expressions import Constant
from billing.models.statuses import COLLECTABLE, InvoicePaymentStatus, InvoiceStatus, PaymentStatus
from billing.money import Money

OWED = models.Q(status=Constant(InvoiceStatus.OPEN), deleted_at=None, amount_remaining__gt=Constant(0))
"""The condition for invoices that wait to be paid. Invoices that are written off are not included."""
_OF_INDEX = models.Q(status=InvoiceStatus.OPEN, deleted_at=None, amount_remaining__gt=0)
"""The same, as an index says it."""

STAYS_A_DRAFT = models.Q(
    status=InvoiceStatus.DRAFT, deleted_at=None, auto_advance=False, subscription__isnull=False, amount_remaining__gt=0
)
"""The condition for a subscription's drafts that Stripe does not finalise by itself, such as of one that is unpaid."""


class Invoice(models.Model):
    class Kind(models.TextChoices):
        START = "start", "Start of a subscription"
        CYCLE = "cycle", "Renewal"
        CHANGE = "change", "Change of a subscription"
        ONE_OFF = "one_off", "One-off charge"
        OTHER = "other", "Other"

    class Collection(models.TextChoices):
        CHARGED = "charge_automatically", "Charged automatically"
        SENT = "send_invoice", "Sent, to be paid until it is due"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="invoices")
    subscription = models.ForeignKey(
        "billing.Subscription", null=True, on_delete=models.PROTECT, related_name="invoices"
    )
    stripe_id = models.CharField(max_length=255, unique=True)
    ticket = models.BigIntegerField()
    payment_intent_id = models.CharField(max_length=255, blank=True, db_index=True)
    number = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=20)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.OTHER)
    collection = models.CharField(max_length=20, choices=Collection.choices, default=Collection.CHARGED)
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    amount_paid = models.BigIntegerField()
    amount_remaining = models.BigIntegerField()
    paid_elsewhere = models.BigIntegerField(default=0, help_text="Of what is paid, what did not come through Stripe")
    credited_before_payment = models.BigIntegerField(default=0, help_text="Credit notes that lowered what was due")
    credited_after_payment = models.BigIntegerField(default=0, help_text="Credit notes on what was paid already")
    starting_balance = models.BigIntegerField(
        db_default=0, help_text="The customer's balance before it; above zero, a debt that was added to what is due"
    )
    ending_balance = models.BigIntegerField(null=True, help_text="The balance after it; empty while it is a draft")
    overpaid = models.BigIntegerField(
        null=True,
        help_text="Paid beyond what was due, and kept as credit; empty if it was last seen before this was kept",
    )
    auto_advance = models.BooleanField(
        null=True,
        help_text="Stripe finalises and collects it by itself; empty if it was last seen before this was kept",
    )
    attempt_count = models.PositiveIntegerField(default=0)
    next_payment_attempt = models.DateTimeField(null=True)
    period_start = models.DateTimeField(null=True, help_text="Of the service that the lines are for")
    period_end = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    finalised_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)
    uncollectible_at = models.DateTimeField(null=True)
    lines = models.JSONField(default=list, help_text="In our own words: billing.invoice_lines")
    deleted_at = models.DateTimeField(null=True)
    reconciled_at = models.DateTimeField(null=True, help_text="Last seen in Stripe's lists of invoices")

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "created_at"], name="invoice_of_office"),
            models.Index(fields=["office", "status"], name="invoice_by_status"),
            models.Index(fields=["created_at", "id"], name="invoice_by_time"),
            models.Index(fields=["number"], name="invoice_by_number", opclasses=["varchar_pattern_ops"]),
            models.Index(fields=["status", "created_at"], name="invoice_of_status_by_time"),
            models.Index(
                # all that lists of debts read, so that they read no row
                fields=[
                    *("status", "deleted_at", "office", "collection", "due_at", "finalised_at", "created_at"),
                    *("currency", "amount_remaining"),
                ],
                name="invoice_owed_since",
                condition=_OF_INDEX,
            ),
        ]

    def __str__(self) -> str:
        return self.number or "draft invoice"

    @property
    def money(self) -> Money:
        return Money(self.total, self.currency)

    @property
    def remaining(self) -> Money:
        """Return what is still to be paid. On a void invoice this is nothing, whatever Stripe's number says."""
        return Money(0 if self.status == InvoiceStatus.VOID else self.amount_remaining, self.currency)

    @property
    def overpayment(self) -> Money:
        """Return what was paid beyond what was due. Stripe keeps it as the customer's credit.

        Source: https://docs.stripe.com/api/invoices/object#invoice_object-amount_overpaid
        """
        return Money(0 if self.overpaid is None else self.overpaid, self.currency)

    @property
    def overpaid_in_words(self) -> str:
        """Return "" if no more was paid than was due."""
        over = self.overpayment
        return f"{over} more was paid than was due, kept as credit" if over.amount else ""

    @property
    def tax_within(self) -> int:
        """Return the part of the tax that the amounts of the lines include already. The rest is on top of them.

        Source: https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior#tax-behavior
        """
        on_top = self.total - sum(line["amount"] for line in self.lines) + self.discount
        return self.tax - min(max(on_top, 0), self.tax)

    @property
    def is_collectible(self) -> bool:
        """Return whether it can still be paid."""
        return self.status in COLLECTABLE and self.deleted_at is None

    @property
    def is_open(self) -> bool:
        """Return whether it waits to be paid and is not written off."""
        return self.status == InvoiceStatus.OPEN and self.deleted_at is None

    @property
    def is_owed(self) -> bool:
        """Return whether something of it is owed: ``OWED``."""
        return self.is_open and self.amount_remaining > 0

    @property
    def stays_a_draft(self) -> bool:
        """Return whether it is asked for only if a person pays it: ``STAYS_A_DRAFT``.

        Source: https://docs.stripe.com/billing/subscriptions/overview#unpaid-subscriptions
        """
        is_draft = self.status == InvoiceStatus.DRAFT and self.deleted_at is None and self.auto_advance is False
        return is_draft and self.subscription_id is not None and self.amount_remaining > 0

    @property
    def payment_under_way(self) -> "Payment | None":
        """Return a payment of it about which the bank has not decided yet. A debit from a bank account takes days."""
        return self.payments.filter(status=PaymentStatus.PENDING).first()

    @property
    def has_attached_payment(self) -> bool:
        """Return whether somebody attached a payment to it at Stripe that can still pay it, apart from its own."""
        return self.invoice_payments.filter(status=InvoicePaymentStatus.OPEN, is_default=False).exists()

    @property
    def to_balance(self) -> int:
        """Return by how many minor units the customer's balance changed what was due of it.

        Above zero, a debt on the balance was added to what was due, or the invoice gave credit. Below zero, credit
        paid a part of it, or what was due was put on the balance as a debt. A draft has not changed the balance.
        """
        return self.amount_paid + self.amount_remaining + self.credited_before_payment - self.total


class InvoicePayment(models.Model):
    """What pays an invoice or a part of it: a payment intent, a charge, or money that came outside of Stripe.

    An invoice can have several of them: a card was refused, and another payment paid.
    Source: https://docs.stripe.com/api/invoice-payment/object
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="invoice_payments")
    stripe_id = models.CharField(max_length=255, unique=True)
    payment_intent_id = models.CharField(max_length=255, blank=True, db_index=True)
    charge_id = models.CharField(max_length=255, blank=True, db_index=True)
    status = models.CharField(max_length=20)
    amount_paid = models.BigIntegerField(help_text="Minor units of the invoice's currency")
    is_default = models.BooleanField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"payment of {self.invoice} ({self.status})"

    @property
    def money(self) -> Money:
        return Money(self.amount_paid, self.invoice.currency)

    @property
    def is_outside_stripe(self) -> bool:
        return not self.payment_intent_id and not self.charge_id

    @property
    def newest_attempt(self) -> "Payment | None":
        """Return the newest attempt to collect it. None: there was none, or it came outside of Stripe. One query."""
        named = models.Q(stripe_id=self.charge_id) if self.charge_id else models.Q()
        if self.payment_intent_id:
            named |= models.Q(payment_intent_id=self.payment_intent_id)
        return None if self.is_outside_stripe else Payment.objects.filter(named, office=self.invoice.office_id).first()

    @property
    def paid_with(self) -> str:
        """Return what pays it, in words. "" if nothing was tried yet."""
        if self.is_outside_stripe:
            return "outside Stripe"
        attempt = self.newest_attempt
        return attempt.paid_with if attempt else ""


class Payment(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(Invoice, null=True, on_delete=models.PROTECT, related_name="payments")
    stripe_id = models.CharField(max_length=255, unique=True)
    ticket = models.BigIntegerField()
    payment_intent_id = models.CharField(max_length=255, blank=True, db_index=True)
    status = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    amount_refunded = models.BigIntegerField(default=0)
    disputed = models.BooleanField(default=False)
    failure_code = models.CharField(max_length=100, blank=True)
    decline_code = models.CharField(max_length=100, blank=True)
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    created_at = models.DateTimeField()
    returned_at = models.DateTimeField(
        null=True, help_text="When the bank sent back a debit; empty if it answered at once or has not answered"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "created_at"], name="payment_of_office"),
            models.Index(fields=["created_at", "id"], name="payment_by_time"),
            models.Index(fields=["status", "created_at", "id"], name="payment_of_status_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.money} ({self.status})"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def has_succeeded(self) -> bool:
        return self.status == PaymentStatus.SUCCEEDED

    @property
    def given_back(self) -> Money:
        return Money(self.amount_refunded, self.currency)

    @property
    def refundable(self) -> Money:
        """Return the amount that can still be refunded."""
        left = self.amount - self.amount_refunded if self.has_succeeded else 0
        return Money(left, self.currency)

    @property
    def paid_with(self) -> str:
        """Return what was charged, in words. "" if it is not known."""
        return method_names.called(self.card_brand, self.card_last4)

    @property
    def failure(self) -> Decline | None:
        """Return why it failed and what to do next, in words. None if it did not fail."""
        return declines.of(self.decline_code or self.failure_code) if self.status == PaymentStatus.FAILED else None
