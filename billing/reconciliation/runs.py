"""A comparison from its beginning to its end: one at a time, page by page, under a lease."""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from billing import clock, errors, leases
from billing.access import roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.findings import report, resolve
from billing.jobs import job
from billing.models import Office, Reconciliation
from billing.models.office import READ_AS
from billing.reconciliation import drift, missed_events, stages
from billing.stripe_api import gateway

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
BUDGET_SECONDS = 5
RECENT = timedelta(days=35)
MOST_FAILURES = 6
KEPT_FOR = timedelta(days=400)


def begin(
    *,
    by: Actor,
    reason: str,
    everything: bool = False,
    adopts: bool = False,
    products: tuple[str, ...] = (),
) -> Reconciliation:
    """Begin a comparison at its first stage. Jobs may do this, and staff who may manage billing.

    After an update that reads more of Stripe's objects, it compares everything: old rows are filled in too.

    Raises:
        NotPermitted, ReasonRequired, TextNotNeutral; ProductUnknown, StripeUnavailable.
        ReconciliationUnderWay: another comparison has not ended yet.
    """
    if by.kind == "person":
        roles.require(by, Power.OPERATE, to="compare everything with Stripe")
    for product in products:
        if not gateway.catalogue.has_product(product):
            raise errors.ProductUnknown
    run = Reconciliation(
        actor_label=by.label,
        reason=trail.checked_reason(reason),
        everything=everything or _behind().exists(),
        adopts=adopts,
        products=list(products),
        recent_since=clock.billing() - RECENT,
        events_since=missed_events.newest_seen(),
    )
    run.stage = stages.names(run)[0]
    try:
        with trail.acting(by, reason=reason), transaction.atomic(durable=True):
            run.save()
            trail.record_act(run, f"began a comparison{' that adopts' if adopts else ''}")
    except IntegrityError:
        raise errors.ReconciliationUnderWay from None
    return run


def reconcile(
    *,
    by: Actor,
    reason: str,
    everything: bool = False,
    adopts: bool = False,
    products: tuple[str, ...] = (),
    after_each_page: Callable[[Reconciliation], None] = lambda _: None,
) -> Reconciliation:
    """Compare everything and repair what drifted. A comparison that has not ended yet is carried to its end first.

    The worker settles the events that had not arrived. ``after_each_page`` is called after each page.
    Money does not move.

    Raises:
        What ``begin`` raises.
        ReconciliationUnderWay: another process is carrying on the comparison.
        BackfillUnfinished: the comparison that has not ended adopts customers, and this call does not, or it names
            other products.
        StripeUnavailable: Stripe did not answer six times in a row. The next call continues with the same page.
    """
    for under_way in Reconciliation.objects.filter(ended_at=None):
        if under_way.adopts and not (adopts and set(under_way.products) == set(products)):
            raise errors.BackfillUnfinished(under_way.began_at)
        _to_its_end(under_way, by, after_each_page)
        if under_way.adopts and under_way.everything >= everything:
            return under_way
    run = begin(by=by, reason=reason, everything=everything, adopts=adopts, products=products)
    _to_its_end(run, by, after_each_page)
    return run


def end(run: Reconciliation, *, by: Actor, reason: str) -> None:
    """End a comparison that cannot continue. What it repaired stays, and another one can begin.

    Raises: NotPermitted, ReasonRequired, TextNotNeutral.
    """
    if by.kind == "person":
        roles.require(by, Power.OPERATE, to="end a comparison")
    with trail.acting(by, reason=trail.checked_reason(reason)), transaction.atomic(durable=True):
        Reconciliation.objects.filter(pk=run.pk, ended_at=None).update(ended_at=clock.wall(), claim_id=None)
        trail.record_act(run, f"ended a comparison before it was complete, at: {run.stage}")


def _to_its_end(run: Reconciliation, by: Actor, after_each_page: Callable[[Reconciliation], None]) -> None:
    failures = 0
    while run.ended_at is None:
        try:
            if not carry_on(run, by=by):
                raise errors.ReconciliationUnderWay
            failures = 0
        except errors.StripeUnavailable as error:
            failures += 1
            if failures == MOST_FAILURES:
                raise
            time.sleep(max(error.retry_after, 0.5 * 2**failures))
        after_each_page(run)


def carry_on(run: Reconciliation, *, by: Actor) -> bool:
    """Compare the next page, or a part of it, and update ``run``. Repeating is safe.

    Return False if another process holds the lease and the comparison has not ended.

    Raises:
        StripeUnavailable: the comparison is still at the same page.
    """
    now = clock.wall()
    mine = leases.claim(Reconciliation.objects.filter(leases.free(now), pk=run.pk, ended_at=None), now=now, lasts=LEASE)
    if mine is None:
        run.refresh_from_db()
        return run.ended_at is not None
    own = Reconciliation.objects.filter(pk=run.pk, claim_id=mine)
    run.refresh_from_db()
    try:
        with trail.acting(by, reason=run.reason):
            _one_page(run, own)
    except BaseException as error:
        if isinstance(error, errors.StripeObjectMissing) and error.param == "starting_after":
            # the object that the page begins after is gone: repeat the stage
            own.update(cursor="", seen_to=[], **leases.RELEASED)
            run.refresh_from_db()
            return True
        words = errors.without_addresses(errors.without_stripe_ids(f"{type(error).__name__}: {error}"))
        own.update(**leases.RELEASED, last_error=words[:500])
        raise
    return True


