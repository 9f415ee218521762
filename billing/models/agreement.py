"""Determinations: whether a supplier is a HIPAA business associate. One row for each, and what is in force.

Counsel decides outside this product. A row records who decided, on which document, and until when. One person prepares
it and another approves it. After that, only its withdrawal can be added. Dates are whole days in UTC, and the last day
is included. What is in force is calculated from the rows and never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NoReturn

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact

from billing import clock
from billing.models.audit import AppendOnlyError

SHA256 = RegexValidator(r"\A[0-9a-f]{64}\Z", "A SHA-256 has 64 digits, 0 to 9 and a to f, as sha256sum prints it.")

LATEST = MaxValueValidator(date(2999, 12, 31), "No day after 2999; where a BAA has no end, leave its last day empty.")


LATER: dict[str, Any] = {"blank": True, "default": "", "db_default": ""}
"""For a column that determinations have which were prepared since there is such a column."""


class State(StrEnum):
    EXECUTED = "executed"
    NOT_REQUIRED = "not_required"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is in force at a moment.

    ``row`` is the determination in force, or the one that ended last. ``until`` is when none will be in force any more.
    """

    state: State
    row: "Agreement | None" = None
    until: datetime | None = None

    @property
    def permits_charging(self) -> bool:
        return self.state in (State.EXECUTED, State.NOT_REQUIRED)


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def delete(self) -> NoReturn:
        raise AppendOnlyError("A determination is never deleted; withdraw it.")


class Agreement(models.Model):
    class Subject(models.TextChoices):
        PAYMENT_PROCESSOR = "payment_processor", "The payment processor"
        DATABASE = "database", "The supplier of the database"
        HOSTING = "hosting", "The supplier of the hosting"
        MAIL = "mail", "The supplier of e-mail"

    class Kind(models.TextChoices):
        EXECUTED = "executed", "A BAA was executed"
        NOT_REQUIRED = "not_required", "No BAA is required"

    subject = models.CharField(max_length=40, choices=Subject.choices, default=Subject.PAYMENT_PROCESSOR)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    document_sha256 = models.CharField("SHA-256", max_length=64, validators=[SHA256])
    document_at = models.CharField("where the document is kept", max_length=200, **LATER)
    counterparty = models.CharField("legal entity of the supplier", max_length=200, **LATER)
    services = models.CharField("services covered", max_length=200, **LATER)
    terms_version = models.CharField("version of its terms", max_length=100, **LATER)
    terms_dated = models.DateField("date of its terms", null=True, blank=True)
    terms_review_by = models.DateField("look at its terms again by", null=True, blank=True, validators=[LATEST])
    outbound_fingerprint = models.CharField("fingerprint of what is sent", max_length=64, **LATER)
    outbound_list = models.TextField("what is sent", **LATER)
    our_signer = models.CharField("signed for us by", max_length=200, blank=True)
    their_signer = models.CharField("signed for them by", max_length=200, blank=True)
    signed_on = models.DateField("date signed", null=True, blank=True)
    effective_from = models.DateField(null=True, blank=True)
    effective_until = models.DateField(null=True, blank=True, validators=[LATEST])
    legal_basis = models.TextField(blank=True)
    reviewer = models.CharField(max_length=200, blank=True)
    review_by = models.DateField(null=True, blank=True, validators=[LATEST])
    prepared_by = models.ForeignKey("billing.User", on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField(default=clock.wall)
    approved_by = models.ForeignKey("billing.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey("billing.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=200, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        verbose_name = "determination"
        ordering = ["-prepared_at", "-pk"]
        default_permissions = ("view",)
        permissions = [
            ("prepare_agreement", "May prepare a BAA determination"),
            ("approve_agreement", "May approve a BAA determination that another person prepared"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by=None, approved_at=None)
                | Q(approved_by__isnull=False, approved_at__isnull=False) & ~Q(approved_by=F("prepared_by")),
                name="determination_approved_by_another",
                violation_error_message="Another person than the one who prepared it must approve it.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_by=None, withdrawn_at=None, withdrawn_reason="")
                | Q(withdrawn_by__isnull=False, withdrawn_at__isnull=False) & ~Q(withdrawn_reason=""),
                name="determination_withdrawn_by_whom_and_why",
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind="executed", signed_on__isnull=False, effective_from__isnull=False)
                    & ~Q(our_signer="")
                    & ~Q(their_signer="")
                    & Q(legal_basis="", reviewer="", review_by=None)
                )
                | (
                    Q(kind="not_required", review_by__isnull=False)
                    & ~Q(legal_basis="")
                    & ~Q(reviewer="")
                    & Q(our_signer="", their_signer="", signed_on=None, effective_from=None, effective_until=None)
                ),
                name="determination_says_what_its_kind_needs",
                violation_error_message="An executed BAA needs the signers of both sides, the date signed and the "
                "day it takes effect; where none is required, the legal basis, the reviewer and a date of review.",
            ),
            models.CheckConstraint(
                condition=Q(effective_until=None) | Q(effective_until__gte=F("effective_from")),
                name="determination_ends_after_it_begins",
                violation_error_message="Its last day lies before the day it takes effect.",
            ),
            models.CheckConstraint(
                condition=Exact(Length("document_sha256"), 64),
                name="determination_hash_is_whole",
                violation_error_message=SHA256.message,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.document_sha256[:12]}…"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A determination is never edited; prepare another.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A determination is never deleted; withdraw it.")

    @property
    def begins_at(self) -> datetime | None:
        """Return the first moment at which it can be in force. Approval is needed too, and may come later."""
        return _midnight(self.effective_from) if self.effective_from else self.approved_at

    @property
    def ends_at(self) -> datetime | None:
        """Return the first moment at which it is no longer in force by its dates, or None."""
        last = self.effective_until or self.review_by
        return _midnight(last + timedelta(days=1)) if last else None

    @property
    def terms_are_due_at(self) -> datetime | None:
        """Return the first moment after the last day by which somebody should have looked at the terms again."""
        return _midnight(self.terms_review_by + timedelta(days=1)) if self.terms_review_by else None

    def stands(self, at: datetime) -> bool:
        """Return whether it is approved and not withdrawn at this moment, whatever its dates are."""
        return bool(self.approved_at and self.approved_at <= at) and not (self.withdrawn_at and self.withdrawn_at <= at)

    def in_force(self, at: datetime) -> bool:
        begun = bool(self.begins_at and self.begins_at <= at)
        return self.stands(at) and begun and not (self.ends_at and self.ends_at <= at)


