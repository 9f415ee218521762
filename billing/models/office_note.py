"""Notes: what staff wrote down about an Office, such as what was said in a call. They are only added."""

from typing import Any, NoReturn

from django.db import models

from billing import clock
from billing.models.audit import AppendOnlyError


class OfficeNote(models.Model):
    """One note. Its text is not in the audit trail: the entry says who wrote a note on which Office, and when."""

    class Kind(models.TextChoices):
        NOTE = "note", "Note"
        CALL = "call", "Call"

    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.NOTE)
    text = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=clock.wall)

    class Meta:
        verbose_name = "note"
        ordering = ["-created_at", "-pk"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["office", "created_at"], name="note_of_office")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.created_at:%Y-%m-%d %H:%M} UTC"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A note is never edited.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A note is never deleted.")
