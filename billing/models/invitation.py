"""Invitations by e-mail, and one-time links. Of a link only a digest is kept."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from billing import clock
from billing.models.address_field import AddressField


class Invitation(models.Model):
    """Somebody invited an address to one role. It is a staff role, or a role in one Office.

    ``made_by`` is None if it was made by a command on the server. It is open until it is accepted or withdrawn. How
    long it can be accepted is a matter of its links. ``until`` is the end that a membership in an Office gets.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = AddressField()
    role = models.CharField(max_length=150)
    office = models.ForeignKey("billing.Office", null=True, on_delete=models.PROTECT, related_name="invitations")
    until = models.DateTimeField(null=True, help_text="The membership ends then. Not set: it has no end")
    made_by = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=clock.wall)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "role",
                condition=Q(office=None, accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_to_a_staff_role",
            ),
            models.UniqueConstraint(
                Lower("email"),
                "office",
                condition=Q(office__isnull=False, accepted_at=None, withdrawn_at=None),
                name="one_open_invitation_to_an_office",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.role_in_words}"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.withdrawn_at is None

    def can_be_accepted(self, at: datetime) -> bool:
        """Return whether it is open, and what it gives is not over yet."""
        return self.is_open and (self.until is None or self.until > at)

    @property
    def role_in_words(self) -> str:
        return f"{self.role} of {self.office}" if self.office else f"{self.role} (staff)"


class OneTimeLink(models.Model):
    """A link that was sent once, and can be used once. The link has a secret, and ``digest`` is that secret's SHA-256.

    ``holds_for`` is a digest of the user's password and address: with another password or address the link is over.
    """

    class Purpose(models.TextChoices):
        INVITATION = "invitation"
        PASSWORD_RESET = "password_reset"  # noqa: S105  a purpose

    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    digest = models.CharField(max_length=64, unique=True)
    invitation = models.ForeignKey(Invitation, null=True, on_delete=models.PROTECT, related_name="links")
    user = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="links")
    holds_for = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(default=clock.wall)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="invitation", invitation__isnull=False, user=None)
                | Q(purpose="password_reset", invitation=None, user__isnull=False),
                name="a_link_is_about_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.purpose
