"""``apply(snapshot)``, the only code that writes what mirrors Stripe.

Every projected object remembers the ticket of the look that wrote it. A look with a lower ticket does not change it.
Totals are calculated from our own rows. ``apply`` is one short transaction, and it locks the Office's row first.

``columns`` turns what Stripe shows into values of our columns. ``rows`` writes one row. ``objects`` writes the rows of
an Office's objects, ``schedules`` what others scheduled, and ``offices`` writes the columns of the Office itself.
"""

import copy

from django.db import transaction
from django.db.models import F

from billing import notices
from billing.audit import trail
from billing.models import Office
from billing.models.audit import written_together
from billing.projection import objects, offices, rows, schedules
from billing.stripe_api.inbound.states import Snapshot

OLDEST = rows.OLDEST


def take_ticket(office_id: int) -> Office:
    """Return the Office with a new ticket, higher than the ticket of every look at it that began before.

    Must not be called inside a transaction: it commits by itself.
    """
    with transaction.atomic(durable=True):
        Office.objects.filter(pk=office_id).update(look_ticket=F("look_ticket") + 1)
        return Office.objects.get(pk=office_id)


def link_customer(office_id: int, customer_id: str) -> Office:
    """Link the customer to the Office, and return the Office. Do nothing if the Office has a customer already."""
    with transaction.atomic(durable=True):
        office = _locked(office_id)
        if not office.payment_provider_customer_id:
            office.payment_provider_customer_id = customer_id
            office.save(update_fields=["payment_provider_customer_id"])
        return office


def apply(snapshot: Snapshot) -> Office:
    """Write the snapshot into our rows, and return the Office.

    Rows that are newer than the snapshot stay. Repeating is a no-op. Must not be called inside a transaction.
    """
    with transaction.atomic(durable=True), written_together():
        office = _locked(snapshot.office_id)
        was, before = copy.copy(office), rows.values_of(office)
        if snapshot.customer:
            offices.write_customer(office, snapshot.customer, snapshot)
        schedules.write(office, snapshot)
        offices.derive(office, objects.write(office, snapshot))
        if snapshot.customer and office.customer_ticket == snapshot.ticket:  # this is the newest look
            office.confirmed_at = max(filter(None, [office.confirmed_at, snapshot.seen_at]))
        changed = [name for name, value in rows.values_of(office).items() if before[name] != value]
        if changed:
            trail.save_changed(office, before=was, names=changed)
        notices.put(office, before=before)
        return office


def _locked(office_id: int) -> Office:
    """Return the Office, locked until the commit. Others can still insert rows with a foreign key to it."""
    return Office.objects.select_for_update(no_key=True).get(pk=office_id)
