"""Bulk acts: one thing that a person does to many Offices. A job does it, one Office after another."""

from django.db import models
from django.db.models import Q

from billing import clock


class BulkAct(models.Model):
    """What is done, by whom and why. ``billing.bulk`` says what ``kind`` can be, and carries it out."""

    kind = models.CharField(max_length=40)
    given = models.JSONField(default=dict, help_text="What the person chose for all rows, as the kind takes it")
    actor = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.wall)
    stopped_at = models.DateTimeField(null=True, help_text="When a person stopped it; what waited then is left out")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "bulk act"
        ordering = ["-created_at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.kind.replace('_', ' ')}, {self.created_at:%Y-%m-%d %H:%M} UTC"


class BulkRow(models.Model):
    """One Office of a bulk act, and what became of it. ``says`` is the result, or why there is none."""

    class State(models.TextChoices):
        WAITING = "waiting", "waits"
        BEGUN = "begun", "is being done"
        DONE = "done", "done"
        LEFT_OUT = "left_out", "left out"
        FAILED = "failed", "failed"
        UNKNOWN = "unknown", "outcome not known yet"

    act = models.ForeignKey(BulkAct, on_delete=models.CASCADE, related_name="rows")
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    says = models.CharField(max_length=300, blank=True)
    given = models.JSONField(default=dict, help_text="What was chosen or shown for this Office alone")
    operation = models.ForeignKey("billing.Operation", null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "row of a bulk act"
        verbose_name_plural = "rows of bulk acts"
        ordering = ["pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["act", "office"], name="once_in_a_bulk_act"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "begun"], settled_at=None)
                | (~Q(state__in=["waiting", "begun"]) & Q(settled_at__isnull=False)),
                name="bulk_row_settled_or_not",
            ),
        ]
        indexes = [models.Index(fields=["act", "state", "id"], name="bulk_rows_by_state")]

    def __str__(self) -> str:
        return f"{self.office}: {self.get_state_display()}"
