from django.db import models


class RateCount(models.Model):
    """How often somebody was let through lately: see ``billing.rate_counts``, which alone writes it."""

    who = models.CharField(max_length=120, primary_key=True, help_text="The limit, and who was counted")
    began = models.BigIntegerField(db_index=True, help_text="When counting began, in milliseconds since 1970")
    used = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.who}: {self.used}"
