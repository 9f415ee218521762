"""Received events: hints that say what to look at. The body of an event is not stored."""

from django.db import models

from billing import clock


class ReceivedEvent(models.Model):
    class Status(models.TextChoices):
        WAITING = "waiting"
        APPLIED = "applied"
        IGNORED = "ignored"
        PARKED = "parked"

    stripe_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255, blank=True)
    customer_id = models.CharField(max_length=255, blank=True)
    related_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(help_text="At Stripe")
    received_at = models.DateTimeField(default=clock.wall)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    claim_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(default=clock.wall)
    attempts = models.PositiveIntegerField(default=0)
    alone = models.BooleanField(default=False, help_text="Looked at by itself, since a look at several failed")
    last_error = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True)
    was_missed = models.BooleanField(
        default=False, db_default=False, help_text="Stripe's list had it before it was delivered"
    )

    class Meta:
        ordering = ["-received_at", "-pk"]
        indexes = [
            # no partial index for waiting events: SQLite does not use it when the status is a parameter
            models.Index(fields=["status", "due_at", "id"], name="event_due"),
            models.Index(fields=["customer_id", "status", "related_id"], name="event_of_customer"),
            models.Index(fields=["status", "settled_at"], name="event_settled"),
            models.Index(fields=["received_at", "id"], name="event_by_time"),
            models.Index(fields=["type", "received_at", "id"], name="event_of_type_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.status})"
