"""How an operation ends: its body is run, by the one who asked or again by the worker, and its outcome committed.

An operation whose process died, or that got no answer, is run again with the same keys and parameters for at
most 20 h. After that, or where Stripe replays a failure of its own, the object is looked for by
``metadata.operation``; not found, the operation is abandoned and a Finding filed.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from billing import clock, errors
from billing.audit import trail
from billing.findings import report
from billing.look import look
from billing.models import Office, Operation
from billing.operations.bodies import ABOUT_CARDS, BODIES, SEARCHES
from billing.operations.run import LEASE, AnswerLost, Run

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)

Status = Operation.Status


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
                carry_out(Run(operation))
            except errors.BillingError as error:
                log.info("operation %s: %s", operation.public_id, error.code)
            except Exception as error:
                # a defect in one operation must not stop the worker: it is kept, shown and tried again later
                log.exception("operation %s could not be carried out", operation.public_id)
                _settle(operation, Status.UNKNOWN, errors.BillingError(f"A defect: {type(error).__name__}."))
        done += 1
    return done


def carry_out(run: Run) -> Office:
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
