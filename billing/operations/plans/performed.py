"""How an operation on a plan begins, asks Stripe and ends. The rules are those of an operation on an Office.

Intent committed, Stripe asked outside any transaction, outcome applied in one. One operation on a plan at a time. What
got no answer is asked again by the worker, with the same keys, and after 20 hours it is looked for at Stripe.
"""

import logging
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F

from billing import clock, errors, held, jobs, leases
from billing.access import roles
from billing.audit import trail
from billing.audit.actor import Actor
from billing.findings import report
from billing.models import Plan, PlanOperation
from billing.operations.engine import reasons, stored
from billing.operations.engine.declaration import Asked, Outcome
from billing.operations.engine.steps import ASK_AGAIN_FOR, AnswerLost
from billing.operations.plans.declared import OnPlan, PlanRun, in_progress, is_lost, locked

log = logging.getLogger(__name__)
LEAST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)
Status = PlanOperation.Status


def perform(wanted: OnPlan, plan: Plan | None, *, by: Actor, reason: str) -> Plan:
    """Carry out the operation, and return the plan as it is then. ``plan`` is None for one that is to be made.

    Raises:
        NotPermitted, DatabaseHeld, ReasonRequired, TextNotNeutral, PlanOperationInProgress, and what ``prepare``
            raises: nothing was asked of Stripe, and the refusal is in the audit trail.
        StripeRejected: Stripe said no; the operation says so.
        StripeUnavailable: nobody knows yet; the worker settles it.
    """
    with trail.acting(by):
        try:
            check_permitted(wanted, by=by)
            held.require_released()
            operation = _begun(wanted, plan, by=by, reason=reason)
        except errors.BillingError as refusal:
            about = plan or trail.installation()
            trail.record_refusal(about, f"{wanted.kind}: {refusal.on_record}", code=refusal.code)
            raise
    run = PlanRun(operation)
    with trail.acting(by, reason=operation.reason):
        _carry_out(run)
    return Plan.objects.get(pk=run.plan.pk)


def check_permitted(wanted: OnPlan | type[OnPlan], *, by: Actor) -> None:
    """Refuse who may not, before anything that they wrote is read. Raises: NotPermitted."""
    if by.kind == "person" or by.identity is not None:
        roles.require(by, wanted.needs)


def checked(wanted: OnPlan, plan: Plan | None, *, by: Actor, reason: str = "") -> OnPlan:
    """Return the exact request, for a page that shows what it comes to. Nothing changes.

    Raises: what ``perform`` raises before anything begins.
    """
    check_permitted(wanted, by=by)
    if plan and (other := in_progress(plan)):
        raise other
    return _prepared(wanted, plan or Plan(), Asked(by, reason))


def _prepared(wanted: OnPlan, plan: Plan, asked: Asked) -> OnPlan:
    wanted.check_typed(plan)
    return wanted.prepare(plan, asked)


def _begun(wanted: OnPlan, plan: Plan | None, *, by: Actor, reason: str) -> PlanOperation:
    try:
        with transaction.atomic(durable=True):
            fresh = locked(plan) if plan else Plan()
            if plan and (other := in_progress(plan)):
                raise other
            exact = _prepared(wanted, fresh, Asked(by, reason))
            words = trail.checked_reason(reasons.given(reason, by=by))
            with trail.acting(by, reason=words):
                operation = PlanOperation(
                    plan=exact.intend(fresh),
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
            return operation
    except IntegrityError:
        if plan and (other := in_progress(plan)):
            raise other from None
        raise errors.PlanCodeTaken from None


def _carry_out(run: PlanRun) -> None:
    """Ask Stripe, and commit the outcome. Raises: StripeRejected, StripeUnavailable, NotSent."""
    operation = run.operation
    try:
        if clock.wall() - operation.created_at > ASK_AGAIN_FOR:
            raise AnswerLost
        run.request.ask(run)
    except errors.StripeUnavailable as error:
        if not is_lost(error):
            _settle(run, Status.UNKNOWN, error)
            raise
        _find_out(run)
        return
    except errors.StripeKeyRefused as error:
        _settle(run, Status.UNKNOWN if operation.attempts > 1 else Status.REJECTED, error)
        raise
    except errors.StripeRejected as error:
        _settle(run, Status.REJECTED, error)
        raise
    except errors.BillingError as error:  # no answer of Stripe's, but ours
        _settle(run, Status.UNKNOWN if operation.steps else Status.REJECTED, error)
        raise
    _settle(run, Status.SUCCEEDED)


def _find_out(run: PlanRun) -> None:
    """Stripe keeps no answer for this key any more: what it should have done is there, or it is not."""
    try:
        outcome = run.request.settle_unknown(run)
    except errors.BillingError as unanswered:
        _settle(run, Status.UNKNOWN, unanswered)
        raise
    if outcome is Outcome.DONE:
        _settle(run, Status.SUCCEEDED)
        return
    error = errors.StripeUnavailable("Stripe did not do this, and the worker does not ask again.")
    _settle(run, Status.ABANDONED, error)
    operation = run.operation
    report(
        "operation_abandoned",
        run.id,
        office=None,
        detail=f"“{operation.in_words}” of {run.plan}, asked for by {operation.actor_label}, was not done at Stripe. "
        "Ask for it again.",
    )
    raise error


def _settle(run: PlanRun, status: str, error: errors.BillingError | None = None) -> None:
    operation = run.operation
    with transaction.atomic(durable=True):
        unsettled = PlanOperation.objects.filter(pk=operation.pk, status__in=PlanOperation.UNSETTLED)
        if not unsettled.filter(attempts=operation.attempts).update(attempts=F("attempts")):
            return  # another process took it over, and its outcome stands
        run.plan = locked(run.plan)
        if status == Status.SUCCEEDED:
            run.request.apply(run)
        elif status in (Status.REJECTED, Status.ABANDONED):
            run.request.undo(run)
        operation.status = status
        operation.error_code = error.code if error else ""
        operation.error_message = errors.without_stripe_ids(str(error)) if error else ""
        if status == Status.UNKNOWN:
            wait = leases.back_off(operation.attempts, first=LEAST_WAIT, last=LONGEST_WAIT)
            operation.lease_until = clock.wall() + wait
        else:
            operation.settled_at = clock.wall()
        operation.save(update_fields=["status", "error_code", "error_message", "lease_until", "settled_at"])


@jobs.job("settle-plan-operations", every=timedelta(seconds=15))
def resume_unsettled() -> None:
    """Run operations again whose process died or that got no answer."""
    now = clock.wall()
    due = PlanOperation.objects.filter(status__in=PlanOperation.UNSETTLED, lease_until__lte=now)
    for operation in due.select_related("plan", "actor").order_by("lease_until"):
        claimed = due.filter(pk=operation.pk, lease_until=operation.lease_until)
        if not claimed.update(lease_until=now + leases.LEASE, attempts=F("attempts") + 1):
            continue
        operation.refresh_from_db()
        run = PlanRun(operation)
        with trail.acting(run.by, reason=operation.reason, request_id=trail.request_that_made(operation)):
            try:
                _carry_out(run)
            except errors.BillingError as error:
                log.info("operation %s: %s", operation.public_id, error.code)
