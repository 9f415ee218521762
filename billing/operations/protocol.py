"""How an operation is carried out: intent committed, Stripe asked outside any transaction, outcome committed.

Here it begins, or is refused; ``bodies`` are what it does, ``run`` its requests, ``settling`` its end.
"""

from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from billing import clock, errors
from billing.access import grants
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Office, Operation
from billing.operations import idempotency
from billing.operations.run import LEASE, Run
from billing.operations.settling import carry_out

Begun = Callable[[Operation], None]
Status = Operation.Status
ANSWER_LOST = "Stripe did not answer. What it may have made is of no use to anybody: ask for another in a minute."


def perform(
    kind: str,
    office: Office,
    *,
    by: Actor,
    reason: str,
    request: dict[str, Any],
    guard: Callable[[Office], None],
    begun: Begun | None = None,
) -> Office:
    """The operation was carried out, and our rows show it. ``guard`` raises where it must not begin; ``begun``
    writes down more of the intent, in the transaction that begins it.

    Raises:
        NotPermitted, ReasonRequired, OfficeArchived, OperationInProgress, and what the guard raises:
            nothing was asked of Stripe, and the refusal is in the audit trail.
        CardDeclined, StripeRejected: Stripe said no; the operation says so.
        StripeUnavailable: nobody knows yet; the worker settles it.
    """
    _, office = performed(kind, office, by=by, reason=reason, request=request, guard=guard, begun=begun)
    return office


def perform_and_tell(
    kind: str,
    office: Office,
    *,
    by: Actor,
    reason: str,
    request: dict[str, Any],
    guard: Callable[[Office], None],
) -> str:
    """As ``perform``; returns what Stripe's answer holds for the one who asked (a link, a secret), once.

    It is stored nowhere, so where no answer arrived it is lost: the operation settles, and another is asked for.
    """
    try:
        run, _ = performed(kind, office, by=by, reason=reason, request=request, guard=guard)
    except errors.StripeUnavailable as lost:
        raise errors.StripeUnavailable(ANSWER_LOST, replayed=lost.replayed, retry_after=lost.retry_after) from None
    if not run.told:
        raise errors.StripeUnavailable(ANSWER_LOST)
    return run.told


def performed(
    kind: str,
    office: Office,
    *,
    by: Actor,
    reason: str,
    request: dict[str, Any],
    guard: Callable[[Office], None],
    begun: Begun | None = None,
) -> tuple[Run, Office]:
    """As ``perform``, for a caller that asks what the operation made, or what Stripe told."""
    with trail.acting(by, office=office, reason=reason):
        try:
            operation = _begin(kind, office, by=by, reason=reason, request=request, guard=guard, begun=begun)
        except errors.BillingError as refusal:
            trail.record_refusal(office, f"{kind}: {refusal.on_record}")
            raise
        run = Run(operation)
        return run, carry_out(run)


def _begin(
    kind: str,
    office: Office,
    *,
    by: Actor,
    reason: str,
    request: dict[str, Any],
    guard: Callable[[Office], None],
    begun: Begun | None,
) -> Operation:
    grants.require(by, "manage_billing", office)
    try:
        with transaction.atomic(durable=True):
            fresh = Office.objects.select_for_update().get(pk=office.pk)  # it is not archived meanwhile
            if fresh.archived_at:
                raise errors.OfficeArchived(fresh)
            guard(fresh)  # before the reason: who may not do it is told that, whatever the reason says
            reason = trail.stated(reason)
            operation = Operation.objects.create(
                office=fresh,
                kind=kind,
                actor=by.user,
                actor_kind=by.kind,
                actor_label=by.label,
                reason=reason,
                request=request,
                lease_until=clock.wall() + LEASE,
            )
            idempotency.link(operation)
            if begun:
                begun(operation)
            return operation
    except IntegrityError:
        require_settled(office, by)
        raise


def require_settled(office: Office, by: Actor) -> None:
    """Raises: OperationInProgress."""
    other = unsettled(office)
    if other is not None:
        raise errors.OperationInProgress(other, asked_by(other, by)) from None


def unsettled(office: Office) -> Operation | None:
    """The operation that nobody knows the outcome of yet: no other can begin."""
    found = Operation.objects.filter(office=office, status__in=[Status.OPEN, Status.UNKNOWN])
    return found.select_related("actor").first()


def asked_by(operation: Operation, reader: Actor) -> str:
    """Who asked for it, as far as the reader may know: an Office's own people are told no addresses."""
    if reader.user is None or reader.user.is_staff:
        return operation.actor_label
    if operation.actor == reader.user:
        return "yourself"
    return "the vendor" if operation.actor is None or operation.actor.is_staff else "a colleague"
