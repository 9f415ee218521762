"""Notifications: the outbox. Each row is one e-mail to one person, committed together with what it is about."""

import re
import uuid
from typing import Any, ClassVar

from django.db import models, transaction

from billing import clock, errors

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,40}")
"""Fits an id or a code, and no text of a person, no address, no link and no token."""


class NotificationManager(models.Manager["Notification"]):
    def put(
        self,
        kind: str,
        reason: str,
        *,
        user: Any = None,
        address: str = "",
        office: Any = None,
        **parameters: str | int | bool | None,
    ) -> None:
        """Put an e-mail into the outbox, to a user, to an address, or else to the Office's billing address.

        A worker sends it. Call it inside the transaction of its cause. For one ``reason`` there is one e-mail:
        repeating is a no-op. ``parameters`` are ids, codes and numbers. Everything else is read when it is sent.

        Raises: Defect: there is no transaction, no recipient, or a parameter could be a text, a link or a token.
        """
        if not transaction.get_connection(self.db).in_atomic_block:
            raise errors.Defect("An e-mail must be put into the outbox in the transaction of its cause.")
        if (user and address) or not (user or address or office):
            raise errors.Defect("An e-mail is to a user, to an address, or to an Office.")
        for name, value in parameters.items():
            if isinstance(value, str) and not CODE.fullmatch(value):
                raise errors.Defect(f"The parameter {name} of an e-mail must be an id or a code.")
        row = self.model(kind=kind, dedupe_key=reason, user=user, recipient=address, office=office, context=parameters)
        self.bulk_create([row], ignore_conflicts=True)


class Notification(models.Model):
    """One e-mail. ``recipient`` of an e-mail to a user or to an Office is written when it is sent, to the address that
    they have then.

    ``sending`` is committed before the mail server gets it. If no outcome follows, nobody knows whether it was sent.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation"
        PASSWORD_RESET = "password_reset"  # noqa: S105  a kind
        ROLE_GIVEN = "role_given"
        APPROVAL_WAITS = "approval_waits"
        EMERGENCY_ROLE = "emergency_role"
        SECOND_FACTOR_REMOVED = "second_factor_removed"
        ALERT = "alert"
        PAYMENT_LINK = "payment_link"
        CARD_LINK = "card_link"
        PAYMENT_FAILED = "payment_failed"
        AUTHENTICATION_NEEDED = "authentication_needed"
        RECEIPT = "receipt"
        CANCELLED = "cancelled"
        ACCESS_ENDS = "access_ends"
        TRIAL_ENDS = "trial_ends"
        CARD_EXPIRES = "card_expires"
        STAFF_DIGEST = "staff_digest"

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        UNKNOWN = "unknown"
        PARKED = "parked"
        DROPPED = "dropped", "not needed any more"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", null=True, on_delete=models.PROTECT, related_name="notifications")
    user = models.ForeignKey("billing.User", null=True, on_delete=models.PROTECT, related_name="notifications")
    kind = models.CharField(max_length=60)
    dedupe_key = models.CharField(max_length=255, unique=True)
    recipient = models.EmailField(blank=True)
    context = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, db_default=State.WAITING)
    created_at = models.DateTimeField(default=clock.wall)
    due_at = models.DateTimeField(default=clock.wall, db_index=True)
    claim_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    objects: ClassVar[NotificationManager] = NotificationManager()

    class Meta:
        verbose_name = "e-mail"
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="notification_due"),
            models.Index(fields=["created_at", "id"], name="notification_by_time"),
        ]

    def __str__(self) -> str:
        return self.kind.replace("_", " ")

    @property
    def address(self) -> str:
        """Return where it goes, or where it went."""
        if self.recipient or self.user:
            return self.recipient or (self.user.email if self.user else "")
        return self.office.billing_email if self.office else ""
