"""How an operation ends: Stripe is asked, for the one who asked or again by the worker, and the outcome committed.

An operation whose process died, or that got no answer, is run again with the same keys and parameters for at
most 20 h. After that, or where Stripe replays a failure of its own, the object is looked for by
``metadata.operation``; not found, the operation is abandoned and a Finding filed.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F

from billing import clock, errors, leases, measures
from billing.audit import trail
from billing.findings import report
from billing.look import look
from billing.models import Office, Operation
from billing.operations.engine.declaration import Outcome
from billing.operations.engine.steps import AnswerLost, Run
from billing.stripe_api import pace

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
LAST_RETRY_IF_AWAY = timedelta(seconds=15)
"""There are few operations at a time, and somebody waits for each: after an outage, none waits longer than this."""

Status = Operation.Status


def resume_unsettled(*, limit: int = 20) -> int:
    """Operations whose process died or that got no answer were run again. Returns how many."""
    now = clock.wall()
    due = Operation.objects.filter(status__in=Operation.UNSETTLED, lease_until__lte=now)
    done = 0
    for operation in due.order_by("lease_until")[:limit]:
        claimed = due.filter(pk=operation.pk, lease_until=operation.lease_until)
        if not claimed.update(lease_until=now + leases.LEASE, attempts=F("attempts") + 1):
            continue
        operation.refresh_from_db()
        with trail.acting(
            Run(operation).by,
            office=operation.office,
            reason=operation.reason,
            request_id=trail.request_that_made(operation),
        ):
            try:
                with pace.one_piece_of_work():
                    carry_out(Run(operation))
            except errors.BillingError as error:
                log.info("operation %s: %s", operation.public_id, error.code)
            except Exception as error:
                # a defect in one operation must not stop the worker: it is kept, shown and tried again later
                log.exception("operation %s could not be carried out", operation.public_id)
                _settle(operation, Status.UNKNOWN, errors.Defect(f"A defect: {type(error).__name__}."))
        done += 1
    return done


def settle_restored(operation: Operation) -> str:
    """Settle an operation that was open in a backup, without asking for it again. Return its status then.

    What it did after the backup is not on record here: a step may have been sent of which no row is here, and by now
    Stripe may have forgotten its key. So the object is looked for. If it is not found, or Stripe does not let us look,
    the operation is abandoned, and a finding asks a person.

    Raises: StripeUnavailable, StripeKeyRefused: it is still open.
    """
    Operation.objects.filter(pk=operation.pk).update(
        lease_until=clock.wall() + leases.LEASE, attempts=F("attempts") + 1
    )
    operation.refresh_from_db()
    run = Run(operation)
    with trail.acting(trail.current().actor or run.by, office=operation.office, reason=trail.current().reason):
        try:
            _find_out(run)
        except errors.BillingError as error:
            operation.refresh_from_db()
            if operation.status not in Operation.UNSETTLED:
                return operation.status
            if isinstance(error, errors.StripeUnavailable | errors.StripeKeyRefused):
                raise
            _abandon(run, error, "may have been done: Stripe did not say. Look there before you ask for it again.")
    operation.refresh_from_db()
    return operation.status


def carry_out(run: Run) -> None:
    """Ask Stripe, look, and commit the outcome. ``run.office`` shows it afterwards.

    Raises: CardDeclined, StripeRejected, StripeUnavailable, NotSent.
    """
    operation = run.operation
    run.office = Office.objects.get(pk=operation.office_id)
    try:
        run.request.ask(run)
        _look(run)
    except errors.CardDeclined as error:
        _settle(operation, Status.DECLINED, error)
        _look_if_possible(run)
        raise
    except errors.StripeUnavailable as error:
        if not (error.replayed or isinstance(error, AnswerLost)):
            _settle(operation, Status.UNKNOWN, error)
            raise
        _find_out(run)
        return
    except errors.NotSent as error:
        if operation.steps.exists():  # what was asked before may have been done
            _find_out(run, refused=error)
            return
        _settle(operation, Status.REJECTED, error)
        raise
    except errors.StripeKeyRefused as error:
        # an earlier attempt had no answer, and this refusal says nothing about it
        _settle(operation, Status.UNKNOWN if operation.attempts > 1 else _status_of_rejection(run), error)
        raise
    except errors.StripeRejected as error:
        _settle(operation, _status_of_rejection(run), error)
        raise
    except errors.BillingError as error:  # no answer of Stripe's, but ours: it holds nothing else up
        _settle(operation, Status.UNKNOWN if operation.steps.exists() else Status.REJECTED, error)
        raise
    _settle(operation, Status.SUCCEEDED)


def _status_of_rejection(run: Run) -> str:
    """Rejected, if our rows show what an earlier step may have done; else nobody knows yet.

    Settling lets the next operation begin, and that one decides by our rows.
    """
    if not run.operation.steps.filter(http_status=200).exists():
        return Status.REJECTED
    try:
        _look(run)
    except errors.BillingError:
        return Status.UNKNOWN
    return Status.REJECTED


def _find_out(run: Run, *, refused: errors.NotSent | None = None) -> None:
    """Stripe keeps no answer for this key, or must not be asked again under it: what the operation should
    have made is there, or it is not."""
    operation = run.operation
    try:
        outcome = run.request.settle_unknown(run)
        _look(run)
    except errors.BillingError as unanswered:
        _settle(operation, Status.UNKNOWN, unanswered)
        raise
    if outcome is Outcome.DONE:
        _settle(operation, Status.SUCCEEDED)
        return
    if refused:
        _settle(operation, Status.REJECTED, refused)
        raise refused
    error = errors.StripeUnavailable("Stripe did not do this, and the worker does not ask again.")
    _abandon(run, error, "was not done at Stripe. Ask for it again.")
    raise error


def _abandon(run: Run, error: errors.BillingError, became: str) -> None:
    """Settle it as abandoned, together with the finding that tells a person."""
    operation = run.operation
    detail = f"“{operation.in_words}”, asked for by {operation.actor_label}, {became}"
    _settle(operation, Status.ABANDONED, error, tell=lambda: _tell_of_abandoned(run, detail))


def _tell_of_abandoned(run: Run, detail: str) -> None:
    report("operation_abandoned", run.id, office=run.office, detail=detail)


def _settle(
    operation: Operation,
    status: str,
    error: errors.BillingError | None = None,
    *,
    tell: Callable[[], None] = lambda: None,
) -> None:
    """Write the outcome, and ``tell`` of it in the same transaction. If another process took it over, do neither."""
    with transaction.atomic(durable=True):
        mine = Operation.objects.filter(pk=operation.pk, attempts=operation.attempts, status__in=Operation.UNSETTLED)
        if not mine.update(attempts=F("attempts")):
            return  # another process took it over, and its outcome stands
        operation.status = status
        operation.error_code = error.code if error else ""
        operation.error_message = errors.without_stripe_ids(str(error)) if error else ""
        operation.decline_code = error.decline_code if isinstance(error, errors.CardDeclined) else ""
        if status == Status.UNKNOWN:
            is_away = isinstance(error, errors.StripeUnavailable)
            last = LAST_RETRY_IF_AWAY if is_away else LAST_RETRY
            wait = leases.back_off(operation.attempts, first=FIRST_RETRY, last=last)
            operation.lease_until = clock.wall() + wait
        else:
            operation.settled_at = clock.wall()
        written = ["status", "error_code", "error_message", "decline_code", "lease_until", "settled_at"]
        operation.save(update_fields=written)
        tell()
    measures.count(measures.OPERATIONS, operation.kind, status)


def _look(run: Run) -> None:
    """Our rows show what was done."""
    run.office = Office.objects.get(pk=run.office.pk)
    if run.office.payment_provider_customer_id:
        run.office = look(run.office, payment_methods=run.request.changes_cards, **run.named)


def _look_if_possible(run: Run) -> None:
    """What a decline left shows at once; where Stripe does not answer now, its webhook brings it."""
    try:
        _look(run)
    except errors.BillingError:
        log.warning("no look after an operation on office %s: Stripe did not answer", run.office.public_id)
