"""Recording counsel's determination: one person prepares it, another approves it, either may withdraw it.

Stripe is not asked. Each act, and each attempt that is refused, is in the audit trail. These are functions and no
declared operations: they are about no Office, so there is no Office's lock, history or permission to declare, and the
API does not offer them.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from billing import clock, errors, jobs
from billing.access import roles, two_people
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor, job
from billing.findings import report, resolve
from billing.models import Agreement
from billing.models.agreement import about, payment_processor
from billing.stripe_api import charging, outbound, reviewed
from billing.text import fields

BY = job("report-lapse")
LAPSED, TO_RENEW = "determination_lapsed", "determination_to_renew"
WHO_AND_WHERE = ("document_at", "counterparty", "services", "terms_version", "terms_dated", "terms_review_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplierTerms:
    """Which supplier it is about and on what terms. ``terms_review_by``: the last day to look at them again."""

    document_sha256: str
    document_at: str
    counterparty: str
    services: str
    terms_version: str
    terms_dated: date
    terms_review_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed(SupplierTerms):
    """A BAA was signed; the hash is of the signed document. Dates are whole days in UTC, the last one counts."""

    our_signer: str
    their_signer: str
    signed_on: date
    effective_from: date
    effective_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRequired(SupplierTerms):
    """Counsel found that none is required; the hash is of the memo. It holds to the end of ``review_by``."""

    legal_basis: str
    reviewer: str
    review_by: date


def prepare_determination(
    found: Executed | NotRequired,
    *,
    by: Actor,
    reason: str,
    subject: str = Agreement.Subject.PAYMENT_PROCESSOR,
) -> Agreement:
    """What counsel found is written down, and waits for another person's approval. Nothing holds by it yet.

    One about the payment processor names the list of what is sent there, as it is now. Repeating makes another row.

    Raises:
        NotPermitted, ReasonRequired: as for every operation.
        TextNotNeutral: a text seems to be about a patient; it says which.
        DeterminationInvalid: something is missing or cannot be; it says what.
    """
    kind = Agreement.Kind.EXECUTED if isinstance(found, Executed) else Agreement.Kind.NOT_REQUIRED
    given = {name: value.strip() if isinstance(value, str) else value for name, value in asdict(found).items()}
    row = Agreement(subject=subject, kind=kind, **given)
    row.document_sha256 = row.document_sha256.lower()
    if subject == Agreement.Subject.PAYMENT_PROCESSOR:
        row.outbound_list, row.outbound_fingerprint = outbound.text(), outbound.fingerprint_of(outbound.text())
    with _on_record("prepare_determination", row, by=by, reason=reason):
        row.prepared_by = roles.require(by, Power.PREPARE)
        trail.checked_reason(reason)
        fields.check("Agreement", **given)
        try:
            row.full_clean()
        except ValidationError as error:
            raise errors.DeterminationInvalid(_in_words(error)) from None
        if missing := [one for one in WHO_AND_WHERE if not getattr(row, one)]:
            raise errors.DeterminationInvalid(f"Missing: {', '.join(_called(name) for name in missing)}.")
        if row.terms_are_due_at and row.terms_are_due_at <= clock.wall():
            raise errors.DeterminationInvalid("The day to look at the terms again is over. Look at them first.")
        if row.signed_on and row.signed_on > clock.wall().date():
            raise errors.DeterminationInvalid("The date signed is in the future. Record the BAA after it is signed.")
        _refuse_over(row)
        with transaction.atomic(durable=True):
            row.save()
    return row


def approve_determination(determination: Agreement, *, by: Actor, reason: str) -> Agreement:
    """Two people stand behind it: it holds from now, or from the day it takes effect.

    Raises:
        NotPermitted, ReasonRequired: as for every operation.
        SecondPersonRequired: the one who prepared it may not approve it.
        OnePersonBehindBoth: nor may an account that the same person could use.
        DeterminationDecided: it was approved or withdrawn before.
        DeterminationInvalid: its last day is over.
    """
    with _on_record("approve_determination", determination, by=by, reason=reason):
        person = roles.require(by, Power.DETERMINATIONS)
        trail.checked_reason(reason)
        with transaction.atomic(durable=True):
            fresh = _fresh(determination)
            if fresh.prepared_by == person:
                raise errors.SecondPersonRequired(fresh)
            two_people.require_two(fresh.prepared_by, person)
            _refuse_over(fresh)
            waiting = Agreement.objects.filter(pk=fresh.pk, approved_at=None, withdrawn_at=None)
            if not waiting.update(approved_by=person, approved_at=clock.wall()):
                raise _decided(_fresh(fresh))
            trail.record_act(fresh, f"approved by {by.label}, prepared by {fresh.prepared_by}: {fresh}")
    report_lapse()
    return _fresh(determination)


def withdraw_determination(determination: Agreement, *, by: Actor, reason: str) -> Agreement:
    """It holds no more, or never will where it was not approved yet; it stays on record with who and why.

    One that was approved is withdrawn by someone who may approve.

    Raises:
        NotPermitted, ReasonRequired: as for every operation.
        DeterminationDecided: it was withdrawn before, or approved meanwhile.
    """
    with (
        _on_record("withdraw_determination", determination, by=by, reason=reason),
        transaction.atomic(durable=True),
    ):
        fresh = _fresh(determination)
        power = Power.DETERMINATIONS if fresh.approved_at else Power.PREPARE
        person = roles.require(by, power, to="withdraw this determination")
        unchanged = Agreement.objects.filter(pk=fresh.pk, approved_at=fresh.approved_at, withdrawn_at=None)
        written = {
            "withdrawn_by": person,
            "withdrawn_at": clock.wall(),
            "withdrawn_reason": trail.checked_reason(reason),
        }
        if not unchanged.update(**written):
            raise _decided(_fresh(fresh))
        trail.record_act(fresh, f"withdrawn by {by.label}, prepared by {fresh.prepared_by}: {fresh}")
    report_lapse()
    return _fresh(determination)


@jobs.job("report-lapse", every=timedelta(minutes=1))
def report_lapse() -> None:
    """In live mode one critical Finding is open exactly while nothing permits charging; elsewhere none is filed.

    Another tells that a determination in force should be renewed. Safe to repeat.
    """
    record_reviewed_list()
    if not settings.STRIPE_LIVE_MODE:
        return
    for supplier in Agreement.Subject:
        _report_to_renew(supplier)
    subject, found = Agreement.Subject.PAYMENT_PROCESSOR, payment_processor(at=clock.wall())
    if found.permits_charging:
        resolve(LAPSED, subject, resolution="a determination is in force")
    else:
        why = f"Live charging is refused, but Stripe continues renewals itself: {charging.why_not(found)}"
        report(LAPSED, subject, office=None, detail=f"{why} {errors.RECORD_DETERMINATION}")


def record_reviewed_list() -> None:
    """Let determinations that name no list of what is sent cover today's list. Safe to repeat.

    They were prepared before determinations named it. What the list has at this update was sent under them.
    """
    nameless = Agreement.objects.filter(subject=Agreement.Subject.PAYMENT_PROCESSOR, outbound_fingerprint="")
    for row in nameless:
        listed = outbound.text()
        fingerprint = outbound.fingerprint_of(listed)
        with trail.acting(BY, reason="prepared before determinations named it"), transaction.atomic(durable=True):
            if nameless.filter(pk=row.pk).update(outbound_list=listed, outbound_fingerprint=fingerprint):
                trail.record_act(row, f"it named no list of what is sent, and covers the one with {fingerprint}")


def _report_to_renew(supplier: str) -> None:
    """Without a determination in force there is none to renew, but what is held back stays held back."""
    now = clock.wall()
    found = about(supplier, at=now)
    why = reviewed.why_renew(supplier, found.row if found.permits_charging else None, at=now)
    if why:
        report(TO_RENEW, supplier, office=None, detail=f"{' '.join(why)} {errors.RECORD_DETERMINATION}")
        return
    in_force = "nothing was added or changed since the determination in force"
    resolve(TO_RENEW, supplier, resolution=in_force if found.permits_charging else "no determination is in force")


@contextlib.contextmanager
def _on_record(what: str, row: Agreement, *, by: Actor, reason: str) -> Iterator[None]:
    """What is recorded inside is by this person and for this reason; a refusal is recorded too."""
    with trail.acting(by, reason=reason):
        try:
            yield
        except errors.BillingError as refusal:
            subject = row if row.pk else Agreement(pk=0, kind=row.kind)  # nothing was stored that it could name
            trail.record_refusal(subject, f"{what}: {refusal.on_record}", code=refusal.code)
            raise


def _fresh(row: Agreement) -> Agreement:
    return Agreement.objects.select_related("prepared_by", "approved_by", "withdrawn_by").get(pk=row.pk)


def _decided(row: Agreement) -> errors.DeterminationDecided:
    return errors.DeterminationDecided(row, "withdrawn" if row.withdrawn_at else "approved")


def _refuse_over(row: Agreement) -> None:
    if row.ends_at and row.ends_at <= clock.wall():
        raise errors.DeterminationInvalid("Its last day is over, so it would have no effect. Record a later one.")


def _called(name: str) -> str:
    return str(getattr(Agreement._meta.get_field(name), "verbose_name", name))


def _in_words(error: ValidationError) -> str:
    """Which field is wrong, and how."""
    found = []
    for name, messages in error.message_dict.items():
        label = "" if name == NON_FIELD_ERRORS else f"{_called(name)}: "
        found += [f"{label}{message}" for message in messages]
    return " ".join(found)
