"""Requests for approval: what one person asked for, and another must approve before it begins."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from billing import clock
from billing.models.operation import Kind, Requested
from billing.money import Money

LASTS = timedelta(hours=72)


class ApprovalOutcome(models.TextChoices):
    APPROVED = "approved"
    TURNED_DOWN = "turned_down"
    WITHDRAWN = "withdrawn"


def _in_three_days() -> datetime:
    return clock.wall() + LASTS


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    def waiting(self) -> "ApprovalRequestQuerySet":
        """Return those that can still be approved. One that expired is over without anybody doing anything."""
        return self.filter(outcome="", expires_at__gt=clock.wall())


class ApprovalRequest(Requested):
    """It is no operation, and blocks none. ``request`` is stored as operations store theirs."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="approval_requests")
    kind = models.CharField(max_length=40)
    request = models.JSONField(help_text="In our words, as an operation of this kind stores it")
    amount = models.BigIntegerField(help_text="Minor units that the Office would get back")
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=200)
    requested_by = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=clock.wall)
    as_of = models.DateTimeField(null=True, help_text="The preview that the person who asked confirmed")
    expires_at = models.DateTimeField(default=_in_three_days)
    outcome = models.CharField(max_length=12, choices=ApprovalOutcome.choices, blank=True)
    decided_by = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=200, blank=True, help_text="Why it was turned down or withdrawn")
    operation = models.OneToOneField(
        "billing.Operation", null=True, on_delete=models.PROTECT, related_name="approval_request"
    )

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "request for approval"
        verbose_name_plural = "requests for approval"
        ordering = ["-asked_at", "-pk"]
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", decided_by=None, decided_at=None, operation=None)
                | Q(outcome="approved", decided_at__isnull=False, operation__isnull=False)
                & ~Q(decided_by=F("requested_by"))
                | Q(outcome="turned_down", decided_at__isnull=False, operation=None) & ~Q(decided_by=F("requested_by"))
                | Q(outcome="withdrawn", decided_at__isnull=False, operation=None, decided_by=F("requested_by")),
                name="approval_request_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(decided_at=None) | Q(decided_by__isnull=False), name="approval_request_decided_by_whom"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="approval_request_gives_back"),
            models.UniqueConstraint(fields=["office", "kind", "as_of"], name="one_approval_request_per_preview"),
        ]
        indexes = [models.Index(fields=["expires_at"], condition=Q(outcome=""), name="approval_request_waits")]

    def __str__(self) -> str:
        return f"{self.in_words}: {self.money}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def in_words(self) -> str:
        """Return the name of its kind for people. A kind of another version is shown as it is stored."""
        return Kind(self.kind).label if self.kind in Kind.values else self.kind

    @property
    def is_waiting(self) -> bool:
        return not self.outcome and self.expires_at > clock.wall()

    @property
    def has_expired(self) -> bool:
        return not self.outcome and not self.is_waiting

    @property
    def status(self) -> str:
        """Return whether it waits, or how it ended, in words."""
        if self.outcome:
            return self.outcome.replace("_", " ")
        return "waits for approval" if self.is_waiting else "expired"
