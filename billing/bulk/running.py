"""The job that carries out bulk acts: a few rows at a time, so that nothing else in the worker waits long.

A row is claimed by its idempotency key before it is begun, and an operation that begins is linked to that key in the
transaction that begins it. So whoever is killed and goes on repeats no operation. What was interrupted and cannot be
told any more, because keys are forgotten after a day, is said to be unknown.
"""

import hashlib
import time
from datetime import timedelta

from django.db import transaction

from billing import clock, errors, jobs
from billing.access import roles
from billing.audit import actor, trail
from billing.bulk import kinds, starting
from billing.bulk.kinds import BulkKind, Result, Work
from billing.models import BulkAct, BulkRow, IdempotentRequest, Operation, User
from billing.operations.engine import idempotency

SECONDS = 2.0
"""How long it works before the worker does something else."""
TRIED_FOR = timedelta(hours=12)
"""How long a row that gets no answer is tried again. Keys are kept for a day."""
LOOKED_AT_TOGETHER = 1_000
State = BulkRow.State
NOT_TOLD = "It was interrupted, and nobody knows whether it was done. Look at the Office before you repeat it."
ASKING = "Stripe did not answer. The worker finds out what became of it."
NO_ANSWER = "No answer came for 12 hours. Nothing was done. Begin again if it is still wanted."
LOST_POWER = "Whoever started this is not allowed to do it any more."
UNKNOWN_KIND = "This version of the software does not know what was to be done."


@jobs.job("bulk:")
def go_on(number: str) -> bool:
    """Do some rows of a bulk act. Return True if there are more. Repeating is safe."""
    act = BulkAct.objects.filter(pk=int(number), ended_at=None).first()
    if act is None:
        return False
    began = time.monotonic()
    while time.monotonic() - began < SECONDS:
        row = _next(act)
        if row is None:
            return not _ended(act)
        if not _did(act, row):
            return True
    return True


def _next(act: BulkAct) -> BulkRow | None:
    """Return a row that waits, or if none does one that was begun and not ended: the one that was tried longest ago.

    So neither an error of its own nor a missing answer holds up another one.
    """
    rows = act.rows.select_related("office").order_by("pk")
    waiting = rows.filter(state=State.WAITING).first()
    if waiting:
        return waiting
    begun = {idempotency.digest(_key(row)): row for row in rows.filter(state=State.BEGUN)[:LOOKED_AT_TOGETHER]}
    keys = IdempotentRequest.objects.filter(actor=act.actor_id, key__in=list(begun))
    tried = dict(keys.values_list("key", "lease_until"))
    first = min(begun, key=lambda key: (key in tried, tried.get(key)), default=None)
    return begun[first] if first else None


def _key(row: BulkRow) -> str:
    return f"bulk row {row.pk}"


def _ended(act: BulkAct) -> bool:
    act.ended_at = clock.wall()
    act.save(update_fields=["ended_at"])
    return True


def _did(act: BulkAct, row: BulkRow) -> bool:
    """Do one row. Return False if another process has it."""
    person = User.objects.get(pk=act.actor_id)  # read anew for each row, with what their roles allow now
    kind, by = kinds.KINDS.get(act.kind), actor.person(person)
    with trail.acting(by, office=row.office, reason=act.reason):
        if kind is None:
            _settle(row, State.FAILED, UNKNOWN_KIND)
        elif not roles.has(person, kind.power):
            trail.record_refusal(row.office, f"{kind.title}: {LOST_POWER}", code=errors.NotPermitted.code)
            _settle(row, State.FAILED, LOST_POWER)
        elif kind.local:
            _did_here(kind, _work(act, row, by), row)
        else:
            return _did_at_stripe(kind, _work(act, row, by), row, person)
    return True


def _work(act: BulkAct, row: BulkRow, by: actor.Actor) -> Work:
    return Work(row.office, by, act.reason, act.given, row.given)


