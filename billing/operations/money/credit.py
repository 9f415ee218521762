"""Credit that lowers the next invoices. The vendor gives it or takes it back."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from billing import errors
from billing.access.roles import Power
from billing.models import Office
from billing.models.operation import Kind
from billing.money import Money, credit_in_words
from billing.operations.engine.declaration import FILLED_IN, Asked, Moves, OnOffice, Outcome, Previewed, asked_for
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing
from billing.operations.engine.steps import Run
from billing.operations.money.amounts import check_decimals
from billing.stripe_api import charging, gateway

MOST_AT_ONCE = 1_000_000
"""Minor units: 10,000.00 in most currencies. More is probably a mistake. It can be done in two steps."""


@dataclass(frozen=True, slots=True)
class CreditPreview:
    """Show the credit before and after. Above zero the Office has credit. Below zero it owes with the next invoice."""

    before: Money
    change: Money
    after: Money
    as_of: datetime
    waits: str = ""
    """Says so, if it waits for a second person once it is confirmed."""

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Return the credit in words."""
        given = Money(abs(self.change.amount), self.change.currency)
        return (
            ("Now", credit_in_words(self.before)),
            ("Given" if self.change.amount > 0 else "Taken back", str(given)),
            ("Afterwards", credit_in_words(self.after)),
        )


@operation
@dataclass(frozen=True, kw_only=True)
class AdjustCredit(Previewed[Office], OnOffice[Office]):
    """Give the Office credit for its next invoices, or take credit back. No money moves now. Vendor's staff only.

    With ``amount`` above zero the next invoices are lower by so many minor units. Below zero, they are higher.
    Repeating changes the credit again, unless it confirms the same preview (``as_of``).

    Raises:
        AmountInvalid, NoCustomer, CurrencyUnknown.
        DeterminationMissing: only if credit is taken back.
    Source: https://docs.stripe.com/billing/customer/balance
    """

    kind = Kind.ADJUST_CREDIT
    done = "changed the credit"
    money = Moves.LATER
    needs, asks_to = Power.GIVE_BACK, "change an Office's credit"

    amount: int = field(
        metadata=asked_for("Minor units of the Office's currency. Above zero gives credit, below zero takes it back")
    )
    currency: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.archived_at and subject.is_customer and bool(subject.currency)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        if self.amount < 0:
            charging.require_determination()
        if not subject.is_customer:
            raise errors.NoCustomer(subject)
        if not subject.currency:
            raise errors.CurrencyUnknown(subject)
        if self.amount == 0 or abs(self.amount) > MOST_AT_ONCE:
            most = Money(MOST_AT_ONCE, subject.currency)
            raise errors.AmountInvalid(f"The amount of credit must not be zero. It must be at most {most} at once.")
        check_decimals(self.amount, subject.currency)
        return replace(self, currency=subject.currency)

    def given_back(self, subject: Office) -> Money | None:
        return Money(self.amount, self.currency) if self.amount > 0 else None

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> CreditPreview:
        """Show the credit before and after a change. Confirm it with its ``as_of``. Vendor's staff only.

        The credit before is what Stripe has now.
        """
        customer = gateway.customers.fetch_customer(subject.payment_provider_customer_id or "")
        before = customer.credit_in(self.currency)
        return CreditPreview(
            before=Money(before, self.currency),
            change=Money(self.amount, self.currency),
            after=Money(before + self.amount, self.currency),
            as_of=as_of,
        )

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return (replace(before, credit=seen.before), replace(before, credit=seen.after)) if seen else None

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
