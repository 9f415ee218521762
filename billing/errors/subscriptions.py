"""What a subscription cannot have done to it: starting, changing, pausing, ending."""

from typing import Any

from billing.errors.base import BillingError


class LiveSubscriptionExists(BillingError):
    code = "live_subscription_exists"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office already has a live subscription. Cancel it before starting another.", office=office
        )


class NoLiveSubscription(BillingError):
    code = "no_live_subscription"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office has no live subscription, so there is nothing to change or cancel.", office=office
        )


class SubscriptionNotChangeable(BillingError):
    code = "subscription_not_changeable"

    def __init__(self, office: Any) -> None:
        status = office.subscription_status.replace("_", " ")
        super().__init__(
            f"This subscription is {status}: pay its open invoice or resume it first, then change it.", office=office
        )


class PlanUnknown(BillingError):
    code = "plan_unknown"
    without_quotes = "There is no such plan price for sale."

    def __init__(self, price: str) -> None:
        super().__init__(f"There is no plan price {price!r} for sale. Choose one of the listed plans.")


class QuantityInvalid(BillingError):
    code = "quantity_invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NotCancelling(BillingError):
    code = "not_cancelling"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is not set to end: it renews by itself, and nothing is to be taken back.", office=office
        )


class CollectionPaused(BillingError):
    code = "collection_paused"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "Collection is paused, so the invoice that this makes now would not be charged. Resume collection first, "
            "or settle with the next invoice.",
            office=office,
        )


class CollectionNotPaused(BillingError):
    code = "collection_not_paused"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office's invoices are collected already: there is no pause to end.", office=office)


class NotTrialing(BillingError):
    code = "not_trialing"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is in no trial. To charge later, pause collection or give a discount instead.",
            office=office,
        )


class InTrial(BillingError):
    code = "in_trial"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription is in a trial: its first period begins when that ends. End the trial instead.",
            office=office,
        )


class PaymentLinkGone(BillingError):
    code = "payment_link_gone"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "The payment link was used, was withdrawn or has expired. Make another if the Office has no subscription.",
            office=office,
        )


class NoDiscount(BillingError):
    code = "no_discount"

    def __init__(self, office: Any) -> None:
        super().__init__("This subscription has no discount of its own that could be removed.", office=office)


class NoFurtherInvoice(BillingError):
    code = "no_further_invoice"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This subscription ends before another invoice. Take the cancellation back first.", office=office
        )


class NoUpcomingInvoice(BillingError):
    code = "no_upcoming_invoice"

    def __init__(self, office: Any) -> None:
        super().__init__("No invoice is to come: there is no subscription that renews.", office=office)
