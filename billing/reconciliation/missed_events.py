"""Reading events that never arrived from Stripe, and putting them into the inbox. The worker settles them."""

from datetime import datetime, timedelta
from typing import Any

from billing import clock
from billing.findings import report, resolve
from billing.models import Invoice, Office, Payment, Plan, PlanPrice, ReceivedEvent, Reconciliation
from billing.stripe_api.gateway import lists
from billing.webhooks.hints import hint_of

CUSTOMER = "payment_provider_customer_id"
OVERLAP = timedelta(hours=1)
STILL_UNDERWAY = timedelta(minutes=15)
"""A younger event may still arrive by itself. It is not counted as missed."""


def newest_seen() -> datetime | None:
    """Return from when on events must be read, or None if no event was ever received.

    This is one hour before the newest event that we have, because events do not come in order.
    """
    newest = ReceivedEvent.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    return newest - OVERLAP if newest else None


def take_in(run: Reconciliation, cursor: str, *, undelivered: bool = False) -> str:
    """Put one page of events into the inbox. Return the cursor of the next page, empty after the last.

    With ``undelivered``, these are the events that Stripe knows it could not deliver. Otherwise these are all events
    since ``events_since``, or all that Stripe keeps (30 days) if everything is compared. Repeating is safe.
    """
    since = None if undelivered or run.everything else run.events_since
    if since is None and not (undelivered or run.everything):
        return ""
    events, following = lists.events(cursor, since=since, undelivered=undelivered)
    hints = _of_ours([hint for hint in map(hint_of, events) if hint.stripe_id])
    here = set(ReceivedEvent.objects.filter(stripe_id__in=[one.stripe_id for one in hints]).values_list("stripe_id"))
    new = [one for one in hints if (one.stripe_id,) not in here]
    ReceivedEvent.objects.bulk_create(new, ignore_conflicts=True)
    underway, ignored = clock.billing() - STILL_UNDERWAY, ReceivedEvent.Status.IGNORED
    late = [one for one in new if one.created_at < underway and one.status != ignored]
    run.count("events read", len(events))
    run.count("events that had not arrived", len(late))
    return following


def _of_ours(hints: list[ReceivedEvent]) -> list[ReceivedEvent]:
    """Return the hints about customers and objects that we have.

    The Stripe account may have other customers. The lists show objects that are new to us.
    """
    named = {one.customer_id for one in hints} - {""}
    ours = set(Office.objects.filter(payment_provider_customer_id__in=named).values_list(CUSTOMER, flat=True))
    about = {one for hint in hints if not hint.customer_id for one in (hint.object_id, hint.related_id)} - {""}
    known: set[Any] = set(Invoice.objects.filter(stripe_id__in=about).values_list("stripe_id", flat=True))
    for name in ("stripe_id", "payment_intent_id"):
        known |= set(Payment.objects.filter(**{f"{name}__in": about}).values_list(name, flat=True))
    known |= set(Plan.objects.filter(stripe_product_id__in=about).values_list("stripe_product_id", flat=True))
    known |= set(PlanPrice.objects.filter(stripe_price_id__in=about).values_list("stripe_price_id", flat=True))
    return [one for one in hints if one.customer_id in ours or {one.object_id, one.related_id} & known]


def tell(run: Reconciliation) -> None:
    """Report a finding if events did not arrive. Otherwise resolve it."""
    if missed := run.counts.get("events that had not arrived", 0):
        report(
            "events_missed",
            "webhooks",
            office=None,
            severity="critical",
            detail=f"{missed} events did not arrive and were read from Stripe later. Stripe's page of the webhook "
            "endpoint says why they could not be delivered.",
        )
    else:
        resolve("events_missed", "webhooks", resolution="a later comparison found all events here")
