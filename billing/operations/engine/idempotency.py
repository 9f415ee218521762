"""At most one carrying-out of each request that came with a key, whichever process dies when.

A row is claimed by whoever inserts it, or takes it over where the claim lapsed before anything began.
``begin.perform`` links the operation to the row in the transaction that begins it, and only while the
claim stands: from then on the answer follows from the operation, and nobody begins it again. A request
begins at most one operation, or sends one request for approval, which is linked in the same way.
"""

import contextlib
import hashlib
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from billing import clock, errors, jobs, leases
from billing.models import ApprovalRequest, IdempotentRequest, Operation, User

KEPT_FOR = timedelta(hours=24)

_carried_out: ContextVar[IdempotentRequest | None] = ContextVar("idempotent_request", default=None)


def claim(actor: User, key: str, body_hash: str) -> tuple[IdempotentRequest, bool]:
    """The row of this key, and whether it is ours to carry out. Of the key a digest is stored.

    A row with the key itself is of a version that stored keys; it is found too, for the day that it is kept.

    Raises:
        IdempotencyKeyReused: the key belongs to another request.
    """
    now, created = clock.wall(), False
    row = IdempotentRequest.objects.filter(actor=actor, key=key).first()
    if row is None or IdempotentRequest.objects.filter(actor=actor, key=digest(key)).exists():
        row, created = IdempotentRequest.objects.get_or_create(
            actor=actor,
            key=digest(key),
            defaults={"body_hash": body_hash, "claim_id": uuid.uuid4(), "lease_until": now + leases.LEASE},
        )
    if row.body_hash != body_hash:
        raise errors.IdempotencyKeyReused
    return row, created or _taken_over(row, now)


def digest(key: str) -> str:
    """Return what is stored of a key: whoever wrote it may have put a name into it."""
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def _taken_over(row: IdempotentRequest, now: datetime) -> bool:
    """Its process died, or was very slow, before it began anything: it is ours now."""
    mine = leases.claim(_unbegun(row).filter(leases.free(now)), now=now)
    if mine is None:
        return False
    row.claim_id = mine
    return True


@contextlib.contextmanager
def carrying_out(row: IdempotentRequest) -> Iterator[None]:
    """An operation that begins inside belongs to the row."""
    token = _carried_out.set(row)
    try:
        yield
    finally:
        _carried_out.reset(token)


def link(**began: Operation | ApprovalRequest) -> None:
    """``operation=`` or ``approval_request=`` is the current request's, if it has a key.

    Called in the transaction that begins it.

    Raises:
        RequestInProgress: another process took the request over; this one must not begin.
    """
    row = _carried_out.get()
    if row is not None and not _unbegun(row).update(**began):
        raise errors.RequestInProgress


def refresh(row: IdempotentRequest) -> None:
    """The row shows what has come of it; its claim stays the one that we made, lost or not.

    Raises:
        RequestInProgress: whoever took it over gave it up.
    """
    try:
        row.refresh_from_db(fields=["operation", "approval_request", "http_status", "answer"])
    except IdempotentRequest.DoesNotExist:
        raise errors.RequestInProgress from None


def keep(row: IdempotentRequest, http_status: int, answer: str) -> IdempotentRequest:
    """The row has a final answer: this one, unless another was first.

    Raises:
        RequestInProgress: the claim was lost, and whoever took it over has no answer yet.
    """
    unanswered = IdempotentRequest.objects.filter(pk=row.pk, operation=row.operation, http_status=None)
    mine = unanswered if row.operation else unanswered.filter(claim_id=row.claim_id)
    mine.update(http_status=http_status, answer=answer)
    kept = IdempotentRequest.objects.filter(pk=row.pk).exclude(http_status=None).first()
    if kept is None:
        raise errors.RequestInProgress
    return kept


def give_up(row: IdempotentRequest) -> None:
    """Nothing was begun and nothing is to be remembered: the key is free."""
    _unbegun(row).delete()


def put_back(row: IdempotentRequest) -> None:
    """Nothing was begun: whoever comes next may carry it out. The row keeps when it was tried."""
    _unbegun(row).update(lease_until=clock.wall())


@jobs.job("forget-idempotent-requests", every=timedelta(hours=1))
def purge() -> None:
    """Requests older than a day are forgotten, but for those whose outcome is not known."""
    unsettled = Q(operation__status__in=Operation.UNSETTLED)
    old = IdempotentRequest.objects.filter(created_at__lt=clock.wall() - KEPT_FOR)
    IdempotentRequest.objects.filter(pk__in=old.exclude(unsettled).values("pk")).delete()


def _unbegun(row: IdempotentRequest) -> QuerySet[IdempotentRequest]:
    nothing = {"operation": None, "approval_request": None, "http_status": None}
    return IdempotentRequest.objects.filter(pk=row.pk, claim_id=row.claim_id, **nothing)
