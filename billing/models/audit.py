"""The audit trail: who did what to which Office, when, why and in which request. Entries are only added."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models.signals import pre_save
from django.utils.text import Truncator

_held: ContextVar["list[AuditEntry] | None"] = ContextVar("held_audit_entries", default=None)


@contextlib.contextmanager
def written_together() -> Iterator[None]:
    """Write the entries that are saved inside at the end, many with one statement, in their order. For a transaction.

    Each is complete from the moment when it is saved, but has no primary key before the end. If the code inside fails,
    none is written. A savepoint inside that is rolled back takes no entry with it, so there must be none around a save.
    """
    held: list[AuditEntry] = []
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
    models.QuerySet(AuditEntry).bulk_create(held)


class AppendOnlyError(TypeError):
    """The program tried to change or delete a row that must stay as it was written."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **_: Any) -> NoReturn:
        raise AppendOnlyError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Audit entries are never deleted.")

    def bulk_create(self, *_: Any, **__: Any) -> NoReturn:
        raise AppendOnlyError("This would write audit entries without their actor: see billing/audit/trail.py.")


class AuditEntry(AbstractLogEntry):
    class Kind(models.TextChoices):
        CHANGE = "change"
        ACT = "act"
        REFUSAL = "refusal"
        READ = "read"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CHANGE)
    office = models.ForeignKey("billing.Office", null=True, on_delete=models.PROTECT, related_name="audit_entries")
    actor_kind = models.CharField(max_length=10, help_text="person, service or job")
    actor_label = models.CharField(max_length=254)
    reason = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=200, blank=True, help_text="An act, a refusal or a read, in words")
    # auditlog's own fields let an entry lose its actor, or go with its content type
    actor = models.ForeignKey("billing.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    content_type = models.ForeignKey("contenttypes.ContentType", on_delete=models.PROTECT, related_name="+")
    nonce = models.UUIDField(null=True, editable=False, help_text="Makes each entry another one")
    mac = models.CharField(max_length=80, blank=True, db_default="", default="", editable=False)
    billing_at = models.DateTimeField(help_text="The billing clock; it differs from the wall in a sandbox only")
    window_key = models.CharField(  # noqa: DJ001  most entries have none, and each key exists once
        max_length=64, null=True, editable=False, help_text="Of what is written once in a window. It is not sealed"
    )

    objects = LogEntryManager.from_queryset(AuditEntryQuerySet)()

    class Meta(AbstractLogEntry.Meta):
        abstract = False
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        constraints = [
            # with a condition, so that SQLite adds an index and does not copy the table
            models.UniqueConstraint(fields=["nonce"], condition=models.Q(nonce__isnull=False), name="audit_entry_once"),
            models.UniqueConstraint(
                fields=["window_key"], condition=models.Q(window_key__isnull=False), name="audit_entry_once_in_window"
            ),
        ]
        indexes = [
            models.Index(fields=["content_type", "object_id", "timestamp"], name="audit_of_object"),
            models.Index(fields=["office", "timestamp"], name="audit_of_office"),
            models.Index(fields=["actor_label", "timestamp"], name="audit_of_actor"),
            models.Index(fields=["kind", "timestamp"], name="audit_of_kind"),
            models.Index(fields=["request_id", "office", "id"], name="audit_of_request"),
        ]

    @property
    def in_words(self) -> str:
        """Return what was done: an act or refusal as it was recorded, or which columns of what changed."""
        if self.what:
            return self.what
        verb = "created" if self.action == self.Action.CREATE else ", ".join(sorted(self.changes or {}))
        return Truncator(f"{self.content_type.name}: {verb}").chars(120)

    def save(self, *args: Any, using: str | None = None, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("An audit entry is never changed.")
        held = _held.get()
        if any(one is self for one in held or ()):
            raise AppendOnlyError("An audit entry is never changed.")
        if held is None or using not in (None, DEFAULT_DB_ALIAS):
            super().save(*args, using=using, **kwargs)
            return
        pre_save.send(type(self), instance=self, raw=False, using=using, update_fields=None)  # completes it
        held.append(self)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An audit entry is never deleted.")
