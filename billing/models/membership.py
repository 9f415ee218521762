"""Memberships: who belongs to an Office, and in which role. Django-guardian's grants are written from them."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from billing import clock


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_force(self) -> "MembershipQuerySet":
        """Return those that have not ended. An end in the future has not come yet."""
        return self.filter(models.Q(ended_at=None) | models.Q(ended_at__gt=clock.wall()))


class Membership(models.Model):
    class Role(models.TextChoices):
        OWNER = "owner"
        MANAGER = "manager"
        VIEWER = "viewer"

    user = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="memberships")
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(default=clock.wall, editable=False)
    ended_at = models.DateTimeField(
        null=True, blank=True, help_text="It gives nothing from then on. It can be set in advance."
    )

    objects: ClassVar = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "office"], name="one_membership_per_office")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.office}"

    def is_in_force(self, at: datetime) -> bool:
        return self.ended_at is None or self.ended_at > at


class OfficeUserPermission(UserObjectPermissionBase):
    """A grant on an Office, written from a membership. Its direct foreign key makes a list of Offices one query."""

    content_object = models.ForeignKey("billing.Office", on_delete=models.PROTECT)

    class Meta(UserObjectPermissionBase.Meta):
        pass


class OfficeGroupPermission(GroupObjectPermissionBase):
    """A model that we do not use. Django-guardian needs it together with ``OfficeUserPermission``."""

    content_object = models.ForeignKey("billing.Office", on_delete=models.PROTECT)

    class Meta(GroupObjectPermissionBase.Meta):
        pass