def standing(rows: Iterable[Agreement], *, at: datetime) -> Standing:
    """Return what is in force at ``at`` (aware, of the wall clock), from all rows about one subject. Pure."""
    approved = [row for row in rows if row.stands(at)]
    row = _in_force(approved, at)
    if row:
        return Standing(State(row.kind), row, _end(row, approved))
    over = [(row.ends_at, row.approved_at, row) for row in approved if row.ends_at and row.ends_at <= at]
    if over:
        return Standing(State.EXPIRED, max(over, key=lambda one: one[:2])[2])
    return Standing(State.UNKNOWN)


def payment_processor(*, at: datetime, using: str = "default") -> Standing:
    """Return what is in force about the payment processor at ``at`` (aware, of the wall clock)."""
    return about(Agreement.Subject.PAYMENT_PROCESSOR, at=at, using=using)


def about(subject: str, *, at: datetime, using: str = "default") -> Standing:
    """Return what is in force about this supplier at ``at`` (aware, of the wall clock)."""
    return standing(Agreement.objects.using(using).filter(subject=subject).defer("outbound_list"), at=at)


def _in_force(rows: Iterable[Agreement], at: datetime) -> Agreement | None:
    """Return the determination in force. If there are several, return the one that was approved last."""
    found = [row for row in rows if row.in_force(at)]
    return max(found, key=lambda row: (row.approved_at, row.pk)) if found else None


def _end(row: Agreement, approved: list[Agreement]) -> datetime | None:
    """Return when the row ends. If another follows it without a gap, return when that one ends, and so on."""
    end = row.ends_at
    while end and (follower := _in_force(approved, end)):
        end = follower.ends_at
    return end


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
