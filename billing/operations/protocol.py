"""How an operation is carried out: intent committed, Stripe asked outside any transaction, outcome committed.

A body is a function that can be run again from its start: each of its requests has a key of its own
(``<operation>:<step>``), so that Stripe answers a repeated one with the first answer. An operation whose
process died, or that got no answer, is run again by the worker with the same keys and parameters for at
most 20 h. After that, or where Stripe replays a failure of its own, the object is looked for by
``metadata.operation``; not found, the operation is abandoned and a Finding filed.
Source: https://docs.stripe.com/api/idempotent_requests
"""

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import F

from billing import clock, errors
from billing.access import grants
from billing.audit import trail
from billing.audit.actor import Actor, Kind
from billing.findings import report
from billing.look import look
from billing.models import Office, Operation, OperationStep
from billing.operations import idempotency

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
ASK_AGAIN_FOR = timedelta(hours=20)
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)

Status = Operation.Status
Body = Callable[..., None]
Search = Callable[["Run", Office], bool]
Begun = Callable[[Operation], None]
BODIES: dict[str, Body] = {}
SEARCHES: dict[str, Search] = {}
ANSWER_LOST = "Stripe did not answer. What it may have made is of no use to anybody: ask for another in a minute."
ABOUT_CARDS: set[str] = set()
"""Kinds after which a look asks for the cards too."""


class AnswerLost(errors.StripeUnavailable):
    """Asking again under the same key cannot bring the answer any more."""


class Step:
    """One request to Stripe: written down before it is sent and after it is answered."""

    def __init__(self, operation: Operation, name: str) -> None:
        self.operation = operation
        self.name = name
        self.key = f"{operation.public_id}:{name}"

    def asking(self, method: str, path: str, params: dict[str, Any], api_version: str) -> dict[str, Any]:
        now = clock.wall()
        with transaction.atomic(durable=True):
            row, first = OperationStep.objects.get_or_create(
                key=self.key,
                defaults={
                    "operation": self.operation,
                    "name": self.name,
                    "method": method,
                    "path": path,
                    "params": params,
                    "api_version": api_version,
                    "first_asked_at": now,
                    "last_asked_at": now,
                },
            )
            Operation.objects.filter(pk=self.operation.pk).update(lease_until=now + LEASE)
            if not first:
                OperationStep.objects.filter(pk=row.pk).update(asked=F("asked") + 1, last_asked_at=now)
        if now - row.first_asked_at > ASK_AGAIN_FOR:
            raise AnswerLost
        return row.params

    def intend(self, method: str, path: str, params: dict[str, Any], api_version: str) -> None:
        """These parameters are what it will be asked with, whatever is passed then; nothing is asked yet."""
        now = clock.wall()
        OperationStep.objects.create(
            key=self.key,
            operation=self.operation,
            name=self.name,
            method=method,
            path=path,
            params=params,
            api_version=api_version,
            first_asked_at=now,
            last_asked_at=now,
            asked=0,
        )

    def recorded(self) -> dict[str, Any]:
        """The parameters that were written down, or nothing where it was never meant to be asked."""
        return OperationStep.objects.filter(key=self.key).values_list("params", flat=True).first() or {}

    def answered(self, *, http_status: int, request_id: str, object_id: str, error_code: str) -> None:
        with transaction.atomic(durable=True):
            OperationStep.objects.filter(key=self.key).update(
                answered_at=clock.wall(),
                http_status=http_status,
                stripe_request_id=request_id,
                object_id=object_id,
                error_code=error_code,
            )


