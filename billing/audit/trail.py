"""Writing the audit trail, and the context that every entry is written with.

One ContextVar holds who acts, on which Office, why, and in which request. When a registered model is saved inside
``acting(...)``, django-auditlog writes an entry by itself. ``record_act`` and ``record_refusal`` write entries for what
changes no row.
"""

import contextlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from auditlog.registry import auditlog
from django.conf import settings
from django.db.models.signals import pre_save

from billing import clock, errors, models, neutral_text
from billing.audit import leaves
from billing.audit.actor import Actor
from billing.models import AuditEntry, Office


@dataclass(frozen=True, slots=True)
class Context:
    actor: Actor | None = None
    office: Office | None = None
    reason: str = ""
    request_id: str = ""


_context: ContextVar[Context] = ContextVar("audit_context", default=Context())  # noqa: B039  frozen

REGISTERED: dict[type, dict[str, Any]] = {
    models.Agreement: {},
    models.ApprovalRequest: {"include_fields": ["kind", "request", "amount", "currency", "outcome", "operation"]},
    models.EmergencyRole: {},
    models.Office: {
        "exclude_fields": ["look_ticket", "customer_ticket", "confirmed_at", "reconciled_at", "name_folded"]
    },
    models.Plan: {"exclude_fields": ["ticket", "name_folded"]},
    models.PlanPrice: {"exclude_fields": ["ticket"]},
    models.Subscription: {"exclude_fields": ["ticket"]},
    models.Invoice: {"exclude_fields": ["ticket", "lines", "reconciled_at"]},
    models.SubscriptionItem: {},
    models.InvoicePayment: {},
    models.Payment: {"exclude_fields": ["ticket"]},
    models.Adjustment: {"exclude_fields": ["ticket"]},
    models.PaymentMethod: {"exclude_fields": ["ticket"]},
    models.Operation: {
        "include_fields": ["kind", "status", "error_code", "actor_label", "reason", "request"],
    },
    models.Invitation: {},
    models.Membership: {},
    models.OfficeUserPermission: {},
    models.ServiceIdentity: {"exclude_fields": ["last_used_at"], "m2m_fields": {"offices"}},
    models.ServiceSecret: {"exclude_fields": ["digest"]},
    models.StripeAccount: {"exclude_fields": ["catalogue_ticket"]},
    models.User: {
        "exclude_fields": ["password", "last_login", "name_folded", "access_number"],
        "m2m_fields": {"groups"},
    },
    models.Vouching: {},
}


class ActorMissing(RuntimeError):
    """An entry was about to be written without an actor."""


def current() -> Context:
    return _context.get()


@contextlib.contextmanager
def acting(
    by: Actor, *, office: Office | None = None, reason: str = "", request_id: str | None = None
) -> Iterator[None]:
    """Write the entries inside with this actor, Office and reason. The request's id stays unless another is given."""
    outer = _context.get()
    token = _context.set(Context(by, office, reason, outer.request_id if request_id is None else request_id))
    try:
        yield
    finally:
        _context.reset(token)


def act_as(by: Actor) -> None:
    """Set the actor for the rest of this request or task. For callers that learn late who acts."""
    _context.set(replace(_context.get(), actor=by))


def checked_reason(reason: str) -> str:
    """Return the reason in one line. Raises: ReasonRequired, TextNotNeutral."""
    reason = " ".join(reason.split())
    if not 3 <= len(reason) <= neutral_text.LONGEST:
        raise errors.ReasonRequired
    return neutral_text.checked(reason)


def record_act(subject: Any, what: str, *, office: Office | None = None) -> AuditEntry:
    """Record an act that changed no row of ours."""
    return _record(AuditEntry.Kind.ACT, subject, what, office)


def record_refusal(subject: Any, what: str, *, office: Office | None = None) -> AuditEntry:
    """Record an attempt that was refused. The reason of the context is left out.

    Give nothing that the person wrote: a refused text may be about a patient, and the trail is kept for years.
    """
    return _record(AuditEntry.Kind.REFUSAL, subject, what, office)


def _record(kind: AuditEntry.Kind, subject: Any, what: str, office: Office | None) -> AuditEntry:
    return AuditEntry.objects.log_create(
        subject,
        force_log=True,
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
    instance.request_id = instance.request_id or context.request_id
    instance.billing_at = clock.billing()
    if instance.office_id is None:
        instance.office_id = _office_of(instance) or (context.office.pk if context.office else None)
    instance.nonce = uuid.uuid4()
    instance.mac = leaves.mac(instance)


def _office_of(entry: AuditEntry) -> int | None:
    """Return the primary key of the Office if the entry is about an Office. Offices are never deleted."""
    if entry.content_type.model == "office" and entry.content_type.app_label == "billing":
        return entry.object_id
    return None


def register() -> None:
    """Register the audited models. It is called once, when the apps are ready."""
    for model, options in REGISTERED.items():
        if not auditlog.contains(model):
            auditlog.register(model, **options)
    pre_save.connect(_complete, sender=AuditEntry, dispatch_uid="audit-context")
