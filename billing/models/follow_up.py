"""Follow-ups: who works on an Office that waits in the worklist, and until when it is put aside."""

from datetime import datetime

from django.db import models

from billing import clock


class FollowUp(models.Model):
    """The one of an Office. An Office that nobody took and nobody put aside may have none."""

    office = models.OneToOneField("billing.Office", on_delete=models.PROTECT, related_name="follow_up")
    assigned_to = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    snoozed_until = models.DateTimeField(null=True, help_text="The worklist does not show it before then")
    updated_at = models.DateTimeField(default=clock.wall)

    class Meta:
        verbose_name = "follow-up"
        ordering = ["pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"follow-up of {self.office}"

    def is_snoozed(self, at: datetime) -> bool:
        return self.snoozed_until is not None and at < self.snoozed_until
