"""Credit: what the next invoices take off, given or taken back by the vendor."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from billing import errors
from billing.models import Office
from billing.models.operation import Kind
from billing.money import Money, credit_in_words
from billing.operations.engine.declaration import FILLED_IN, Asked, Moves, OnOffice, Outcome, Previewed, asked_for
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.stripe_api import charging, gateway

MOST_AT_ONCE = 1_000_000
"""Minor units: 10,000.00 in most currencies. More is rather a slip, and can be done in two."""


@dataclass(frozen=True, slots=True)
class CreditPreview:
    """Above zero is credit in the Office's favour, below zero is owed with the next invoice."""

    before: Money
    change: Money
    after: Money
    as_of: datetime

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """In words."""
        given = Money(abs(self.change.amount), self.change.currency)
        return (
            ("Now", credit_in_words(self.before)),
            ("Given" if self.change.amount > 0 else "Taken back", str(given)),
            ("Afterwards", credit_in_words(self.after)),
        )


@operation
@dataclass(frozen=True, kw_only=True)
class AdjustCredit(Previewed[Office], OnOffice[Office]):
    """Give the Office credit for its next invoices, or take it back. For the vendor's staff; no money moves now.

    The next invoices take off ``amount`` minor units more, or less where it is below zero: taking credit raises the
    next invoice.

    Raises:
        AmountInvalid, NoCustomer, CurrencyUnknown.
        DeterminationMissing: only where credit is taken.
    Source: https://docs.stripe.com/billing/customer/balance
    """

    kind = Kind.ADJUST_CREDIT
    money = Moves.LATER
    only_vendor_may = "change an Office's credit"

    amount: int = field(metadata=asked_for("Minor units: above zero is given, below zero is taken back"))
    currency: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and subject.is_customer and bool(subject.currency)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if self.amount < 0:
            charging.require_determination()
        if self.amount == 0 or abs(self.amount) > MOST_AT_ONCE:
            most = Money(MOST_AT_ONCE, subject.currency or "usd")
            raise errors.AmountInvalid(f"An amount of credit is not zero, and at most {most} at once.")
        if not subject.is_customer:
            raise errors.NoCustomer(subject)
        if not subject.currency:
            raise errors.CurrencyUnknown(subject)
        return replace(self, currency=subject.currency)

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> CreditPreview:
        """The credit before and after. Confirm it with its ``as_of``. For the vendor's staff.

        It is the credit that Stripe has now.
        """
        before = gateway.customers.fetch_customer(subject.payment_provider_customer_id or "").credit
        return CreditPreview(
            before=Money(before, self.currency),
            change=Money(self.amount, self.currency),
            after=Money(before + self.amount, self.currency),
            as_of=as_of,
        )

    def ask(self, run: Run) -> None:
        gateway.customers.adjust_credit(
            run.office.payment_provider_customer_id or "",
            self.amount,
            currency=self.currency,
            operation=run.id,
            step=run.step("adjust"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        customer = run.office.payment_provider_customer_id or ""
        return Outcome.of(gateway.customers.has_credit_adjustment(customer, operation=run.id))