def _did_here(kind: BulkKind, work: Work, row: BulkRow) -> None:
    """Do what asks nothing of Stripe, in one transaction with its row."""
    try:
        with transaction.atomic():
            if BulkRow.objects.select_for_update().get(pk=row.pk).settled_at is None:
                _settle(row, State.DONE, kind.work(work))
    except errors.BillingError as refusal:
        trail.record_refusal(row.office, f"{kind.title}: {refusal.on_record}", code=refusal.code)
        _settle(row, State.FAILED, str(refusal))


def _did_at_stripe(kind: BulkKind, work: Work, row: BulkRow, person: User) -> bool:
    key = _key(row)
    known = IdempotentRequest.objects.filter(actor=person, key=idempotency.digest(key)).exists()
    if row.state == State.BEGUN and not known:
        _settle(row, State.UNKNOWN, NOT_TOLD)
        return True
    request, ours = idempotency.claim(person, key, hashlib.sha256(key.encode()).hexdigest())
    if not ours:
        return _came_to(kind, work, row, request)
    if not _goes_on(row):
        idempotency.give_up(request)
        return True
    try:
        with idempotency.carrying_out(request):
            said = kind.work(work)
    except errors.RequestInProgress:
        return False
    except (errors.StripeUnavailable, errors.DatabaseHeld):
        idempotency.refresh(request)
        if request.operation is not None:
            _settle(row, State.UNKNOWN, ASKING, operation=request.operation)
        elif clock.wall() - request.created_at > TRIED_FOR:
            _settle(row, State.FAILED, NO_ANSWER)
        elif _goes_on(row):  # nothing was begun: it is tried again, after all others
            idempotency.put_back(request)
            raise
    except errors.SentForApproval as sent:
        _settle(row, State.DONE, str(sent))
    except errors.BillingError as refusal:
        idempotency.refresh(request)
        _settle(row, State.FAILED, str(refusal), operation=request.operation)
    else:
        idempotency.refresh(request)
        _succeeded(kind, work, row, request.operation, said)
    idempotency.give_up(request)  # only if nothing was begun
    return True


def _goes_on(row: BulkRow) -> bool:
    """Mark the row as begun, unless it is settled. If a person stopped the act, leave it out: ``stop`` locks the same.

    Nothing of it may have begun at Stripe.
    """
    with transaction.atomic():
        if BulkAct.objects.select_for_update().get(pk=row.act_id).stopped_at:
            _settle(row, State.LEFT_OUT, starting.STOPPED)
            return False
        return bool(BulkRow.objects.filter(pk=row.pk, settled_at=None).update(state=State.BEGUN))


def _succeeded(
    kind: BulkKind, work: Work, row: BulkRow, operation: Operation | None, said: str | Result = "Done."
) -> None:
    try:
        said = kind.then(work, operation) if kind.then and operation else said
    except errors.BillingError as refusal:
        _settle(row, State.FAILED, str(refusal), operation=operation)
    else:
        _settle(row, State.DONE, said, operation=operation)


def _came_to(kind: BulkKind, work: Work, row: BulkRow, request: IdempotentRequest) -> bool:
    """Settle a row whose process died after the operation began. Return False if another process has it now."""
    operation = request.operation
    if operation is None:
        if request.approval_request is None:
            return False
        _settle(row, State.DONE, "It waits for the approval of a second person.")
    elif operation.status in Operation.UNSETTLED:
        _settle(row, State.UNKNOWN, ASKING, operation=operation)
    elif operation.status == Operation.Status.SUCCEEDED:
        _succeeded(kind, work, row, operation)
    else:
        _settle(row, State.FAILED, operation.error_message, operation=operation)
    return True


def _settle(row: BulkRow, state: State, said: str | Result, *, operation: Operation | None = None) -> None:
    """Write what became of the row, unless that is known already."""
    result = said if isinstance(said, Result) else Result(said)
    says = errors.without_addresses(errors.without_stripe_ids(result.says))[:300]
    given = {**row.given, "result": result.data} if result.data else row.given
    own = BulkRow.objects.filter(pk=row.pk, settled_at=None)
    own.update(state=state, says=says, given=given, operation=operation, settled_at=clock.wall())
