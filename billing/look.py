"""Looks: fetching the present state of one customer from Stripe and applying it, now or soon by a worker."""

import logging
from collections.abc import Iterable

from django.db import Error as AnyDatabaseError

from billing import clock, jobs, time_limits
from billing.audit import actor, trail
from billing.models import Job, Office
from billing.models.statuses import InvoiceStatus
from billing.projection import apply, take_ticket
from billing.stripe_api import gateway

log = logging.getLogger(__name__)

MOST_TIMES = 3
"""How many times a look is made if newer looks overtake it, before the rest is left to a worker."""


def look(
    office: Office,
    *,
    invoices: Iterable[str] = (),
    payments: Iterable[str] = (),
    disputes: Iterable[str] = (),
    credit_notes: Iterable[str] = (),
    fraud_warnings: Iterable[str] = (),
    payment_methods: bool = False,
    cards: Iterable[str] = (),
    schedules: Iterable[str] = (),
) -> Office:
    """Fetch what Stripe shows of the Office's customer, write it into our rows, and return the Office.

    Objects are named by their ids at Stripe, disputes and fraud warnings by their charge and credit notes by their
    invoice. The default card is always fetched. ``payment_methods`` fetches the other cards too, with one more request,
    and checks whether the ``cards`` that are named still belong to the customer. An older look may be about to write
    them. If any of ``schedules`` is named, those that have not started are fetched, with one more request.

    Repeating is safe: an older look never overwrites a newer one. A look that was overtaken by a newer one is repeated.
    It may have added an object that the newer look saw as gone but could not mark. After three times the rest is left
    to a worker. Money does not move.

    Raises:
        StripeUnavailable: nothing was changed, or only the first looks of an overtaken one were applied.
    """
    named = set(invoices)
    for _ in range(MOST_TIMES):
        office, at = take_ticket(office.pk), clock.billing()
        ticket = office.look_ticket
        snapshot = gateway.looks.fetch(
            office,
            ticket=ticket,
            at=at,
            invoices=named,
            payments=payments,
            disputes=disputes,
            credit_notes=credit_notes,
            fraud_warnings=fraud_warnings,
            payment_methods=payment_methods,
            cards=cards,
            schedules=schedules,
        )
        office = apply(snapshot)
        if office.customer_ticket <= ticket:
            return office
        named |= {one.id for one in snapshot.invoices}
    queue_look(office)
    return office


def queue_look(office: Office, *, using: str = "default") -> None:
    """Queue a look at this Office for a worker. Write nothing if one is waiting already."""
    name = f"look:{office.public_id}"
    if not Job.objects.using(using).filter(name=name, claim_id=None).exists():
        jobs.enqueue(name, using=using)


def queue_look_if_possible(office: Office) -> None:
    """Queue a look like ``queue_look``, but without failing and without a long wait: the caller has its answer ready.

    If the database does not take the row within half a second, it is left out and the log says so. The next caller
    queues the look again.
    """
    try:
        with time_limits.optional() as using:
            queue_look(office, using=using)
    except AnyDatabaseError:
        log.exception("look at Office %s not queued: the database did not take it", office.public_id)


@jobs.job("look:")
def look_again(public_id: str) -> None:
    """Carry out a queued look. It names the Office's drafts, because they may be deleted. Raises: as ``look``."""
    office = Office.objects.get(public_id=public_id)
    with trail.acting(actor.job("look"), office=office, reason="a look was due"):
        drafts = office.invoices.filter(status=InvoiceStatus.DRAFT, deleted_at=None)
        look(office, invoices=drafts.values_list("stripe_id", flat=True))
