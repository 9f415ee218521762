"""How an operation begins, or is refused: what every one of them goes through.

Permission, the Office's lock, whether it is archived, the determination, ``prepare``, the preview that is confirmed,
and last the reason; then the intent is committed. Stripe is asked after that, outside any transaction.
"""

from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import IntegrityError, transaction

from billing import clock, errors, held, leases
from billing.access import grants
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import ApprovalRequest, Office, Operation
from billing.operations.engine import idempotency, lost_commits, previews, reasons, second_person, settle, stored
from billing.operations.engine.declaration import Asked, AtStripe, Declaration, Here, Moves, Previewed, Telling
from billing.operations.engine.steps import Run
from billing.operations.engine.unsettled import require_settled
from billing.stripe_api import charging

Subject = TypeVar("Subject")
Result = TypeVar("Result")


def perform(
    wanted: Declaration[Subject, Result],
    subject: Subject,
    *,
    by: Actor,
    reason: str,
    approving: ApprovalRequest | None = None,
) -> Result:
    """Carry out the operation, and return what it came to, from our rows as they are then.

    ``reason`` is a code of the catalogue or words; an Office's own people need not say any. ``approving`` is the
    request that ``by`` approves with it (``engine.approvals``).

    Raises:
        NotPermitted, StaffOnly, OfficeArchived, DeterminationMissing, PreviewStale, ReasonRequired, TextNotNeutral,
            OperationInProgress, OperationLost, DatabaseHeld, and what ``prepare`` raises: nothing was asked of Stripe,
            and the refusal is in the audit trail.
        SentForApproval: it is above the limit for one person, and waits for another.
        CardDeclined, StripeRejected: Stripe said no; the operation says so.
        StripeUnavailable: nobody knows yet; the worker settles it.
    """
    office = wanted.office_of(subject)
    check_permitted(type(wanted), office, by=by)
    with trail.acting(by, office=office):
        try:
            held.require_released()
            if isinstance(wanted, Here):
                return cast(Result, _carried_out(wanted, subject, by=by, reason=reason))
            asking = cast(AtStripe[Subject, Result], wanted)
            operation, fresh = _begun(asking, subject, by=by, reason=reason, approving=approving)
        except errors.BillingError as refusal:
            trail.record_refusal(office, f"{wanted.kind}: {refusal.on_record}", code=refusal.code)
            raise
        if operation is None:
            return cast(Result, fresh)
        if isinstance(operation, ApprovalRequest):
            raise errors.SentForApproval(operation, [one.email for one in second_person.approvers(operation)])
        with trail.acting(by, office=office, reason=operation.reason):
            run = Run(operation)
            try:
                settle.carry_out(run)
            except errors.StripeUnavailable as lost:
                if not isinstance(wanted, Telling):
                    raise
                raise errors.StripeUnavailable(
                    wanted.ANSWER_LOST, replayed=lost.replayed, retry_after=lost.retry_after
                ) from None
            return cast(Result, run.request.result(run))


def check_permitted(declared: type[Declaration[Any, Any]], office: Office, *, by: Actor) -> None:
    """Refuse who may not ask for it, before anything that they wrote is read. Raises: NotPermitted, StaffOnly."""
    grants.require_on_record(by, declared.needs, office, what=declared.kind, to=declared.asks_to)


def _begun(
    wanted: AtStripe[Subject, Any], subject: Subject, *, by: Actor, reason: str, approving: ApprovalRequest | None
) -> tuple[Operation | ApprovalRequest | None, Subject]:
    """The operation whose intent is committed, None where nothing is left to do; and its subject as it is now.

    If a second person must approve it, the request for approval instead of the operation.
    """
    asked = Asked(by, reason)
    wanted = wanted.look_up(subject, asked)
    if settings.DATABASE_CAN_LOSE_COMMITS or held.was_restored():
        _require_no_lost_commit(wanted, subject, asked)
    try:
        with transaction.atomic(durable=True):
            approving = second_person.locked(approving) if approving else None
            fresh, exact = _prepared(wanted, subject, asked)
            if exact is None:
                return None, fresh
            office = exact.office_of(fresh)
            # a reason that waited with its request was judged when somebody gave it
            words = reason if approving else trail.checked_reason(reasons.given(reason, by=by))
            if approving:
                second_person.check_amount(approving, exact, fresh)
            elif gives := second_person.above_limit(exact, fresh):
                with trail.acting(by, office=office, reason=words):
                    sent = second_person.send(exact, gives, office=office, by=by, reason=words)
                    idempotency.link(approval_request=sent)
                return sent, fresh
            with trail.acting(by, office=office, reason=words):
                operation = Operation(
                    office=office,
                    kind=exact.kind.value,
                    actor=by.user,
                    actor_kind=by.kind,
                    actor_label=by.label,
                    reason=words,
                    request=stored.written(exact),
                    lease_until=clock.wall() + leases.LEASE,
                )
                operation.on_record = stored.parameters(exact)
                operation.save(force_insert=True)
                idempotency.link(operation=operation)
                if approving:
                    second_person.begin(approving, operation, by=by)
                exact.begun(operation)
            return operation, fresh
    except IntegrityError:
        require_settled(wanted.office_of(subject), by)
        raise


def _require_no_lost_commit(wanted: AtStripe[Subject, Any], subject: Subject, asked: Asked) -> None:
    """Refuse if something is lost here, and the request would begin otherwise. Raises: OperationLost."""
    office = wanted.office_of(subject)
    if wanted.money is Moves.NOTHING and office.payment_provider_customer_id:
        return
    with transaction.atomic(durable=True):
        _, exact = _prepared(wanted, subject, asked)
    if exact is not None:
        trail.checked_reason(reasons.given(asked.reason, by=asked.by))
        if settings.DATABASE_CAN_LOSE_COMMITS or not office.payment_provider_customer_id:
            lost_commits.require_none(office)
        else:
            lost_commits.require_decided(office)


def _carried_out(wanted: Here[Subject, Result], subject: Subject, *, by: Actor, reason: str) -> Result:
    with transaction.atomic(durable=True):
        fresh, exact = _prepared(wanted, subject, Asked(by, reason))
        if exact is None:
            return cast(Result, fresh)
        with trail.acting(by, office=exact.office_of(fresh), reason=trail.checked_reason(reasons.given(reason, by=by))):
            return exact.carry_out(fresh)


Wanted = TypeVar("Wanted", bound=Declaration[Any, Any])


def _prepared(wanted: Wanted, subject: Any, asked: Asked) -> tuple[Any, Wanted | None]:
    """The subject, read under its Office's lock, and the exact request; None where nothing is left to do."""
    office = Office.objects.select_for_update().get(pk=wanted.office_of(subject).pk)  # not archived meanwhile
    if office.archived_at and not wanted.on_archived:
        raise errors.OfficeArchived(office)
    fresh = wanted.naming(subject).subject_in(office)
    wanted = wanted.naming(fresh)
    if wanted.already_so(fresh, asked):
        return fresh, None
    if wanted.needs_determination:
        charging.require_determination()
    wanted.check_subject(fresh)
    wanted.check_typed(fresh)
    exact = wanted.prepare(fresh, asked)
    exact.check_beyond_preview(fresh)
    if isinstance(exact, Previewed):
        previews.check_unchanged(office, exact.as_of)
    return fresh, exact
