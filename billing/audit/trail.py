"""Writing the audit trail, and the context that every entry is written with.

One ContextVar holds who acts, on which Office, why, and in which request. When a registered model is saved inside
``acting(...)``, django-auditlog writes an entry by itself. ``save_changed`` writes the same one. ``record_act``,
``record_refusal`` and ``record_read`` write entries for what changes no row.
"""

import contextlib
import uuid
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import structlog
from auditlog.context import disable_auditlog
from auditlog.diff import model_instance_diff
from auditlog.registry import auditlog
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model, QuerySet
from django.db.models.signals import pre_save
from django.db.transaction import get_connection

from billing import clock, errors, models, time_limits
from billing.audit import leaves, refusals
from billing.audit.actor import Actor
from billing.models import AuditEntry, Office, User
from billing.text import gate
from billing.text.gate import Typed

NOBODY = User(pk=0, email="nobody known here")
"""What an entry is about if that belongs to nobody whom we know."""


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """The request inside which something is written. Outside of one, all is empty."""

    request_id: str = ""
    address: str | None = None
    network: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    actor: Actor | None = None
    office: Office | None = None
    reason: str = ""
    asked_from: AskedFrom = AskedFrom()


_context: ContextVar[Context] = ContextVar("audit_context", default=Context())  # noqa: B039  frozen

REGISTERED: dict[type[Model], dict[str, Any]] = {
    models.Agreement: {"exclude_fields": ["outbound_list"]},  # its fingerprint is there
    models.ApprovalRequest: {"include_fields": ["kind", "amount", "currency", "outcome", "operation"]},
    models.BulkAct: {"exclude_fields": ["given", "ended_at"]},  # each Office has an entry of its own
    models.EmergencyRole: {},
    models.FollowUp: {"exclude_fields": ["updated_at"]},
    models.Office: {
        "exclude_fields": (
            "look_ticket customer_ticket confirmed_at reconciled_at name_folded searched_as read_as"
        ).split()
    },
    models.OfficeNote: {"exclude_fields": ["text"]},
    models.Plan: {"exclude_fields": ["ticket", "name_folded"]},
    models.PlanPrice: {"exclude_fields": ["ticket"]},
    models.PlanOperation: {"include_fields": ["kind", "status", "error_code", "actor_label", "reason"]},
    models.Subscription: {"exclude_fields": ["ticket"]},
    models.Invoice: {"exclude_fields": ["ticket", "lines", "reconciled_at"]},
    models.SubscriptionItem: {},
    models.InvoicePayment: {},
    models.Payment: {"exclude_fields": ["ticket"]},
    models.Adjustment: {"exclude_fields": ["ticket"]},
    models.PaymentMethod: {"exclude_fields": ["ticket"]},
    models.Operation: {
        "include_fields": ["kind", "status", "error_code", "actor_label", "reason"],
    },
    models.Invitation: {},
    models.Membership: {},
    models.OfficeUserPermission: {},
    models.ServiceIdentity: {"exclude_fields": ["last_used_at"], "m2m_fields": {"offices"}},
    models.ServiceSecret: {"exclude_fields": ["digest"]},
    models.StripeAccount: {"exclude_fields": ["catalogue_ticket"]},
    models.TrailReview: {},
    models.User: {
        "exclude_fields": ["password", "last_login", "name_folded", "searched_as", "access_number", "saved_views"],
        "m2m_fields": {"groups"},
    },
    models.Vouching: {},
}


class ActorMissing(RuntimeError):
    """An entry was about to be written without an actor."""


def installation() -> models.StripeAccount:
    """Return what an entry is about that concerns no row, but all of this installation."""
    account = models.StripeAccount.objects.first()
    return account or models.StripeAccount(pk=1, account_id="no account yet", livemode=False)


def current() -> Context:
    return _context.get()


