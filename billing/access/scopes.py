"""The table of scopes: what a token may be limited to, and which addresses of the API each scope opens for reading.

An address that no scope names is closed to every service. A scope reads only: what changes something names no scope.
"""

from dataclasses import dataclass

from billing.audit.reads import READING


@dataclass(frozen=True, slots=True)
class Scope:
    """``says`` is what it allows, in words. ``addresses`` are names of billing/api/urls.py."""

    says: str
    addresses: tuple[str, ...]


SCOPES: dict[str, Scope] = {
    "entitlement:read": Scope("ask whether an Office may use the product", ("entitlement",)),
    "offices:read": Scope("read the Offices and their contacts", ("offices", "office")),
    "plans:read": Scope("read the plan prices that are for sale", ("plans",)),
    "subscriptions:read": Scope("read an Office's present subscription", ("subscription",)),
    "invoices:read": Scope(
        "read invoices, and the next one as Stripe calculates it",
        ("invoices", "invoice", "invoice-lines", "upcoming-invoice"),
    ),
    "invoices:open": Scope(
        "get the address of an invoice at Stripe, which anyone who has it can open", ("invoice-pdf", "invoice-page")
    ),
    "payments:read": Scope("read payments, refunds, credit notes and disputes", ("payments", "adjustments")),
    "cards:read": Scope("read which cards are on file: brand, last four digits and expiry", ("payment-methods",)),
    "account:read": Scope("read statements, periods and what is owed", ("statement", "cycles", "standing")),
}


def needed(address: str, method: str) -> str | None:
    """Return the scope that opens the address, by its name without ``api:``. None: no scope does."""
    if method not in READING:
        return None
    return next((name for name, scope in SCOPES.items() if address in scope.addresses), None)


def words(names: list[str]) -> str:
    """Return what the scopes allow, in words. A name that this version does not know allows nothing."""
    return "; ".join(SCOPES[name].says for name in names if name in SCOPES) or "nothing"
