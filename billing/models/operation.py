"""What a person, service or job asked for, each request it needed at Stripe, and how it ended."""

import uuid

from django.db import models

from billing import clock


class Operation(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        SUCCEEDED = "succeeded"
        DECLINED = "declined"
        REJECTED = "rejected"
        UNKNOWN = "unknown"
        ABANDONED = "abandoned"

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

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["office"],
                condition=models.Q(status__in=["open", "unknown"]),
                name="one_unsettled_operation_per_office",
            )
        ]
        indexes = [
            models.Index(fields=["office", "created_at"], name="operation_of_office"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(status__in=["open", "unknown"]),
                name="operation_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"


class OperationStep(models.Model):
    """One POST or DELETE to Stripe: its own idempotency key and the exact parameters it was first asked with."""

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
