"""What the state of an invoice does not allow, and what cannot be charged."""

from typing import Any

from billing import zones
from billing.errors.refusal import BillingError, Category, Refusal


class ChargeUnknown(BillingError):
    """There is no one-off charge with this name."""

    code = "charge_unknown"
    category = Category.INVALID

    def __init__(self, charges: list[str]) -> None:
        super().__init__(f"There is no such charge. Choose one of: {', '.join(charges)}.")


class AmountOutOfBounds(BillingError):
    """A one-off charge is below the least or above the most that the vendor allows."""

    code = "amount_out_of_bounds"
    category = Category.INVALID

    def __init__(self, least: Any, most: Any) -> None:
        super().__init__(f"A one-off charge must be {least} to {most}. Correct the amount, or split a larger charge.")


class DaysInvalid(BillingError):
    """The number of days until an invoice is due cannot be used."""

    code = "days_invalid"
    category = Category.INVALID

    def __init__(self, most: int) -> None:
        super().__init__(f"An invoice that is sent must be due after 1 to {most} days. 0 charges what is on file now.")


class InvoiceDraft(BillingError):
    """The invoice is still a draft."""

    code = "invoice_draft"
    category = Category.CONFLICT

    def __init__(self, invoice: Any) -> None:
        remedy = (
            "Stripe does not finalise it by itself: pay it, or leave it."
            if invoice.stays_a_draft
            else "Wait until Stripe finalises it."
        )
        super().__init__(f"This invoice is still a draft. {remedy}", about=invoice)


class InvoicePaid(Refusal):
    code = "invoice_paid"
    category = Category.CONFLICT
    message = "This invoice is already paid."
    remedy = "To give money back, make a refund or a credit note."


class PaymentUnderWay(BillingError):
    """A payment for this invoice has begun, and the bank has not decided about it yet."""

    code = "payment_under_way"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"A payment of {payment.money} for this invoice began on "
            f"{zones.day(payment.created_at, payment.office.time_zone)}. The bank has not decided about it yet. "
            "That can take some days. Wait until the bank has decided. Otherwise the invoice could be paid twice, or "
            "be paid after you gave it up.",
            about=payment,
        )


class InvoiceVoid(Refusal):
    code = "invoice_void"
    category = Category.CONFLICT
    message = "This invoice is void, so nothing is owed on it."
    remedy = "Make a new charge instead."


class InvoiceUncollectible(Refusal):
    code = "invoice_uncollectible"
    category = Category.CONFLICT
    message = "This invoice was marked uncollectible."
    remedy = "It can still be paid or voided."


class InvoicePaidInPart(BillingError):
    """Stripe voids no invoice that has a payment.

    Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses
    """

    code = "invoice_paid_in_part"
    category = Category.CONFLICT

    def __init__(self, invoice: Any, paid: Any) -> None:
        super().__init__(
            f"{paid} was paid on this invoice, and Stripe voids no invoice on which something was paid. To ask for "
            f"less or nothing of the other {invoice.remaining}, correct the invoice with a credit note, or mark it "
            "uncollectible. To give back what was paid, refund the payment.",
            about=invoice,
        )


class PaymentAttached(Refusal):
    """Source: https://docs.stripe.com/invoicing/partial-payments#invoice-payment-statuses"""

    code = "payment_attached"
    category = Category.CONFLICT
    message = "Somebody attached a payment to this invoice in Stripe's dashboard, and it can still pay it."
    remedy = "Cancel that payment there first, or wait until it has paid."


class InvoiceNotSendable(Refusal):
    code = "invoice_not_sendable"
    category = Category.CONFLICT
    message = "This invoice is charged automatically. Only an invoice that the Office pays itself can be sent."
    remedy = "Give the Office the address of the invoice's page instead."


class NothingToPay(Refusal):
    code = "nothing_to_pay"
    category = Category.CONFLICT
    message = "Nothing remains to be paid on this invoice."


class NoFailedAttempt(Refusal):
    code = "no_failed_attempt"
    category = Category.CONFLICT
    message = "No attempt to collect this invoice has failed."
    remedy = "Pay it instead."


class NoDocument(Refusal):
    code = "no_document"
    category = Category.NOT_FOUND
    message = "Stripe has no such document for this invoice. A draft has none."


class NothingToSend(Refusal):
    code = "nothing_to_send"
    category = Category.CONFLICT
    message = "There is no such link to send, or no mail server is configured. Make another link and copy it."
