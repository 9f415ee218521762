"""Jobs fall due and are each taken by one worker at a time: a look that a login asked for, and what is done
every so often.

A claim is a conditional UPDATE with a lease, as in the inbox. What fails is tried again later; a look that
succeeded is forgotten, and the next login asks for another if it needs one.
"""

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta

from django.db.models import Q

from billing import clock, errors
from billing.audit import actor, trail
from billing.look import look
from billing.models import Job, Office
from billing.operations import idempotency

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RETRY = timedelta(minutes=1)
LOOK = "look:"
EVERY: dict[str, tuple[timedelta, Callable[[], object]]] = {
    "forget idempotent requests": (timedelta(hours=1), idempotency.purge),
}
KNOWN = Q(name__startswith=LOOK) | Q(name__in=EVERY)


def queue_look(office: Office) -> None:
    """The worker will look at this Office. Writes nothing where that waits already."""
    Job.objects.get_or_create(name=f"{LOOK}{office.public_id}", defaults={"due_at": clock.wall()})


def run_due(*, limit: int = 20) -> int:
    """What was due was done or put off, at most ``limit`` jobs. Returns how many."""
    _schedule()
    now, mine, done = clock.wall(), uuid.uuid4(), 0
    free = KNOWN & Q(due_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lte=now))
    for job in Job.objects.filter(free).order_by("due_at", "pk")[:limit]:
        if not Job.objects.filter(free, pk=job.pk).update(claim_id=mine, lease_until=clock.wall() + LEASE):
            continue  # another worker was quicker
        done += 1
        if not _run(job, mine):
            break
    return done


def _schedule() -> None:
    """Each of the recurring jobs has its row."""
    for name in EVERY.keys() - set(Job.objects.filter(name__in=EVERY).values_list("name", flat=True)):
        Job.objects.get_or_create(name=name, defaults={"due_at": clock.wall()})


def _run(job: Job, mine: uuid.UUID) -> bool:
    """The job was done or put off. False where Stripe does not answer, so that asking on is of no use now."""
    try:
        if job.name.startswith(LOOK):
            _look(job.name.removeprefix(LOOK))
        else:
            EVERY[job.name][1]()
    except errors.BillingError as error:
        _put_off(job, mine, f"{error.code}: {errors.without_stripe_ids(str(error))}")
        return not isinstance(error, errors.StripeUnavailable)
    except Exception as error:
        # a defect in one job must not stop the worker: it is kept, shown and tried again later
        log.exception("the job %s could not be done", job.name)
        _put_off(job, mine, f"A defect: {type(error).__name__}.")
        return True
    _settle(job, mine)
    return True


def _look(public_id: str) -> None:
    office = Office.objects.get(public_id=public_id)
    with trail.acting(actor.job("look"), office=office, reason="what was last seen does not reach the present"):
        look(office)


def _settle(job: Job, mine: uuid.UUID) -> None:
    claimed = Job.objects.filter(pk=job.pk, claim_id=mine)
    if job.name.startswith(LOOK):
        claimed.delete()
        return
    now = clock.wall()
    claimed.update(due_at=now + EVERY[job.name][0], last_run_at=now, lease_until=None, last_error="")


def _put_off(job: Job, mine: uuid.UUID, error: str) -> None:
    log.warning("the job %s is put off: %s", job.name, error)
    Job.objects.filter(pk=job.pk, claim_id=mine).update(due_at=clock.wall() + RETRY, lease_until=None, last_error=error)
