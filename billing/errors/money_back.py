"""What cannot be given back or credited."""

from typing import Any

from billing.errors.base import BillingError


class PaymentNotRefundable(BillingError):
    code = "payment_not_refundable"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"This payment {payment.status}, so there is nothing to give back. Choose one that succeeded.",
            payment=payment,
        )


class AlreadyRefunded(BillingError):
    code = "already_refunded"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            f"All of this payment, {payment.money}, went back already. A credit note can still give credit.",
            payment=payment,
        )


class PaymentDisputed(BillingError):
    code = "payment_disputed"

    def __init__(self, payment: Any) -> None:
        super().__init__(
            "The bank has taken this payment back itself, as its card's holder disputes it; a refund would pay it "
            "twice. Answer the dispute in Stripe's dashboard, or accept it there.",
            payment=payment,
        )


class InvoiceNotCreditable(BillingError):
    code = "invoice_not_creditable"

    def __init__(self, invoice: Any) -> None:
        status = "deleted" if invoice.deleted_at else invoice.status
        instead = {
            "open": "no money came in for it yet. Lower what is due of it instead",
            "paid": "nothing is due of it. Give the money back, or as credit for the next invoice",
        }
        super().__init__(
            f"This invoice is {status}: {instead.get(status, 'a credit note needs one that is open or paid')}.",
            invoice=invoice,
        )


class AlreadyCredited(BillingError):
    code = "already_credited"

    def __init__(self, invoice: Any) -> None:
        super().__init__("All of this invoice was credited already, so nothing is left to correct.", invoice=invoice)


class AmountInvalid(BillingError):
    code = "amount_invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class MoreThanLeft(BillingError):
    code = "more_than_left"

    def __init__(self, asked: Any, left: Any, *, instead: str = "") -> None:
        super().__init__(f"{asked} is more than is left: at most {left}. {instead}".strip(), left=left)
