"""Operations on an existing invoice: collect it, send it, void it or write it off."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from billing import errors
from billing.access.roles import Power
from billing.models import Invoice
from billing.models.operation import Kind
from billing.models.statuses import InvoiceStatus
from billing.money import Money
from billing.operations.engine.declaration import Asked, Moves, OnInvoice, Outcome, asked_for
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.offices.cards import card_on_file, on_file
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import InvoiceState


@operation
@dataclass(frozen=True, kw_only=True)
class PayInvoice(OnInvoice):
    """Pay an invoice now. **Money moves.** If the payment is declined, the invoice stays open.

    It is paid with what is on file, or with another of the Office's payment methods. A draft that Stripe does not
    finalise by itself, such as of a subscription that is unpaid, is finalised first. Repeating is refused once it is
    paid.

    Raises:
        InvoiceDraft: Stripe finalises it by itself.
        InvoicePaid, InvoiceVoid, NothingToPay, PaymentUnderWay, PaymentMethodRequired.
        PaymentMethodUnknown: the Office does not have this payment method.
    Source: https://docs.stripe.com/api/invoices/pay and
        https://docs.stripe.com/billing/subscriptions/overview#unpaid-subscriptions
    """

    kind = Kind.PAY_INVOICE
    done = "paid an invoice"
    money = Moves.NOW
    needs_determination = True
    no_preview_because = "The invoice shows what is still to be paid."

    payment_method: str | None = field(
        default=None,
        metadata=asked_for(
            "The id of one of the Office's payment methods. Default: the one that is charged",
            nullable=True,
            form="uuid",
        ),
    )

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        can_be_paid = (subject.is_collectible and subject.amount_remaining > 0) or subject.stays_a_draft
        return can_be_paid and not subject.payment_under_way and on_file(subject.office).exists()

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        if not subject.stays_a_draft:
            _check_collectible(subject)
        if self.payment_method:
            card_on_file(subject.office, self.payment_method)
        else:
            _require_card(subject)
        return self

    def ask(self, run: Run) -> None:
        cards = run.office.payment_methods
        card = cards.get(public_id=self.payment_method).stripe_id if self.payment_method else ""
        invoice = _named(self, run)
        if self.subject_in(run.office).stays_a_draft and not _finalised(invoice, run):
            return
        _pay(invoice, run, card=card)

    def settle_unknown(self, run: Run) -> Outcome:
        return _became(InvoiceStatus.PAID, self, run)


@operation
@dataclass(frozen=True, kw_only=True)
class RetryInvoice(OnInvoice):
    """Try a failed payment of an invoice again, with what is on file. **Money moves.**

    If the payment is declined, the invoice stays open. Repeating is refused once it is paid.

    Raises:
        InvoiceDraft, InvoicePaid, InvoiceVoid, NothingToPay, PaymentUnderWay, InvoiceUncollectible,
            NoFailedAttempt, PaymentMethodRequired.
    Source: https://docs.stripe.com/api/invoices/pay
    """

    kind = Kind.RETRY_INVOICE
    done = "tried an invoice again"
    money = Moves.NOW
    needs_determination = True
    no_preview_because = PayInvoice.no_preview_because

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        was_tried = subject.is_open and subject.attempt_count > 0 and subject.amount_remaining > 0
        return was_tried and subject.office.has_payment_method and not subject.payment_under_way

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        _check_collectible(subject)
        if subject.status == InvoiceStatus.UNCOLLECTIBLE:
            raise errors.InvoiceUncollectible(subject)
        if not subject.attempt_count:
            raise errors.NoFailedAttempt(subject)
        _require_card(subject)
        return self

    def ask(self, run: Run) -> None:
        _pay(_named(self, run), run, card="")

    def settle_unknown(self, run: Run) -> Outcome:
        return _became(InvoiceStatus.PAID, self, run)


@operation
@dataclass(frozen=True, kw_only=True)
class SendInvoice(OnInvoice):
    """Send the invoice to the Office by e-mail. Only for the vendor's staff.

    It has a link to a page where the Office can pay. **Money moves** then. Repeating sends it again.

    Raises: InvoiceDraft, InvoicePaid, InvoiceVoid, InvoiceUncollectible, InvoiceNotSendable.
    """

    kind = Kind.SEND_INVOICE
    done = "sent an invoice"
    money = Moves.LATER
    needs, asks_to = Power.OPERATE, "send an invoice"
    needs_determination = True

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        return subject.is_open and subject.collection == Invoice.Collection.SENT

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        _check_open(subject)
        if subject.collection != Invoice.Collection.SENT:
            raise errors.InvoiceNotSendable(subject)
        return self

    def ask(self, run: Run) -> None:
        gateway.invoices.send_invoice(_named(self, run), step=run.step("send"))

    def settle_unknown(self, run: Run) -> Outcome:
        return Outcome.of(gateway.invoices.was_sent(_named(self, run), key=run.step("send").key))


@operation
@dataclass(frozen=True, kw_only=True)
class VoidInvoice(OnInvoice):
    """Void the invoice so that nothing is owed on it any more. Only for the vendor's staff.

    This cannot be undone. Money does not move, because Stripe voids no invoice on which something was paid. Credit
    that the invoice used is given back. Repeating is refused.

    Raises: InvoiceDraft, InvoicePaid, InvoiceVoid, PaymentUnderWay, InvoicePaidInPart, PaymentAttached.
    Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses
    """

    kind = Kind.VOID_INVOICE
    done = "voided an invoice"
    needs, asks_to = Power.OPERATE, "void an invoice"

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        return subject.is_collectible and not subject.amount_paid and not _is_being_paid(subject)

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        _check_not_settled(subject)
        if subject.amount_paid:
            raise errors.InvoicePaidInPart(subject, Money(subject.amount_paid, subject.currency))
        _check_nothing_pays(subject)
        return self

    def loses(self, subject: Invoice, at: datetime) -> Loss | None:
        return loss(f"{subject.remaining} is given up for good. Nobody can pay this invoice any more.")

    def ask(self, run: Run) -> None:
        gateway.invoices.void_invoice(_named(self, run), step=run.step("void"))

    def settle_unknown(self, run: Run) -> Outcome:
        return _became(InvoiceStatus.VOID, self, run)


@operation
@dataclass(frozen=True, kw_only=True)
class MarkUncollectible(OnInvoice):
    """Write the invoice off. The Office can still pay it. Only for the vendor's staff.

    Stripe stops trying to collect it. Money does not move. Repeating is refused.

    Raises: InvoiceDraft, InvoicePaid, InvoiceVoid, InvoiceUncollectible, PaymentUnderWay, PaymentAttached.
    """

    kind = Kind.MARK_UNCOLLECTIBLE
    done = "wrote an invoice off"
    needs, asks_to = Power.OPERATE, "write an invoice off"

    @classmethod
    def offered(cls, subject: Invoice) -> bool:
        return subject.is_open and not _is_being_paid(subject)

    def prepare(self, subject: Invoice, asked: Asked) -> Self:
        _check_open(subject)
        _check_nothing_pays(subject)
        return self

    def loses(self, subject: Invoice, at: datetime) -> Loss | None:
        return loss(
            f"{subject.remaining} is written off as a loss. Nobody tries to collect it any more. The Office can still "
            "pay it by itself."
        )

    def ask(self, run: Run) -> None:
        gateway.invoices.mark_uncollectible(_named(self, run), step=run.step("mark"))

    def settle_unknown(self, run: Run) -> Outcome:
        return _became(InvoiceStatus.UNCOLLECTIBLE, self, run)


def _check_not_settled(invoice: Invoice) -> None:
    """Check that it is open or uncollectible. Raises what refuses it."""
    if invoice.status == InvoiceStatus.DRAFT or invoice.deleted_at:
        raise errors.InvoiceDraft(invoice)
    if invoice.status == InvoiceStatus.PAID:
        raise errors.InvoicePaid(invoice)
    if invoice.status == InvoiceStatus.VOID:
        raise errors.InvoiceVoid(invoice)


def _check_open(invoice: Invoice) -> None:
    _check_not_settled(invoice)
    if invoice.status == InvoiceStatus.UNCOLLECTIBLE:
        raise errors.InvoiceUncollectible(invoice)


def _check_collectible(invoice: Invoice) -> None:
    _check_not_settled(invoice)
    if invoice.amount_remaining <= 0:
        raise errors.NothingToPay(invoice)
    _check_not_under_way(invoice)


def _check_not_under_way(invoice: Invoice) -> None:
    if payment := invoice.payment_under_way:
        raise errors.PaymentUnderWay(payment)


def _check_nothing_pays(invoice: Invoice) -> None:
    _check_not_under_way(invoice)
    if invoice.has_attached_payment:
        raise errors.PaymentAttached(invoice)


def _is_being_paid(invoice: Invoice) -> bool:
    return invoice.payment_under_way is not None or invoice.has_attached_payment


def _require_card(invoice: Invoice) -> None:
    if not invoice.office.has_payment_method:
        raise errors.PaymentMethodRequired(invoice.office, "pay with another one that it has on file")


def _named(wanted: OnInvoice, run: Run) -> str:
    """Return Stripe's id of the invoice. The look afterwards fetches it with its payments."""
    row = wanted.subject_in(run.office)
    run.look_at(invoices=row.stripe_id, payments=row.payment_intent_id)
    return row.stripe_id


def _pay(invoice: str, run: Run, *, card: str) -> None:
    try:
        gateway.invoices.pay_invoice(invoice, payment_method=card, step=run.step("pay"))
    except errors.StripeRejected as error:
        if error.stripe_code != "invoice_already_paid":  # Stripe's own attempt was quicker
            raise


def _finalised(invoice: str, run: Run) -> bool:
    """Finalise the draft. Return False if nothing is left to pay: credit paid it, or it is too little to be charged.

    Raises: StripeRejected: it is still a draft.
    """
    try:
        found: InvoiceState | None = gateway.invoices.finalise_invoice(invoice, step=run.step("finalise"))
    except errors.StripeRejected:
        found = gateway.invoices.fetch_invoice(invoice)
        if found is None or found.status == InvoiceStatus.DRAFT:
            raise
    if found:
        run.look_at(payments=found.payment_intent_id)
    return found is None or found.status != InvoiceStatus.PAID


def _became(status: str, wanted: OnInvoice, run: Run) -> Outcome:
    """Return whether the invoice has this status at Stripe."""
    found = gateway.invoices.fetch_invoice(_named(wanted, run))
    return Outcome.of(found is not None and found.status == status)
