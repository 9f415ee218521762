"""How often a refusal came again within its window, until a job puts the number into the trail."""

from django.db import models


class RefusalCount(models.Model):
    """One refusal of one actor in one window: ``billing.audit.refusals`` alone writes it."""

    key = models.CharField(max_length=64, primary_key=True, help_text="The window key of the first entry")
    group = models.CharField(max_length=80, help_text="Who is bounded together: a person, a service, or all visitors")
    began = models.DateTimeField(db_index=True, help_text="When the window began")
    times = models.PositiveIntegerField(default=0, help_text="How often after the first time")

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["group", "began"], name="refusal_count_of_group")]

    def __str__(self) -> str:
        return f"{self.times} more of {self.group}"
