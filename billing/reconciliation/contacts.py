"""Whether Stripe addresses an Office's invoices as we would. Both may be right, so a person decides."""

from collections.abc import Iterable

from billing.findings import CONTACT_DIFFERS, report, resolve
from billing.models import Office, Operation
from billing.reconciliation.suspects import offices_of
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import Contact


def tell(listed: Iterable[Listed]) -> None:
    """A Finding for each Office whose customer has another name, address or language; the values are not repeated."""
    listed = list(listed)
    ours, equal = offices_of(listed), []
    for one in listed:
        office = ours.get(one.customer)
        if office is None or one.contact is None:
            continue
        other = [word for word, is_equal in _compared(office, one.contact) if not is_equal]
        if not other:
            equal.append(str(office.public_id))
        elif not office.operations.filter(status__in=Operation.UNSETTLED).exists():
            report(
                CONTACT_DIFFERS,
                str(office.public_id),
                office=office,
                detail=f"The customer at Stripe has another {' and '.join(other)} than this Office. Its invoices have "
                "Stripe's value. On the Office's page, choose “Change the contact”. Enter what is right, or leave it "
                "as it is to send it to Stripe again.",
            )
    resolve(CONTACT_DIFFERS, *equal, resolution="equal when it was compared again")


def _compared(office: Office, contact: Contact) -> Iterable[tuple[str, bool]]:
    """Word for word as adopting takes them over; what Stripe has none of is no difference, but for the address."""
    yield "name", " ".join(contact.name.split())[:200] in ("", office.name)
    yield "address", office.billing_email.lower() == contact.email.lower()
    yield "language", contact.locale in ("", office.locale)
