"""How a bulk act begins, and how a person stops one."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction

from billing import clock, errors, held, jobs
from billing.access import roles
from billing.audit import trail
from billing.audit.actor import Actor
from billing.bulk import judging, kinds
from billing.bulk.kinds import BulkKind
from billing.models import BulkAct, BulkRow, Office, User

MOST = 10_000
"""Offices in one bulk act."""
WRITTEN_TOGETHER = 500
STOPPED = "The bulk act was stopped before this Office's turn."


def job_of(act: BulkAct) -> str:
    return f"bulk:{act.pk}"


def start(
    kind: BulkKind,
    offices: Sequence[Office],
    *,
    by: Actor,
    reason: str,
    given: dict[str, Any] | None = None,
    seen: str | None = None,
    check: Callable[[], None] | None = None,
) -> BulkAct:
    """Commit what is to be done to which Offices. A job does it. ``reason`` is in words.

    ``seen`` is the digest of what the person was shown, see ``Judged.seen``.
    ``check`` is called first in the transaction that begins it, and raises what speaks against it.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral, DatabaseHeld, NothingToActOn, TooManyOffices. PreviewStale: it
        is not what was shown.
    """
    with trail.acting(by):
        try:
            person = roles.require(by, kind.power)
            return _started(kind, offices, person, by=by, reason=reason, given=given or {}, seen=seen, check=check)
        except errors.BillingError as refusal:
            trail.record_refusal(by.user or trail.NOBODY, f"{kind.title}: {refusal.on_record}", code=refusal.code)
            raise


def _started(
    kind: BulkKind,
    offices: Sequence[Office],
    person: User,
    *,
    by: Actor,
    reason: str,
    given: dict[str, Any],
    seen: str | None,
    check: Callable[[], None] | None,
) -> BulkAct:
    held.require_released()
    if len(offices) > MOST:
        raise errors.TooManyOffices(MOST)
    words = trail.checked_reason(reason)
    with trail.acting(by, reason=words), transaction.atomic(durable=True):
        if check:
            check()
        judged = judging.judge(kind, offices, given)
        if seen is not None and seen != judged.seen:
            raise errors.PreviewStale
        if not judged.can:
            raise errors.NothingToActOn
        act = BulkAct.objects.create(kind=kind.name, given=given, actor=person, reason=words)
        now, left_out = clock.wall(), BulkRow.State.LEFT_OUT
        rows = [BulkRow(act=act, office=office, given=own) for office, own in judged.can]
        rows += [
            BulkRow(act=act, office=office, state=left_out, says=why[:300], settled_at=now)
            for office, why in judged.cannot
        ]
        BulkRow.objects.bulk_create(rows, batch_size=WRITTEN_TOGETHER)
        jobs.enqueue(job_of(act))
    return act


def stop(act: BulkAct, *, by: Actor, reason: str) -> None:
    """Leave out what waits. What is being done at this moment is finished. Repeating is a no-op.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral.
    """
    roles.require(by, kinds.of(act.kind).power, to="stop this")
    with trail.acting(by, reason=trail.checked_reason(reason)), transaction.atomic(durable=True):
        fresh = BulkAct.objects.select_for_update().get(pk=act.pk)
        if fresh.ended_at or fresh.stopped_at:
            return
        fresh.stopped_at = clock.wall()
        fresh.save(update_fields=["stopped_at"])
        waiting = BulkRow.objects.filter(act=fresh, state=BulkRow.State.WAITING)
        waiting.update(state=BulkRow.State.LEFT_OUT, says=STOPPED, settled_at=clock.wall())
