"""Emergency roles: a role of the vendor for one hour, with a reason, when nobody who has it can be reached.

It is never edited. The only thing that can be added is that somebody ended it before its hour was over.
"""

from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import models

from billing import clock
from billing.models.audit import AppendOnlyError

LASTS = timedelta(hours=1)
ENDING = {"ended_at", "ended_by", "end_reason"}


def in_an_hour() -> datetime:
    return clock.wall() + LASTS


class EmergencyRoleQuerySet(models.QuerySet["EmergencyRole"]):
    def in_force(self) -> "EmergencyRoleQuerySet":
        """Return those whose hour is not over, and that nobody ended. Nothing has to run to end one."""
        return self.filter(ends_at__gt=clock.wall(), ended_at=None)


class EmergencyRole(models.Model):
    person = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="emergency_roles")
    role = models.CharField(max_length=20, help_text="One of the vendor's roles")
    given_by = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=200)
    given_at = models.DateTimeField(default=clock.wall)
    ends_at = models.DateTimeField(default=in_an_hour)
    ended_at = models.DateTimeField(null=True, help_text="When somebody ended it early")
    ended_by = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="+")
    end_reason = models.CharField(max_length=200, blank=True, db_default="")

    objects = EmergencyRoleQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at", "-pk"]
        default_permissions = ("add", "view")
        indexes = [models.Index(fields=["person", "ends_at"], name="emergency_role_of_person")]

    def __str__(self) -> str:
        return f"{self.person}: {self.role} until {self.ends_at:%d %b %Y %H:%M} UTC"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding and set(kwargs.get("update_fields") or ()) != ENDING:
            raise AppendOnlyError("An emergency role is never edited. It can only be ended.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An emergency role is never deleted. It can only be ended.")

    def is_in_force(self, at: datetime) -> bool:
        return self.ended_at is None and self.ends_at > at
