"""Services: programs of the vendor that ask the API, each with scopes, Offices, networks and an end.

Only ``billing.access.services`` writes them.
"""

import uuid
from datetime import datetime

from django.db import models

from billing import clock


class ServiceIdentity(models.Model):
    """A program that asks the API. It may only read, what its scopes name, of the Offices that it may see."""

    is_authenticated = True
    """What Django and REST framework ask of whoever made a request."""
    is_anonymous = False

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(
        max_length=100, unique=True, help_text="Which program it is. The audit trail calls it by this name."
    )
    scopes = models.JSONField(default=list, help_text="What it may read: names of billing.access.scopes")
    all_offices = models.BooleanField(default=False, help_text="It sees every Office, also those that come later.")
    offices = models.ManyToManyField(
        "billing.Office", related_name="services", blank=True, help_text="The Offices that it sees, if not all."
    )
    networks = models.JSONField(
        default=list, blank=True, help_text="The networks from which it may ask. An empty list: from anywhere"
    )
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.wall, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False, help_text="Exact to about ten minutes")

    class Meta:
        verbose_name = "service"
        verbose_name_plural = "services"

    def __str__(self) -> str:
        return self.name

    def is_valid(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.expires_at


class ServiceSecret(models.Model):
    """A secret of a service: its digest, and the prefix that finds it. Two are valid while one replaces another."""

    service = models.ForeignKey(ServiceIdentity, on_delete=models.PROTECT, related_name="secrets")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of 32 random bytes, as they are sent")
    created_at = models.DateTimeField(default=clock.wall, editable=False)
    ends_at = models.DateTimeField(null=True, editable=False, help_text="Not set: it is valid as long as the service")

    def __str__(self) -> str:
        return f"secret {self.prefix}"
