"""Comparing an Office's name, e-mail address and language with its customer's. Both may be right: a person decides."""

import hashlib
from collections.abc import Iterable

from billing.findings import CONTACT_DIFFERS, report, resolve
from billing.models import Office, Operation, Reconciliation
from billing.reconciliation.suspects import offices_of
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import Contact


def tell(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Report a finding for each Office whose customer has another name, e-mail address or language.

    The finding does not repeat the values. An Office with an unsettled operation is left out.
    """
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
                facts=_digest(office, one.contact),
                comparison=run,
            )
    resolve(CONTACT_DIFFERS, *equal, resolution="equal when it was compared again")


def _digest(office: Office, contact: Contact) -> str:
    """Return what the finding rests on. It does not repeat the values, so that no address is stored twice."""
    values = repr((office.name, office.billing_email, office.locale, contact))
    return hashlib.sha256(values.encode()).hexdigest()


def _compared(office: Office, contact: Contact) -> Iterable[tuple[str, bool]]:
    """Yield each field, and whether it is equal. The name is cleaned as adoption cleans it.

    A name or language that is empty at Stripe counts as equal. An empty e-mail address does not.
    """
    yield "name", " ".join(contact.name.split())[:200] in ("", office.name)
    yield "address", office.billing_email.lower() == contact.email.lower()
    yield "language", contact.locale in ("", office.locale)
