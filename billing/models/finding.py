"""Findings: what a comparison or a check found, for a person to look at."""

from django.db import models

from billing import clock


class Finding(models.Model):
    class Severity(models.TextChoices):
        NOTICE = "notice"
        WARNING = "warning"
        CRITICAL = "critical"

    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=255, help_text="What it is about: an id of ours or of Stripe's")
    office = models.ForeignKey("billing.Office", null=True, on_delete=models.PROTECT, related_name="findings")
    severity = models.CharField(max_length=10, choices=Severity.choices, default=Severity.WARNING)
    detail = models.TextField()
    found_at = models.DateTimeField(default=clock.wall)
    resolved_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=200, blank=True, help_text="How it ended")
    facts = models.TextField(
        blank=True, db_default="", default="", help_text="What it rests on, in a form that two reports can compare"
    )
    decision_holds = models.BooleanField(
        default=False, db_default=False, help_text="A person closed it. The same facts do not open it again"
    )

    class Meta:
        ordering = ["-found_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_open_finding_per_subject",
            )
        ]
        indexes = [models.Index(fields=["found_at", "id"], name="finding_by_time")]

    def __str__(self) -> str:
        what = self.kind.replace("_", " ")
        return f"{what} ({self.office})" if self.office else what
