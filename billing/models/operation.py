"""Operations: what a person, service or job asked for, each request to Stripe that it needed, and its outcome."""

import uuid
from typing import Any

from django.db import models

from billing import clock


class Kind(models.TextChoices):
    """The kinds of operations, and their names for people. The values are stored, so they must not change."""

    ENSURE_CUSTOMER = "ensure_customer", "Make the Office a customer"
    CHANGE_CONTACT = "update_customer", "Change the contact"
    OPEN_PORTAL = "open_portal", "Link to Stripe's portal"
    ARCHIVE_OFFICE = "archive_office", "Archive the Office"
    UNARCHIVE_OFFICE = "unarchive_office", "Bring the Office back"
    PREPARE_PAYMENT_METHOD = "prepare_payment_method", "Prepare to add a card"
    MAKE_CARD_LINK = "make_card_link", "Link to add a card"
    SET_DEFAULT_PAYMENT_METHOD = "set_default_payment_method", "Make a payment method the default"
    REMOVE_PAYMENT_METHOD = "remove_payment_method", "Remove a payment method"
    START_SUBSCRIPTION = "subscribe", "Start a subscription"
    CREATE_PAYMENT_LINK = "payment_link", "Start by a payment link"
    WITHDRAW_PAYMENT_LINK = "withdraw_payment_link", "Withdraw the payment link"
    END_WAITING_SUBSCRIPTION = "end_waiting_subscription", "End the waiting subscription"
    CHANGE_SUBSCRIPTION = "change_subscription", "Change plan or seats"
    CANCEL_SUBSCRIPTION = "cancel", "Cancel the subscription"
    CANCEL_ON_DATE = "cancel_on_date", "Cancel the subscription on a date"
    RESUME_RENEWAL = "resume_renewal", "Take the cancellation back"
    MOVE_TRIAL_END = "move_trial_end", "Extend or end the trial"
    RESTART_PERIOD = "restart_period", "Begin the period today"
    PAUSE_COLLECTION = "pause_collection", "Pause collection"
    RESUME_COLLECTION = "resume_collection", "Resume collection"
    APPLY_DISCOUNT = "apply_discount", "Give a discount"
    MAKE_DISCOUNT = "make_discount", "Make a discount"
    REMOVE_DISCOUNT = "remove_discount", "Remove the discount"
    PAY_INVOICE = "pay_invoice", "Pay the invoice"
    RETRY_INVOICE = "retry_invoice", "Try the invoice again"
    SEND_INVOICE = "send_invoice", "Send the invoice"
    VOID_INVOICE = "void_invoice", "Void the invoice"
    MARK_UNCOLLECTIBLE = "mark_uncollectible", "Mark the invoice uncollectible"
    CHARGE_OFFICE = "charge_office", "One-off charge"
    ISSUE_CREDIT_NOTE = "issue_credit_note", "Issue a credit note"
    REFUND_PAYMENT = "refund_payment", "Refund a payment"
    ADJUST_CREDIT = "adjust_credit", "Change the credit"


class OperationStatus(models.TextChoices):
    OPEN = "open"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"


class Requested(models.Model):
    """A mixin of what holds a request: the audit trail keeps no text of it, but ``on_record``, which is not stored."""

    on_record: dict[str, Any] | None = None

    class Meta:
        abstract = True

    def get_additional_data(self) -> dict[str, Any] | None:
        """Return what auditlog puts into the entry besides the columns."""
        return {"asked_for": self.on_record} if self.on_record is not None else None


class Operation(Requested):
    Status = OperationStatus
    UNSETTLED = (Status.OPEN, Status.UNKNOWN)
    """The outcome is not known yet, and no other operation of the Office can begin."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="operations")
    kind = models.CharField(max_length=40)
    actor = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="operations")
    actor_kind = models.CharField(max_length=10)
    actor_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=200)
    request = models.JSONField(default=dict, help_text="In our words, as its body takes it")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    decline_code = models.CharField(max_length=100, blank=True, help_text="The issuer's, where a card was declined")
    lease_until = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.wall)
    settled_at = models.DateTimeField(null=True)
    texts_removed_at = models.DateTimeField(null=True, editable=False, help_text="When typed text was taken out")

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["office"],
                condition=models.Q(status__in=[OperationStatus.OPEN, OperationStatus.UNKNOWN]),
                name="one_unsettled_operation_per_office",
            )
        ]
        indexes = [
            models.Index(fields=["office", "created_at"], name="operation_of_office"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=[OperationStatus.OPEN, OperationStatus.UNKNOWN]),
                name="operation_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"

    @property
    def in_words(self) -> str:
        """Return the name of its kind for people. A kind of another version is shown as it is stored."""
        return Kind(self.kind).label if self.kind in Kind.values else self.kind


class OperationStep(models.Model):
    """One POST or DELETE to Stripe: its idempotency key, and the exact parameters of the first request."""

    operation = models.ForeignKey(Operation, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=40)
    key = models.CharField(max_length=100, unique=True)
    method = models.CharField(max_length=6)
    path = models.CharField(max_length=255)
    params = models.JSONField(default=dict)
    api_version = models.CharField(max_length=40)
    first_asked_at = models.DateTimeField()
    last_asked_at = models.DateTimeField()
    asked = models.PositiveIntegerField(default=1)
    answered_at = models.DateTimeField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    stripe_request_id = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=255, blank=True)
    error_code = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name}: {self.http_status or 'no answer'}"
