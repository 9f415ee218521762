"""What an Office has on file at Stripe to pay with. Only what is needed to tell it apart is stored."""

import uuid
from datetime import datetime

from django.db import models

from billing import clock, method_names


class PaymentMethod(models.Model):
    """A card, a bank account or another payment method at Stripe.

    ``brand`` of anything but a card is Stripe's word for its kind. A card is valid until the end of the month
    ``expires``.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="payment_methods")
    stripe_id = models.CharField(max_length=255, unique=True)
    ticket = models.BigIntegerField()
    brand = models.CharField(max_length=20, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    expires = models.CharField(max_length=7, blank=True, help_text="YYYY-MM")
    is_default = models.BooleanField(default=False)
    seen_at = models.DateTimeField(default=clock.wall, help_text="First seen by us")
    detached_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-is_default", "-seen_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "detached_at"], name="card_of_office"),
            models.Index(fields=["last4"], name="card_by_last_digits"),
        ]

    def __str__(self) -> str:
        return method_names.called(self.brand, self.last4)

    def expiry(self, at: datetime) -> str:
        """Return ``expired``, ``expires this month`` or ``valid`` for the month of ``at``, which is in UTC."""
        month = f"{at:%Y-%m}"
        if not self.expires or month < self.expires:
            return "valid"
        return "expires this month" if month == self.expires else "expired"

    def has_expired(self, at: datetime) -> bool:
        return bool(self.expires) and self.expires < f"{at:%Y-%m}"
