"""The one Stripe account and mode to which this database belongs."""

from django.db import models

from billing import clock


class StripeAccount(models.Model):
    class Kind(models.TextChoices):
        SANDBOX = "sandbox"
        STRIPE = "stripe"

    account_id = models.CharField(max_length=255, unique=True)
    livemode = models.BooleanField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    recorded_at = models.DateTimeField(default=clock.wall)
    catalogue_ticket = models.BigIntegerField(default=0, help_text="Of the newest look at products and prices")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_stripe_account_per_database")]

    def __str__(self) -> str:
        return f"{self.account_id} ({'live' if self.livemode else 'test'}, {self.kind})"
