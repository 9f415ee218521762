"""Adjustments: refunds, credit notes and disputes."""

import uuid
from datetime import datetime

from django.db import models

from billing import zones
from billing.models.statuses import ANSWER_AWAITED, INQUIRY, NOT_GIVEN_BACK, AdjustmentStatus
from billing.money import Money


class Adjustment(models.Model):
    class Kind(models.TextChoices):
        REFUND = "refund"
        CREDIT_NOTE = "credit_note", "credit note"
        DISPUTE = "dispute"

    class Reason(models.TextChoices):
        DUPLICATE = "duplicate", "charged twice"
        FRAUDULENT = "fraudulent", "suspected fraud"
        REQUESTED = "requested", "asked for by the customer"
        NOT_AS_AGREED = "not_as_agreed", "not as agreed"
        NOT_RECEIVED = "not_received", "not received"
        CANCELED = "canceled", "subscription was canceled"
        UNRECOGNIZED = "unrecognized", "not recognised by the card's holder"
        CREDIT_MISSING = "credit_missing", "a credit did not arrive"
        OTHER = "other"

    class Outcome(models.TextChoices):
        WON = "won"
        LOST = "lost"
        WITHDRAWN = "withdrawn", "closed without a dispute"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="adjustments")
    payment = models.ForeignKey("billing.Payment", null=True, on_delete=models.PROTECT, related_name="adjustments")
    invoice = models.ForeignKey("billing.Invoice", null=True, on_delete=models.PROTECT, related_name="adjustments")
    operation = models.ForeignKey("billing.Operation", null=True, on_delete=models.PROTECT, related_name="adjustments")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    stripe_id = models.CharField(max_length=255, unique=True)
    ticket = models.BigIntegerField()
    status = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=20, choices=Reason.choices, default=Reason.OTHER)
    failure_code = models.CharField(max_length=100, blank=True, help_text="Why a refund did not arrive")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="Until when a dispute can be answered")
    taken_at = models.DateTimeField(
        null=True, db_default=None, help_text="When the bank took the money of a dispute; empty of any other"
    )
    returned_at = models.DateTimeField(
        null=True, db_default=None, help_text="When the bank gave back what it took for a dispute"
    )
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True, help_text="How a dispute ended")

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "created_at"], name="adjustment_of_office"),
            models.Index(fields=["kind", "created_at"], name="adjustment_by_kind"),
            models.Index(fields=["created_at", "id"], name="adjustment_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.money} ({self.status.replace('_', ' ')})"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def is_inquiry(self) -> bool:
        """Return whether the bank only asks. The money is still here then."""
        return self.status in INQUIRY

    @property
    def is_here(self) -> bool:
        """Return whether the money of the refund or dispute is here: it never left, or it came back."""
        kept = (self.Outcome.WON, self.Outcome.WITHDRAWN)
        return self.is_inquiry or self.status in NOT_GIVEN_BACK or self.outcome in kept

    @property
    def answer_by(self) -> datetime | None:
        """Return until when the vendor must answer the bank, or None if the bank waits for no answer."""
        return self.due_at if self.status in ANSWER_AWAITED else None

    @property
    def answer_by_day(self) -> str:
        """Return the day of ``answer_by``, as lists of many Offices write it. "" if the bank waits for no answer."""
        return zones.day(self.answer_by, zones.OF_MANY) if self.answer_by else ""

    @property
    def says(self) -> str:
        """Return what a person should know or do about it, or ""."""
        if self.answer_by:
            before = zones.moment(self.answer_by, self.office.time_zone)
            what = "The bank asks about this payment" if self.is_inquiry else "The bank has taken the money back"
            return f"{what}: answer it in Stripe's dashboard before {before}."
        if self.kind == self.Kind.DISPUTE:
            return f"It ended: {self.get_outcome_display()}." if self.outcome else "The bank is deciding."
        if self.status == AdjustmentStatus.FAILED:
            return "The money did not arrive and came back to the vendor: another way is needed."
        if self.status == AdjustmentStatus.PENDING:
            return "The bank has not confirmed it yet."
        return ""
