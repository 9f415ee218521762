"""One-off charges: a separate invoice for something in a fixed catalogue."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from billing import errors, zones
from billing.access.roles import Power
from billing.invoice_lines import CATALOGUE
from billing.models import Invoice, Office
from billing.models.operation import Kind
from billing.models.statuses import InvoiceStatus
from billing.money import Money, least_charge
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnOffice, Outcome, Previewed, asked_for
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.money.amounts import check_decimals
from billing.operations.offices.customer import customer_of, refuse_deleted
from billing.stripe_api import gateway

LEAST, MOST = 100, 1_000_000  # minor units of the Office's currency
LONGEST_DAYS = 90


def bounds(currency: str) -> tuple[Money, Money]:
    """Return the least and the most of a charge, before taxes. It is never less than the least that Stripe charges."""
    return Money(max(LEAST, least_charge(currency)), currency), Money(MOST, currency)


@operation
@dataclass(frozen=True, kw_only=True)
class ChargeOffice(Previewed[Office], OnOffice[Invoice]):
    """Charge the Office once, outside its subscription. **Money moves** now, unless the invoice is sent.
    A declined payment makes the invoice void. Only for the vendor's staff.

    The Office is charged ``amount`` minor units of its currency, plus the same taxes as its subscription.
    ``charge`` is a code of the catalogue. Its text is printed on the invoice. What is on file is charged now.
    With ``days_until_due``, the invoice is e-mailed to the Office instead, which pays it by then. If an answer is lost,
    the operation continues with the same invoice and never makes a second one. Repeating charges again,
    unless it confirms the same preview (``as_of``).

    Raises:
        NoCustomer, ChargeUnknown, CurrencyUnknown, AmountOutOfBounds, DaysInvalid, PaymentMethodRequired.
        CardDeclined: the payment was declined; the invoice is void.
    Source: https://docs.stripe.com/invoicing/integration
    """

    kind = Kind.CHARGE_OFFICE
    done = "made a one-off charge"
    money = Moves.NOW
    needs, asks_to = Power.OPERATE, "charge an Office outside its subscription"
    needs_determination = True

    charge: str = field(metadata=asked_for("What the charge is for. It is printed", choices=tuple(CATALOGUE.items())))
    amount: int = field(
        metadata=asked_for(
            f"Minor units of the Office's currency, {LEAST} to {MOST}, before taxes. At least what Stripe can charge"
        )
    )
    days_until_due: int = field(
        default=0, metadata=asked_for(f"0 charges what is on file now. 1 to {LONGEST_DAYS} sends the invoice instead")
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return bool(subject.currency) and subject.customer_deleted_at is None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        refuse_deleted(subject)
        if self.charge not in CATALOGUE:
            raise errors.ChargeUnknown(list(CATALOGUE))
        if not subject.currency:
            raise errors.CurrencyUnknown(subject)
        least, most = bounds(subject.currency)
        if not least.amount <= self.amount <= most.amount:
            raise errors.AmountOutOfBounds(least, most)
        check_decimals(self.amount, subject.currency)
        if not 0 <= self.days_until_due <= LONGEST_DAYS:
            raise errors.DaysInvalid(LONGEST_DAYS)
        if not (self.days_until_due or subject.has_payment_method):
            raise errors.PaymentMethodRequired(subject, "send the invoice with days until it is due")
        return self

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the amount of the charge with taxes and after credit. Confirm it with its ``as_of``."""
        invoice = gateway.charges.preview_charge(
            subject.payment_provider_customer_id or "",
            charge=self.charge,
            amount=self.amount,
            currency=subject.currency,
            tax_rates=gateway.charges.tax_rates_of(subject.payment_provider_subscription_id),
            is_sent=self.days_until_due > 0,
        )
        due = as_of + timedelta(days=self.days_until_due) if self.days_until_due else None
        title = f"Sent to the Office, which pays it by {zones.last_day(due, subject.time_zone)}" if due else ""
        return previews.shown(invoice, now=due is None, at=due, as_of=as_of, title=title)

    def ask(self, run: Run) -> None:
        """Add the line to a separate draft, so that no renewal can include it, even if the process dies."""
        customer = customer_of(run)
        draft = gateway.charges.draft_invoice(
            customer,
            currency=run.office.currency,
            days_until_due=self.days_until_due,
            office=str(run.office.public_id),
            operation=run.id,
            step=run.step("draft"),
        )
        run.look_at(invoices=draft)
        try:
            gateway.charges.add_charge(
                draft,
                customer=customer,
                charge=self.charge,
                amount=self.amount,
                currency=run.office.currency,
                tax_rates=gateway.charges.tax_rates_of(run.office.payment_provider_subscription_id),
                operation=run.id,
                step=run.step("line"),
            )
            invoice = gateway.invoices.finalise_invoice(draft, step=run.step("finalise"))
        except errors.StripeRejected:
            if self._is_given_up(run, lambda: gateway.charges.delete_draft(draft, step=run.step("delete"))):
                raise
            return
        run.look_at(payments=invoice.payment_intent_id)
        if invoice.status == InvoiceStatus.PAID:  # from credit
            return
        try:
            if self.days_until_due:
                gateway.invoices.send_invoice(draft, step=run.step("send"))
            else:
                gateway.invoices.pay_invoice(draft, step=run.step("pay"))
        except (errors.CardDeclined, errors.StripeRejected):
            if self._is_given_up(run, lambda: gateway.invoices.void_invoice(draft, step=run.step("void"))):
                raise

    def _is_given_up(self, run: Run, give_up: Callable[[], None]) -> bool:
        """Carry out ``give_up``. Return False if Stripe refuses it because somebody has paid in the meantime."""
        try:
            give_up()
        except errors.StripeRejected:
            return self.settle_unknown(run) is Outcome.NOT_DONE
        return True

    def settle_unknown(self, run: Run) -> Outcome:
        """Find out whether the invoice was paid or sent. If not, give it up, so that it is not collected later."""
        found = gateway.invoices.find_invoice(run.office.payment_provider_customer_id or "", operation=run.id)
        if found is None:
            return Outcome.NOT_DONE
        run.look_at(invoices=found.id, payments=found.payment_intent_id)
        if found.status == InvoiceStatus.PAID:  # somebody may have finalised the empty draft
            return Outcome.of(any(line["charge"] for line in found.lines))
        if gateway.invoices.was_sent(found.id, key=run.step("send").key):
            return Outcome.DONE
        if found.status == InvoiceStatus.DRAFT:
            gateway.charges.delete_draft(found.id, step=run.step("delete"))
        elif found.status == InvoiceStatus.OPEN:
            gateway.invoices.void_invoice(found.id, step=run.step("undo"))
        return Outcome.NOT_DONE

    def result(self, run: Run) -> Invoice:
        """Return the invoice that the charge made."""
        made = run.operation.steps.get(name="draft").object_id
        return Invoice.objects.get(office=run.office, stripe_id=made)
