"""Reviews: an auditor read the audit trail of a period and signed it off."""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q

from billing import clock
from billing.models.audit import AppendOnlyError


class TrailReview(models.Model):
    """``root`` is that of the seal, so that the review says itself which entries it was about."""

    person = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField(verbose_name="from")
    until = models.DateTimeField(verbose_name="before")
    seal = models.ForeignKey("billing.AuditSeal", on_delete=models.PROTECT, related_name="+")
    root = models.CharField(max_length=64)
    note = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.wall)

    class Meta:
        verbose_name = "review of the trail"
        verbose_name_plural = "reviews of the trail"
        ordering = ["-until", "-pk"]
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(since__lt=F("until")), name="trail_review_of_a_period")]

    def __str__(self) -> str:
        return f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC, by {self.person}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A review is never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A review is never deleted.")
