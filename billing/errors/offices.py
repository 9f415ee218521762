"""What an Office is not, or not yet."""

from typing import Any

from billing.errors.base import BillingError


class OfficeArchived(BillingError):
    code = "office_archived"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office is archived. Bring it back before changing its billing.", office=office)


class NotArchived(BillingError):
    code = "not_archived"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office is not archived, so there is nothing to bring back.", office=office)


class StillBilled(BillingError):
    code = "still_billed"

    def __init__(self, office: Any, what: str) -> None:
        super().__init__(f"This Office cannot be archived yet: {what}", office=office)


class ContactInvalid(BillingError):
    """It names the field that is wrong, and never repeats what was given."""

    code = "contact_invalid"
    without_quotes = "What was typed cannot be a contact."


class NoCustomer(BillingError):
    code = "no_customer"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office is no customer at Stripe yet, or was deleted there. Add a card or start a subscription first.",
            office=office,
        )


class CurrencyUnknown(BillingError):
    code = "currency_unknown"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office has no currency yet: its first subscription sets it. Start one first.",
            office=office,
        )


class CurrencyMismatch(BillingError):
    code = "currency_mismatch"

    def __init__(self, office: Any, currency: str) -> None:
        super().__init__(
            f"This Office is billed in {office.currency.upper()} and stays so; choose a price in "
            f"{office.currency.upper()} instead of {currency.upper()}.",
            office=office,
        )


class PaymentMethodRequired(BillingError):
    code = "payment_method_required"

    def __init__(self, office: Any, instead: str = "start with a trial") -> None:
        super().__init__(f"This Office has no payment method. Add a card, or {instead}.", office=office)


class PaymentMethodUnknown(BillingError):
    code = "payment_method_unknown"

    def __init__(self) -> None:
        super().__init__("This Office has no such card on file. Choose one of those that are listed.")


class PaymentMethodNeeded(BillingError):
    code = "payment_method_needed"

    def __init__(self, card: Any, *, others: bool) -> None:
        first = "Make another card the default" if others else "Add another card and make it the default"
        super().__init__(
            f"The live subscription is charged to {card}. {first}, or let the subscription end at its period's end "
            "with nothing due, then remove this one.",
            payment_method=card,
        )
