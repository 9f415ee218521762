"""Addresses that get no more of some e-mails, because somebody asked for that or because they bounced."""

import hashlib

from django.db import models

from billing import clock
from billing.folding import fold_address


class SuppressedAddress(models.Model):
    """One address, as a digest. ``billing.outbox.suppression`` says which e-mails it does not get."""

    class Why(models.TextChoices):
        ASKED = "asked", "asked for no reminders"
        BOUNCED = "bounced", "e-mails to it come back"

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the address")
    why = models.CharField(max_length=10, choices=Why.choices)
    made_at = models.DateTimeField(default=clock.wall)

    class Meta:
        verbose_name_plural = "suppressed addresses"
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_why_display()

    @staticmethod
    def digest_of(address: str) -> str:
        return hashlib.sha256(fold_address(address).encode()).hexdigest()
