"""What an invoice cannot have done to it, and what cannot be charged."""

from typing import Any

from billing.errors.base import BillingError


class ChargeUnknown(BillingError):
    code = "charge_unknown"

    def __init__(self, charges: list[str]) -> None:
        super().__init__(f"There is no such charge. Choose one of: {', '.join(charges)}.")


class AmountOutOfBounds(BillingError):
    code = "amount_out_of_bounds"

    def __init__(self, least: Any, most: Any) -> None:
        super().__init__(f"A one-off charge is {least} to {most}. Split a larger one, or mend the amount.")


class DaysInvalid(BillingError):
    code = "days_invalid"

    def __init__(self, most: int) -> None:
        super().__init__(f"An invoice that is sent is due after 1 to {most} days; 0 charges the card now.")


class InvoiceDraft(BillingError):
    code = "invoice_draft"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "This invoice is a draft still. It can be dealt with once Stripe finalises it.", invoice=invoice
        )


class InvoicePaid(BillingError):
    code = "invoice_paid"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice is paid already. Money goes back by a refund or a credit note.", invoice=invoice)


class InvoiceVoid(BillingError):
    code = "invoice_void"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice is void: nothing is owed on it. Make a new charge instead.", invoice=invoice)


class InvoiceUncollectible(BillingError):
    code = "invoice_uncollectible"

    def __init__(self, invoice: Any) -> None:
        super().__init__("This invoice was marked uncollectible. It can still be paid, or be voided.", invoice=invoice)


class InvoiceNotSendable(BillingError):
    code = "invoice_not_sendable"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "This invoice is charged to the card, and only one that is paid until it is due can be sent. "
            "Give the Office the address of its page instead.",
            invoice=invoice,
        )


class NothingToPay(BillingError):
    code = "nothing_to_pay"

    def __init__(self, invoice: Any) -> None:
        super().__init__("Nothing remains to be paid on this invoice.", invoice=invoice)


class NoFailedAttempt(BillingError):
    code = "no_failed_attempt"

    def __init__(self, invoice: Any) -> None:
        super().__init__(
            "No attempt to collect this invoice has failed. Pay it instead of trying again.", invoice=invoice
        )


class NoDocument(BillingError):
    code = "no_document"

    def __init__(self, invoice: Any) -> None:
        super().__init__("Stripe has no such document of this invoice; a draft has none.", invoice=invoice)
