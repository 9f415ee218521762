"""Credit: what the next invoices take off, given or taken back by the vendor."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.money import Money, credit_in_words
from billing.operations import previews
from billing.operations.bodies import operation_body
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway

KIND = "adjust_credit"
MOST_AT_ONCE = 1_000_000
"""Minor units: 10,000.00 in most currencies. More is rather a slip, and can be done in two."""


@dataclass(frozen=True, slots=True)
class CreditPreview:
    """Above zero is credit in the Office's favour, below zero is owed with the next invoice."""

    before: Money
    change: Money
    after: Money
    as_of: datetime
    template: ClassVar[str] = "billing/admin_before_after.html"

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """In words."""
        given = Money(abs(self.change.amount), self.change.currency)
        return (
            ("Now", credit_in_words(self.before)),
            ("Given" if self.change.amount > 0 else "Taken back", str(given)),
            ("Afterwards", credit_in_words(self.after)),
        )


def adjust_credit(office: Office, amount: int, *, by: Actor, reason: str, as_of: datetime | None = None) -> Office:
    """The next invoices take off ``amount`` minor units more, or less where it is below zero.

    No money moves now; taking credit raises the next invoice. For the vendor's staff alone. With ``as_of`` of
    a preview of the last hour it is done once, and only if nothing was done to the Office since.

    Raises:
        StaffOnly, DeterminationMissing (only where credit is taken), AmountInvalid, NoCustomer,
            CurrencyUnknown, PreviewStale: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/customer/balance
    """

    def guard(fresh: Office) -> None:
        _check(fresh, amount, by)
        previews.check_unchanged(fresh, as_of)

    request = {"amount": amount, "currency": office.currency}
    return perform(KIND, office, by=by, reason=reason, request=request, guard=guard)


def preview_credit(office: Office, amount: int, *, by: Actor) -> CreditPreview:
    """The credit as Stripe has it now, and as it would be. Nothing changes.

    Raises: what ``adjust_credit`` raises before Stripe is asked; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    _check(office, amount, by)
    before = gateway.fetch_customer(office.payment_provider_customer_id or "").credit
    return CreditPreview(
        before=Money(before, office.currency),
        change=Money(amount, office.currency),
        after=Money(before + amount, office.currency),
        as_of=as_of,
    )


def _check(office: Office, amount: int, by: Actor) -> None:
    grants.require_vendor(by, "manage_billing", to="change an Office's credit")
    if amount < 0:
        charging.require_determination()
    if amount == 0 or abs(amount) > MOST_AT_ONCE:
        most = Money(MOST_AT_ONCE, office.currency or "usd")
        raise errors.AmountInvalid(f"An amount of credit is not zero, and at most {most} at once.")
    if not office.is_customer:
        raise errors.NoCustomer(office)
    if not office.currency:
        raise errors.CurrencyUnknown(office)


def _was_adjusted(run: Run, office: Office) -> bool:
    return gateway.has_credit_adjustment(office.payment_provider_customer_id or "", operation=run.id)


@operation_body(KIND, search=_was_adjusted)
def _adjust(run: Run, office: Office, *, amount: int, currency: str, as_of: str = "") -> None:
    gateway.adjust_credit(
        office.payment_provider_customer_id or "",
        amount,
        currency=currency,
        operation=run.id,
        step=run.step("adjust"),
    )