class Run:
    """An operation while its body runs. ``told`` is for the person who asked alone, and is stored nowhere."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.id = str(operation.public_id)
        self.by = Actor(cast(Kind, operation.actor_kind), operation.actor_label, operation.actor)
        self.named: dict[str, set[str]] = {}
        self.told = ""

    def look_at(self, **named: str) -> None:
        """The look afterwards also fetches this: ``invoices=``, ``payments=`` …, as ``look`` names it."""
        for kind, stripe_id in named.items():
            self.named.setdefault(kind, set()).update({stripe_id} - {""})

    def step(self, name: str) -> Step:
        return Step(self.operation, name)

    def was_asked(self, name: str) -> bool:
        """The step was sent before, and what is sent now is what was sent then."""
        return OperationStep.objects.filter(key=self.step(name).key).exists()


def operation_body(kind: str, *, search: Search, about_cards: bool = False) -> Callable[[Body], Body]:
    """Registers what an operation of this kind does, and how to find out whether it was done."""

    def register(body: Body) -> Body:
        BODIES[kind] = body
        SEARCHES[kind] = search
        if about_cards:
            ABOUT_CARDS.add(kind)
        return body

    return register


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
            trail.record_refusal(office, f"{kind}: {refusal}")
            raise
        run = Run(operation)
        return run, _carry_out(run)


def resume_unsettled(*, limit: int = 20) -> int:
    """Operations whose process died or that got no answer were run again. Returns how many."""
    now = clock.wall()
    due = Operation.objects.filter(status__in=[Status.OPEN, Status.UNKNOWN], lease_until__lte=now)
    done = 0
    for operation in due.order_by("lease_until")[:limit]:
        claimed = Operation.objects.filter(pk=operation.pk, lease_until=operation.lease_until).filter(
            status__in=[Status.OPEN, Status.UNKNOWN]
        )
        if not claimed.update(lease_until=now + LEASE, attempts=F("attempts") + 1):
            continue
        operation.refresh_from_db()
        with trail.acting(Run(operation).by, office=operation.office, reason=operation.reason):
            try:
                _carry_out(Run(operation))
            except errors.BillingError as error:
                log.info("operation %s: %s", operation.public_id, error.code)
            except Exception as error:
                # a defect in one operation must not stop the worker: it is kept, shown and tried again later
                log.exception("operation %s could not be carried out", operation.public_id)
                _settle(operation, Status.UNKNOWN, errors.BillingError(f"A defect: {type(error).__name__}."))
        done += 1
    return done


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
    reason = trail.stated(reason)
    grants.require(by, "manage_billing", office)
    try:
        with transaction.atomic(durable=True):
            fresh = Office.objects.select_for_update().get(pk=office.pk)  # it is not archived meanwhile
            if fresh.archived_at:
                raise errors.OfficeArchived(fresh)
            guard(fresh)
            operation = Operation.objects.create(
                office=fresh,
                kind=kind,
                actor=by.user,
                actor_kind=by.kind,
                actor_label=by.label,
                reason=reason,
                request=request,
                request_hash=hashlib.sha256(json.dumps([kind, request], sort_keys=True).encode()).hexdigest(),
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


def _carry_out(run: Run) -> Office:
    operation = run.operation
    office = Office.objects.get(pk=operation.office_id)
    try:
        BODIES[operation.kind](run, office, **operation.request)
        office = _shown(office, run)
    except errors.CardDeclined as error:
        _settle(operation, Status.DECLINED, error)
        _look_if_possible(office, run)
        raise
    except errors.StripeUnavailable as error:
        if not (error.replayed or isinstance(error, AnswerLost)):
            _settle(operation, Status.UNKNOWN, error)
            raise
        return _find_out(run, office)
    except errors.DeterminationMissing as error:
        if operation.steps.exists():  # what was asked while a determination stood may have been done
            return _find_out(run, office, refused=error)
        _settle(operation, Status.REJECTED, error)
        raise
    except errors.StripeRejected as error:
        _settle(operation, _status_of_rejection(operation, office, run), error)
        raise
    _settle(operation, Status.SUCCEEDED)
    return office


def _status_of_rejection(operation: Operation, office: Office, run: Run) -> str:
    """Rejected, if our rows show what an earlier step may have done; else nobody knows yet.

    Settling lets the next operation begin, and that one decides by our rows.
    """
    if not operation.steps.filter(http_status=200).exists():
        return Status.REJECTED
    try:
        _shown(office, run)
    except errors.BillingError:
        return Status.UNKNOWN
    return Status.REJECTED


def _find_out(run: Run, office: Office, *, refused: errors.DeterminationMissing | None = None) -> Office:
    """Stripe keeps no answer for this key, or must not be asked again under it: what the operation should
    have made is there, or it is not."""
    operation = run.operation
    try:
        done = SEARCHES[operation.kind](run, office)
        office = _shown(office, run)
    except errors.BillingError as unanswered:
        _settle(operation, Status.UNKNOWN, unanswered)
        raise
    if done:
        _settle(operation, Status.SUCCEEDED)
        return office
    if refused:
        _settle(operation, Status.REJECTED, refused)
        raise refused
    error = errors.StripeUnavailable("Stripe never did this, and it will not be asked again by itself.")
    _settle(operation, Status.ABANDONED, error)
    report(
        "operation_abandoned",
        run.id,
        office=office,
        severity="critical",
        detail=f"“{operation.kind}” asked by {operation.actor_label} was not done at Stripe. Ask for it again.",
    )
    raise error


def _settle(operation: Operation, status: str, error: errors.BillingError | None = None) -> None:
    with transaction.atomic(durable=True):
        mine = Operation.objects.filter(pk=operation.pk, attempts=operation.attempts)
        if not mine.filter(status__in=[Status.OPEN, Status.UNKNOWN]).update(attempts=F("attempts")):
            return  # another process took it over, and its outcome stands
        operation.status = status
        operation.error_code = error.code if error else ""
        operation.error_message = errors.without_stripe_ids(str(error)) if error else ""
        operation.decline_code = error.decline_code if isinstance(error, errors.CardDeclined) else ""
        if status == Status.UNKNOWN:
            wait = min(FIRST_RETRY * 2 ** min(operation.attempts - 1, 10), LAST_RETRY)
            operation.lease_until = clock.wall() + wait
        else:
            operation.settled_at = clock.wall()
        written = ["status", "error_code", "error_message", "decline_code", "lease_until", "settled_at"]
        operation.save(update_fields=written)


def _shown(office: Office, run: Run) -> Office:
    """Our rows show what was done."""
    office = Office.objects.get(pk=office.pk)
    if not office.payment_provider_customer_id:
        return office
    return look(office, payment_methods=run.operation.kind in ABOUT_CARDS, **run.named)


def _look_if_possible(office: Office, run: Run) -> Office:
    """What a decline left shows at once; where Stripe does not answer now, its webhook brings it."""
    try:
        return _shown(office, run)
    except errors.BillingError:
        log.warning("no look after an operation on office %s: Stripe did not answer", office.public_id)
        return office
