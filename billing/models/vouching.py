"""Vouchings: a third person knows that two accounts belong to two people."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q

from billing import clock
from billing.models.audit import AppendOnlyError


class Vouching(models.Model):
    first = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+", verbose_name="one person")
    second = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+", verbose_name="the other")
    vouched_by = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    vouched_at = models.DateTimeField(default=clock.wall)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-vouched_at", "-pk"]
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=~Q(first=F("second")) & ~Q(vouched_by=F("first")) & ~Q(vouched_by=F("second")),
                name="vouching_is_of_three_people",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first} and {self.second} are two people"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A vouching is never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A vouching is never deleted.")
