"""What the state of an Office does not allow."""

from typing import Any

from billing.errors.refusal import BillingError, Category, Refusal


class OfficeArchived(Refusal):
    code = "office_archived"
    category = Category.CONFLICT
    message = "This Office is archived."
    remedy = "Bring it back before you change its billing."


class NotArchived(Refusal):
    code = "not_archived"
    category = Category.CONFLICT
    message = "This Office is not archived, so there is nothing to bring back."


class StillBilled(BillingError):
    """The Office still has a live subscription, or something else that must end before it is archived."""

    code = "still_billed"
    category = Category.CONFLICT

    def __init__(self, office: Any, what: str) -> None:
        super().__init__(f"This Office cannot be archived yet: {what}", about=office)


class ContactInvalid(BillingError):
    """A contact value is not valid. The text names the field and never repeats the value."""

    code = "contact_invalid"
    without_quotes = "A value for the contact is not valid."
    category = Category.INVALID


class CustomerWithoutOffice(Refusal):
    """An event of this customer came before the operation that makes it was committed, or the customer is not ours."""

    code = "customer_without_office"
    category = Category.CONFLICT
    message = "No Office has this customer yet."


class NoCustomer(Refusal):
    code = "no_customer"
    category = Category.CONFLICT
    message = "This Office has no customer at Stripe yet, or it was deleted there."
    remedy = "Add a payment method or start a subscription first."


class CurrencyUnknown(Refusal):
    code = "currency_unknown"
    category = Category.CONFLICT
    message = "This Office has no currency yet. Its first subscription sets the currency."
    remedy = "Start a subscription first."


class CurrencyMismatch(BillingError):
    """The price is not in the currency of the Office's subscription."""

    code = "currency_mismatch"
    category = Category.INVALID

    def __init__(self, office: Any, currency: str) -> None:
        super().__init__(
            f"This Office's subscription is in {office.currency.upper()}. Choose a price in "
            f"{office.currency.upper()}, not in {currency.upper()}. Another currency is possible after it has ended.",
            about=office,
        )


class PaymentMethodRequired(BillingError):
    """The Office has no payment method. Add one first."""

    code = "payment_method_required"
    category = Category.PAYMENT

    def __init__(self, office: Any, instead: str = "start with a trial") -> None:
        super().__init__(f"This Office has no payment method. Add one, or {instead}.", about=office)


class PaymentMethodUnknown(Refusal):
    code = "payment_method_unknown"
    category = Category.NOT_FOUND
    message = "This Office does not have this payment method on file."
    remedy = "Choose one of those that are listed."


class PaymentMethodNeeded(BillingError):
    """The live subscription is charged to this payment method. Make another one the default first."""

    code = "payment_method_needed"
    category = Category.CONFLICT

    def __init__(self, method: Any, *, others: bool) -> None:
        first = "Make another one the default" if others else "Add another payment method and make it the default"
        super().__init__(
            f"The live subscription is charged to {method}. {first}, then remove this one. You can also remove it if "
            "the subscription is set to end with its period and nothing is due.",
            about=method,
        )
