"""What an Office was asked to pay, and each attempt to collect it."""

import uuid

from django.db import models

from billing import declines
from billing.declines import Decline
from billing.money import Money


class Invoice(models.Model):
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
    currency = models.CharField(max_length=3)
    subtotal = models.BigIntegerField()
    discount = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    total = models.BigIntegerField()
    amount_paid = models.BigIntegerField()
    amount_remaining = models.BigIntegerField()
    attempt_count = models.PositiveIntegerField(default=0)
    next_payment_attempt = models.DateTimeField(null=True)
    period_start = models.DateTimeField(null=True)
    period_end = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    finalised_at = models.DateTimeField(null=True)
    lines = models.JSONField(default=list)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "created_at"], name="invoice_of_office"),
            models.Index(fields=["office", "status"], name="invoice_by_status"),
        ]

    def __str__(self) -> str:
        return self.number or "draft invoice"

    @property
    def money(self) -> Money:
        return Money(self.total, self.currency)


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

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["office", "created_at"], name="payment_of_office")]

    def __str__(self) -> str:
        return f"{self.money} ({self.status})"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def given_back(self) -> Money:
        return Money(self.amount_refunded, self.currency)

    @property
    def refundable(self) -> Money:
        """What of it can still go back."""
        left = self.amount - self.amount_refunded if self.status == "succeeded" else 0
        return Money(left, self.currency)

    @property
    def failure(self) -> Decline | None:
        """Why it failed and what to do next, in words."""
        return declines.of(self.decline_code or self.failure_code) if self.status == "failed" else None
