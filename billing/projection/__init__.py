"""``apply(snapshot)``: the one writer of what mirrors Stripe.

Every projected object remembers the ticket of the look it was written with, and an older look leaves it
alone. Totals are derived from our own rows. One short transaction, serialised on the Office's row.

``columns`` says what our columns are of what Stripe shows, ``rows`` how a row is written, ``objects`` and
``offices`` whose rows those are.
"""

from django.db import transaction
from django.db.models import F

from billing.models import Office
from billing.projection import objects, offices, rows
from billing.stripe_api.inbound.states import Snapshot

OLDEST = rows.OLDEST


def take_ticket(office_id: int) -> Office:
    """The Office, with a ticket larger than that of every look at it that began before."""
    with transaction.atomic(durable=True):
        Office.objects.filter(pk=office_id).update(look_ticket=F("look_ticket") + 1)
        return Office.objects.get(pk=office_id)


def link_customer(office_id: int, customer_id: str) -> Office:
    """The Office has this customer at Stripe. Repeating is a no-op."""
    with transaction.atomic(durable=True):
        office = _locked(office_id)
        if not office.payment_provider_customer_id:
            office.payment_provider_customer_id = customer_id
            office.save(update_fields=["payment_provider_customer_id"])
        return office


def apply(snapshot: Snapshot) -> Office:
    """Our rows are at least as new as the snapshot. Repeating is a no-op."""
    with transaction.atomic(durable=True):
        office = _locked(snapshot.office_id)
        before = rows.values_of(office)
        if snapshot.customer:
            offices.write_customer(office, snapshot.customer, snapshot)
        objects.write(office, snapshot)
        offices.derive(office)
        if snapshot.customer and office.customer_ticket == snapshot.ticket:  # the newest look
            office.confirmed_at = max(filter(None, [office.confirmed_at, snapshot.seen_at]))
        changed = [name for name, value in rows.values_of(office).items() if before[name] != value]
        if changed:
            office.save(update_fields=changed)
        return office


def _locked(office_id: int) -> Office:
    """The row is ours until commit. A key to it, as every row of the Office has, may still be inserted."""
    return Office.objects.select_for_update(no_key=True).get(pk=office_id)