def _one_page(run: Reconciliation, own: QuerySet[Reconciliation]) -> None:
    until, before = time.monotonic() + BUDGET_SECONDS, dict(run.counts)
    part = stages.STAGES[run.stage](run, run.cursor)
    suspects = [one for one in part.suspects if one.office.pk not in run.seen_to]
    result = drift.repair(
        suspects,
        teller=drift.Teller(run, _last(run)),
        go_on=lambda: bool(own.update(lease_until=clock.wall() + LEASE)) and time.monotonic() < until,
    )
    finished = {one.office.pk for one in suspects} <= result.offices
    if not finished:  # the page is read again for the other Offices, and its objects are counted then
        run.counts = before
        run.seen_to = [*run.seen_to, *sorted(result.offices)]
    for what, how_many in (
        ("looks", result.looks),
        ("changes on their way", result.expected),
        ("filled in after an update", result.filled),
    ):
        if how_many:
            run.count(what, how_many)
    if finished:
        missed_events.put_in(part.events)
        if part.seen:
            run.count(run.stage, len(part.seen))
            drift.resolve_equal(set(part.seen) - {one.stripe_id for one in part.suspects})
        _advance(run, part.next)
    if run.ended_at and "events" in stages.names(run):
        missed_events.tell(run)
    if run.ended_at and run.takes_all:
        _behind().update(read_as=READ_AS)
    if run.ended_at and run.adopts:
        _resolve_unfinished(run)
    _count_findings(run)
    values = {
        "stage": run.stage,
        "cursor": run.cursor,
        "seen_to": run.seen_to,
        "counts": run.counts,
        "ended_at": run.ended_at,
    }
    if own.update(**values, **leases.RELEASED, last_error="") and run.ended_at:
        log.info("reconciliation ended: %s", run.counts)


def _count_findings(run: Reconciliation) -> None:
    """Count what this comparison repaired and what it leaves for a person. The findings are what is counted."""
    found = {
        "drifted": run.findings.filter(kind=drift.KIND, resolution=drift.REPAIRED).count(),
        "left": run.findings.filter(resolved_at=None).count(),
    }
    counts = {what: how_many for what, how_many in run.counts.items() if what not in found}
    run.counts = counts | {what: how_many for what, how_many in found.items() if how_many}


def _behind() -> QuerySet[Office]:
    """Return the Offices whose rows a version before may have read."""
    return Office.objects.filter(read_as__lt=READ_AS)


def _last(run: Reconciliation) -> datetime | None:
    """Return when the comparison before this one began, or None if there was none."""
    ended = Reconciliation.objects.filter(ended_at__isnull=False, began_at__lt=run.began_at)
    return ended.values_list("began_at", flat=True).first()


def _advance(run: Reconciliation, following: str) -> None:
    """Move the comparison to the next page, the next stage, or the end. Nothing is saved here."""
    names = stages.names(run)
    run.cursor, run.seen_to = following, []
    if following:
        return
    if run.stage == names[-1]:
        run.ended_at = clock.wall()
    else:
        run.stage = names[names.index(run.stage) + 1]


def _resolve_unfinished(run: Reconciliation) -> None:
    """Resolve the findings about adoptions of the same products that were left unfinished: this one is complete."""
    earlier = Reconciliation.objects.filter(adopts=True, began_at__lt=run.began_at)
    same = [str(one.public_id) for one in earlier if set(one.products) == set(run.products)]
    resolve("backfill_unfinished", *same, resolution="a later adoption came to its end")


@job("purge-comparisons", every=timedelta(days=1))
def purge() -> None:
    """Delete the comparisons that ended more than 400 days ago. What they found stays."""
    Reconciliation.objects.filter(ended_at__lt=clock.wall() - KEPT_FOR).delete()


@job("reconcile", every=timedelta(minutes=15))
def begin_or_continue() -> bool:
    """Carry the comparison on by one page. Each day after RECONCILE_HOUR (UTC), begin one if none has begun yet.

    Return True if there is more to do now. A comparison that adopts is left to the person who runs it. It is ended if
    it began more than a day before the last RECONCILE_HOUR.
    """
    by = actor.job("reconcile")
    run = Reconciliation.objects.filter(ended_at=None).first()
    due = clock.wall().replace(hour=settings.RECONCILE_HOUR, minute=0, second=0, microsecond=0)
    due -= timedelta(days=1) if due > clock.wall() else timedelta(0)
    if run and run.adopts:
        if run.began_at >= due - timedelta(days=1):
            return False
        _leave_unfinished(run)
        run = None
    if run is None:
        if Reconciliation.objects.filter(began_at__gte=due, adopts=False).exists():
            return False
        run = begin(by=by, reason="the daily comparison")
    return carry_on(run, by=by) and run.ended_at is None


def _leave_unfinished(run: Reconciliation) -> None:
    """End a comparison that adopts and that nobody continues, and report a finding.

    The job does not continue it, because a person may have stopped it for a reason.
    """
    free = Reconciliation.objects.filter(leases.free(clock.wall()), pk=run.pk)
    if free.update(ended_at=clock.wall(), claim_id=None):
        report(
            "backfill_unfinished",
            str(run.public_id),
            office=None,
            detail=f"The adoption that began on {run.began_at:%d %B %Y %H:%M} UTC was ended at the stage "
            f"{run.stage}. Run the same `reconcile --adopt` command again.",
        )
