"""A look: the present of one customer is fetched and applied."""

from collections.abc import Iterable

from billing import clock
from billing.models import Office
from billing.projection import apply, take_ticket
from billing.stripe_api import gateway


def look(
    office: Office,
    *,
    invoices: Iterable[str] = (),
    payments: Iterable[str] = (),
) -> Office:
    """Our rows show what Stripe shows. Safe to repeat; an older look never overwrites a newer one.

    Raises:
        StripeUnavailable: nothing was changed.
    """
    ticket, at = take_ticket(office.pk), clock.billing()
    office = Office.objects.get(pk=office.pk)
    return apply(gateway.fetch(office, ticket=ticket, at=at, invoices=invoices, payments=payments))
