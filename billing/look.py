"""A look: the present of one customer is fetched and applied; now, or soon by the worker."""

import logging
from collections.abc import Iterable

from django.db import Error as DatabaseTrouble

from billing import clock, jobs, time_limits
from billing.audit import actor, trail
from billing.models import Job, Office
from billing.models.statuses import InvoiceStatus
from billing.projection import apply, take_ticket
from billing.stripe_api import gateway

log = logging.getLogger(__name__)

MOST_TIMES = 3
"""A look that was overtaken so often leaves the rest to the worker."""


def look(
    office: Office,
    *,
    invoices: Iterable[str] = (),
    payments: Iterable[str] = (),
    disputes: Iterable[str] = (),
    credit_notes: Iterable[str] = (),
    payment_methods: bool = False,
    cards: Iterable[str] = (),
) -> Office:
    """Our rows show what Stripe shows, also of what is named by its id; disputes are named by their charge,
    credit notes by their invoice. Safe to repeat; an older look never overwrites a newer one.

    The default card is always seen; with ``payment_methods`` the others too, for one request more, and whether the
    ``cards`` that are named are still the customer's, which an older look may be about to write. A look that was
    overtaken is repeated: what it added may be gone, and was not there for the newer one to mark. One that is overtaken
    again and again leaves that to the worker's look.

    Raises:
        StripeUnavailable: nothing was changed, or a newer look's changes stand.
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
            payment_methods=payment_methods,
            cards=cards,
        )
        office = apply(snapshot)
        if office.customer_ticket <= ticket:
            return office
        named |= {one.id for one in snapshot.invoices}
    queue_look(office)
    return office


def queue_look(office: Office, *, using: str = "default") -> None:
    """The worker will look at this Office. Writes nothing where that waits already."""
    name = f"look:{office.public_id}"
    if not Job.objects.using(using).filter(name=name, claim_id=None).exists():
        jobs.enqueue(name, using=using)


def queue_look_if_possible(office: Office) -> None:
    """As ``queue_look``, for whoever has an answer ready: it is neither decided nor held up by this.

    What the database does not take within half a second is left out, and the log says so. Whoever asks next, asks for
    the look again.
    """
    try:
        with time_limits.optional() as using:
            queue_look(office, using=using)
    except DatabaseTrouble:
        log.exception("look at Office %s not queued: the database did not take it", office.public_id)


@jobs.job("look:")
def look_again(public_id: str) -> None:
    """What a queued look does: drafts are named, as they can be gone. Raises: as ``look``."""
    office = Office.objects.get(public_id=public_id)
    with trail.acting(actor.job("look"), office=office, reason="what was last seen does not reach the present"):
        drafts = office.invoices.filter(status=InvoiceStatus.DRAFT, deleted_at=None)
        look(office, invoices=drafts.values_list("stripe_id", flat=True))
