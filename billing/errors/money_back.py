"""What cannot be given back or credited."""

from typing import Any

from billing.errors.refusal import BillingError, Category, Refusal


class PaymentNotRefundable(BillingError):
    """The payment has a status in which nothing can be given back."""

    code = "payment_not_refundable"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"The status of this payment is “{payment.status}”, so nothing can be given back.",
            about=payment,
        )


class AlreadyRefunded(BillingError):
    """All of this payment was already given back."""

    code = "already_refunded"
    category = Category.CONFLICT

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"All of this payment, {payment.money}, was already given back. A credit note can still give credit.",
            about=payment,
        )


class PaymentDisputed(Refusal):
    code = "payment_disputed"
    category = Category.CONFLICT
    message = "The bank has already taken this payment back, because it is disputed. A refund would pay it twice."
    remedy = "Answer the dispute in Stripe's dashboard, or accept it there."


class InvoiceNotCreditable(BillingError):
    """A credit note needs an invoice that is open or paid."""

    code = "invoice_not_creditable"
    category = Category.CONFLICT

    def __init__(self, invoice: Any) -> None:
        status = "deleted" if invoice.deleted_at else invoice.status
        instead = {
            "open": "nothing was paid for it yet. Lower the amount that is due instead",
            "paid": "nothing is due on it. Give the money back, or keep it as credit for the next invoice",
        }
        super().__init__(
            f"This invoice is {status}: {instead.get(status, 'a credit note needs one that is open or paid')}.",
            about=invoice,
        )


class AlreadyCredited(Refusal):
    code = "already_credited"
    category = Category.CONFLICT
    message = "All of this invoice was already credited, so nothing is left to correct."


class AmountInvalid(BillingError):
    """The amount cannot be used, for example because it is below zero."""

    code = "amount_invalid"
    category = Category.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message)


class MoreThanLeft(BillingError):
    """The amount is higher than what is left."""

    code = "more_than_left"
    category = Category.INVALID

    def __init__(self, asked: Any, left: Any, *, instead: str = "") -> None:
        super().__init__(f"{asked} is too much: at most {left} is left. {instead}".strip(), about=left)
