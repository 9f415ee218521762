"""Reading events that never arrived from Stripe.

The Offices that they are about are looked at first, so that a finding can tell what nobody reported. Only then are the
events put into the inbox, where the worker settles them like all others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from billing.findings import report, resolve
from billing.held import Gap
from billing.models import Invoice, Office, Payment, Plan, PlanPrice, ReceivedEvent, Reconciliation
from billing.projection import OLDEST
from billing.reconciliation import drift
from billing.reconciliation.suspects import Suspect
from billing.stripe_api.gateway import lists
from billing.webhooks.hints import hint_of
from billing.webhooks.inbox import named_by

OVERLAP = timedelta(hours=1)
CLOCKS_DIFFER = timedelta(minutes=1)
AFTER_BACKUP = "events after the backup that was restored"


def newest_seen() -> datetime | None:
    """Return from when on events must be read, or None if no event was ever received.

    This is one hour before the newest event that we have, because events do not come in order.
    """
    newest = ReceivedEvent.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    return newest - OVERLAP if newest else None


@dataclass(frozen=True, slots=True)
class Missed:
    """One page of events: those that are not here, what may have changed because of them, and the next page."""

    events: tuple[ReceivedEvent, ...]
    suspects: list[Suspect]
    next: str


def read(run: Reconciliation, cursor: str, *, undelivered: bool = False) -> Missed:
    """Read one page of events. The cursor of the next page is empty after the last. Nothing is written.

    With ``undelivered``, these are the events that Stripe knows it could not deliver. Otherwise these are all events
    since ``events_since``, or all that Stripe keeps (30 days) if everything is compared.
    """
    since = None if undelivered or run.everything else run.events_since
    if since is None and not (undelivered or run.everything):
        return Missed((), [], "")
    events, following = lists.events(cursor, since=since, undelivered=undelivered)
    hints = [hint for hint in map(hint_of, events) if hint.stripe_id]
    here = ReceivedEvent.objects.filter(stripe_id__in=[one.stripe_id for one in hints])
    known = set(here.values_list("stripe_id", flat=True))
    new = _of_ours([one for one in hints if one.stripe_id not in known])
    to_look_at = [(one, office) for one, office in new if one.status != ReceivedEvent.Status.IGNORED]
    run.count("events read", len(events))
    gap = Gap()
    lost = [one for one, _ in to_look_at if gap.has(one.created_at)]
    missed = [one for one, _ in to_look_at if not gap.has(one.created_at) and not drift.is_underway(one)]
    run.count("events that had not arrived", len(missed))
    if lost:
        run.count(AFTER_BACKUP, len(lost))
    return Missed(
        tuple(one for one, _ in new),
        [_suspect(one, office) for one, office in to_look_at if office and not _was_seen(one, office)],
        following,
    )


def put_in(events: Iterable[ReceivedEvent]) -> None:
    """Put the events into the inbox. Repeating is safe."""
    for one in events:
        one.was_missed = True
    ReceivedEvent.objects.bulk_create(events, ignore_conflicts=True)


def _was_seen(event: ReceivedEvent, office: Office) -> bool:
    """Return whether our rows are newer than the event, or no look has seen the Office yet: a worker looks soon."""
    if office.look_ticket == OLDEST:
        return True
    is_about_customer = not any(named_by([event]).values())
    confirmed_at = office.confirmed_at
    return is_about_customer and confirmed_at is not None and event.created_at + CLOCKS_DIFFER < confirmed_at


def _suspect(event: ReceivedEvent, office: Office) -> Suspect:
    """Return what may have changed because of the event: anything of the Office. A look finds out."""
    return Suspect(office, "event", event.stripe_id, (), named=named_by([event]), is_guess=True, missed=event)


def _of_ours(hints: list[ReceivedEvent]) -> list[tuple[ReceivedEvent, Office | None]]:
    """Return the hints about customers and objects that we have, with the Office. A product or price has no Office.

    The Stripe account may have other customers. The lists show objects that are new to us.
    """
    named = {one.customer_id for one in hints} - {""}
    ours: dict[str, Office] = {
        str(office.payment_provider_customer_id): office
        for office in Office.objects.filter(payment_provider_customer_id__in=named)
    }
    about = {one for hint in hints if not hint.customer_id for one in (hint.object_id, hint.related_id)} - {""}
    sold = set(Plan.objects.filter(stripe_product_id__in=about).values_list("stripe_product_id", flat=True))
    sold |= set(PlanPrice.objects.filter(stripe_price_id__in=about).values_list("stripe_price_id", flat=True))
    for model, name in ((Invoice, "stripe_id"), (Payment, "stripe_id"), (Payment, "payment_intent_id")):
        for row in model._default_manager.filter(**{f"{name}__in": about}).select_related("office"):
            ours[getattr(row, name)] = row.office
    found = []
    for one in hints:
        office = ours.get(one.customer_id) or ours.get(one.related_id) or ours.get(one.object_id)
        if office or one.object_id in sold:
            found.append((one, office))
    return found


def tell(run: Reconciliation) -> None:
    """Report a finding if events did not arrive. Otherwise resolve it."""
    if missed := run.counts.get("events that had not arrived", 0):
        report(
            "events_missed",
            "webhooks",
            office=None,
            detail=f"{missed} events did not arrive and were read from Stripe later. The findings about drift say what "
            "they changed here, for each Office. The page of the webhook endpoint in Stripe's dashboard says why they "
            "could not be delivered.",
            facts=str(run.public_id),
            comparison=run,
        )
    else:
        resolve("events_missed", "webhooks", resolution="a later comparison found all events here")
