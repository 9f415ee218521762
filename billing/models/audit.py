"""The audit trail: who did what to which Office, when, why and in which request. Entries are only added."""

from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry
from django.db import models


class AppendOnlyError(TypeError):
    """The program tried to change or delete a row that must stay as it was written."""


class AuditEntry(AbstractLogEntry):
    class Kind(models.TextChoices):
        CHANGE = "change"
        ACT = "act"
        REFUSAL = "refusal"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CHANGE)
    office = models.ForeignKey("billing.Office", null=True, on_delete=models.PROTECT, related_name="audit_entries")
    actor_kind = models.CharField(max_length=10, help_text="person, service or job")
    actor_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=200, blank=True, help_text="An act or a refusal, in words")
    billing_at = models.DateTimeField(help_text="The billing clock; it differs from the wall in a sandbox only")

    class Meta(AbstractLogEntry.Meta):
        abstract = False
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["content_type", "object_id", "timestamp"], name="audit_of_object"),
            models.Index(fields=["office", "timestamp"], name="audit_of_office"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An audit entry is never deleted.")
