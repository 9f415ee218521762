"""Operations on plans: what a person asked for, each request to Stripe that it needed, and its outcome.

They belong to no Office, so they have a table of their own. What else they are is the same as for an ``Operation``.
"""

import uuid

from django.db import models

from billing import clock
from billing.models.operation import OperationStatus, Requested


class PlanKind(models.TextChoices):
    """The kinds, and their names for people. The values are stored, so they must not change."""

    MAKE_PLAN = "make_plan", "Make a plan"
    ADD_PRICE = "add_price", "Add a price"
    PUBLISH_PLAN = "publish_plan", "Publish at Stripe"
    RENAME_PLAN = "rename_plan", "Rename the plan"
    RETIRE_PRICE = "retire_price", "Retire a price"
    RETIRE_PLAN = "retire_plan", "Retire the plan"


class PlanOperation(Requested):
    Status = OperationStatus
    UNSETTLED = (Status.OPEN, Status.UNKNOWN)
    """The outcome is not known yet, and no other operation on the plan can begin."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    plan = models.ForeignKey("billing.Plan", on_delete=models.PROTECT, related_name="operations")
    kind = models.CharField(max_length=40)
    actor = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    actor_kind = models.CharField(max_length=10)
    actor_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=200)
    request = models.JSONField(default=dict, help_text="What was asked for, in our words")
    steps = models.JSONField(default=dict, help_text="Each request to Stripe as it was first sent, and its answer")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    lease_until = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=clock.wall)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "operation on a plan"
        verbose_name_plural = "operations on plans"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan"],
                condition=models.Q(status__in=[OperationStatus.OPEN, OperationStatus.UNKNOWN]),
                name="one_unsettled_operation_per_plan",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.status})"

    @property
    def in_words(self) -> str:
        """Return the name of its kind for people. A kind of another version is shown as it is stored."""
        return PlanKind(self.kind).label if self.kind in PlanKind.values else self.kind
