"""What a process of the product saw last: whether Stripe accepts the key, the endpoint, the clock, bad signatures."""

from django.db import models


class Level(models.TextChoices):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


class Observation(models.Model):
    """One row for each subject. ``billing.observations`` alone writes it. It holds codes and numbers, and no text."""

    name = models.CharField(max_length=40, primary_key=True)
    state = models.CharField(max_length=10, choices=Level.choices)
    code = models.CharField(max_length=40, blank=True)
    figures = models.JSONField(default=dict)
    since = models.DateTimeField(help_text="When it was first seen with this state and code")
    seen_at = models.DateTimeField(help_text="When it was last written. A state that stays is not written each time")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