@contextlib.contextmanager
def acting(
    by: Actor,
    *,
    office: Office | None = None,
    reason: str = "",
    asked_from: AskedFrom | None = None,
    request_id: str | None = None,
) -> Iterator[None]:
    """Write the entries inside with this actor, Office and reason.

    What belongs together has one request id: the outer one stays unless another is given. Where there is none, such as
    in a worker, a new one is made.
    """
    asked_from = asked_from or _context.get().asked_from
    request_id = request_id or asked_from.request_id or uuid.uuid4().hex
    token = _context.set(Context(by, office, reason, replace(asked_from, request_id=request_id)))
    try:
        with structlog.contextvars.bound_contextvars(request_id=request_id):  # the log's lines have it too
            yield
    finally:
        _context.reset(token)


def save_changed(row: Model, *, before: Model, names: Iterable[str]) -> None:
    """Save these columns of the row, and write the entry that auditlog would write, without reading the row again.

    ``before`` is the row as it was read in this transaction, which holds a lock that keeps others from changing it.
    """
    names = list(names)
    with disable_auditlog():
        row.save(update_fields=names)
    changes = model_instance_diff(before, row, fields_to_check=names)
    if changes:
        AuditEntry.objects.log_create(row, action=AuditEntry.Action.UPDATE, changes=changes)


def request_that_made(row: Model) -> str | None:
    """Return the id of the request that created this row, or None if no entry says it."""
    found = AuditEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(row), object_id=row.pk, action=AuditEntry.Action.CREATE
    )
    return found.order_by("timestamp").values_list("request_id", flat=True).first()


def act_as(by: Actor) -> None:
    """Set the actor for the rest of this request or task. For callers that learn late who acts."""
    _context.set(replace(_context.get(), actor=by))


def checked_reason(reason: str) -> str:
    """Return the reason in one line. Raises: ReasonRequired, TextNotNeutral."""
    reason = " ".join(reason.split())
    if not 3 <= len(reason) <= gate.LONGEST:
        raise errors.ReasonRequired
    return gate.checked(reason, Typed.REASON, called="reason")


def record_act(
    subject: Any,
    what: str,
    *,
    office: Office | None = None,
    changes: dict[str, str] | None = None,
    data: dict[str, Any] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> AuditEntry:
    """Record an act that changed no row of ours. ``data`` is for what a program reads later."""
    entry = _entry(AuditEntry.Kind.ACT, subject, what, office)
    entry.changes, entry.additional_data = changes, data
    entry.save(using=using)
    return entry


def acts_about(model: type[Model]) -> QuerySet[AuditEntry]:
    """Return the acts that were recorded about rows of this model."""
    of_model = ContentType.objects.get_for_model(model)
    return AuditEntry.objects.filter(content_type=of_model, kind=AuditEntry.Kind.ACT)


def record_refusal(subject: Any, what: str, *, code: str, office: Office | None = None) -> None:
    """Record an attempt that was refused, or count it if it came before: see ``refusals``.

    ``code`` says of which kind it is, by which it is searched for: the code of the error if there is one. It is about
    the Office of the context unless another one is given. The reason of the context is left out. Give nothing that the
    person wrote: a refused text may be about a patient, and the trail is kept for years.

    Raises: an error of the database within two seconds, if it takes no write. What is not on record is not answered.
    """
    if get_connection().in_atomic_block:
        _write_refusal(subject, what, code, office, using=DEFAULT_DB_ALIAS)
        return
    with time_limits.impatient_write() as using:
        _write_refusal(subject, what, code, office, using=using)


def _write_refusal(subject: Any, what: str, code: str, office: Office | None, *, using: str) -> None:
    context = _context.get()
    entry = _entry(AuditEntry.Kind.REFUSAL, subject, what, office)
    entry.office = entry.office or context.office
    about = (entry.content_type_id, entry.object_pk, entry.what)
    with transaction.atomic(using=using):
        place = refusals.counted(context.actor, context.asked_from.network, entry.office_id, *about, using=using)
        if place is None:
            return
        if place.more:
            by, at_one = context.actor, entry.office if place.more == refusals.MORE_AT_ONE else None
            subject, code = (by and (by.user or by.identity)) or NOBODY, refusals.CODE_OF_MORE
            entry = _entry(AuditEntry.Kind.REFUSAL, subject, place.more, at_one)
        entry.window_key, entry.additional_data = place.key, {"code": code}
        entry.save(using=using)


def record_count(first: AuditEntry, what: str) -> None:
    """Record how often a refusal came again. ``first`` is its entry."""
    names = ("content_type", "object_pk", "object_id", "object_repr", "office", "additional_data")
    about = {name: getattr(first, name) for name in names}
    AuditEntry(kind=AuditEntry.Kind.REFUSAL, action=AuditEntry.Action.ACCESS, what=what[:200], **about).save()


def record_read(subject: Any, what: str, *, key: str, office: Office | None, using: str = DEFAULT_DB_ALIAS) -> None:
    """Record that somebody looked at something, unless an entry has this key. One statement."""
    entry = _entry(AuditEntry.Kind.READ, subject, what, office)
    entry.window_key = key
    _complete(AuditEntry, entry)
    QuerySet(AuditEntry, using=using).bulk_create([entry], ignore_conflicts=True)


def _entry(kind: AuditEntry.Kind, subject: Any, what: str, office: Office | None) -> AuditEntry:
    """Return an entry about a row. Who acts is filled in when it is saved."""
    return AuditEntry(
        content_type=ContentType.objects.get_for_model(subject),
        object_pk=str(subject.pk),
        object_id=subject.pk if isinstance(subject.pk, int) else None,
        object_repr=str(subject),
        action=AuditEntry.Action.ACCESS,
        kind=kind,
        what=errors.without_stripe_ids(what)[:200],
        office=office or (subject if isinstance(subject, Office) else None),
    )


def _complete(sender: type, instance: AuditEntry, **_: Any) -> None:
    """Fill an entry from the context before it is inserted. Raises: ActorMissing, if the settings require an actor."""
    if not instance._state.adding:
        return
    context = _context.get()
    if context.actor is None:
        if settings.AUDIT_REQUIRES_ACTOR:
            raise ActorMissing(f"No actor for: {instance.object_repr}")
        instance.actor_kind, instance.actor_label = "job", "unattended"
    else:
        instance.actor = context.actor.user
        instance.actor_kind, instance.actor_label = context.actor.kind, context.actor.label
    if instance.kind != AuditEntry.Kind.REFUSAL:
        instance.reason = instance.reason or context.reason[:200]
    instance.request_id = instance.request_id or context.asked_from.request_id
    instance.remote_addr = context.asked_from.address
    instance.billing_at = clock.billing()
    if instance.office_id is None:
        instance.office_id = _office_of(instance)
    if instance.office_id is None and context.office and instance.kind != AuditEntry.Kind.REFUSAL:
        instance.office_id = context.office.pk
    instance.nonce = uuid.uuid4()
    instance.mac = leaves.mac(instance)


def _office_of(entry: AuditEntry) -> int | None:
    """Return the primary key of the Office if the entry is about an Office. Offices are never deleted."""
    if entry.content_type.model == "office" and entry.content_type.app_label == "billing":
        return entry.object_id
    return None


def register() -> None:
    """Register the audited models. It is called once, when the apps are ready.

    auditlog also takes relations of other models to this one for its fields, where a row is new or was deleted. They
    are left out: they say nothing.
    """
    for model, options in REGISTERED.items():
        if not auditlog.contains(model):
            of_others = [one.name for one in model._meta.get_fields() if not one.concrete]
            auditlog.register(model, **{**options, "exclude_fields": [*options.get("exclude_fields", ()), *of_others]})
    pre_save.connect(_complete, sender=AuditEntry, dispatch_uid="audit-context")
