"""What the state of a subscription does not allow: starting, changing, pausing, ending."""

from typing import Any

from billing.errors.refusal import BillingError, Category, Refusal


class NoLiveSubscription(Refusal):
    code = "no_live_subscription"
    category = Category.CONFLICT
    message = "This Office has no live subscription, so there is nothing to change or cancel."


class ManagedBySchedule(BillingError):
    """Stripe refuses another end of such a subscription. Other changes would last until the schedule's next phase."""

    code = "managed_by_schedule"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} So it cannot be changed here. Release the schedule in Stripe's dashboard first, then try again. "
            "You can also cancel the subscription at once: that ends the schedule too."
        )


class SubscriptionNotChangeable(BillingError):
    """The subscription has a status in which it cannot be changed."""

    code = "subscription_not_changeable"
    category = Category.CONFLICT

    def __init__(self, office: Any) -> None:
        status = office.subscription_status.replace("_", " ")
        super().__init__(
            f"This subscription is {status}. First pay its newest invoice or resume it, then change it.", about=office
        )


class PlanUnknown(Refusal):
    code = "plan_unknown"
    category = Category.INVALID
    message = "There is no such plan price for sale."
    remedy = "Choose one of the listed plans."


class PlanRetired(Refusal):
    code = "plan_retired"
    category = Category.CONFLICT
    message = "This plan is retired."
    remedy = "Make another plan."


class PlanCodeTaken(Refusal):
    code = "plan_code_taken"
    category = Category.CONFLICT
    message = "Another plan or price has this code."
    remedy = "Choose another code. The codes of plans and of prices are each used once."


class PriceNotOurs(Refusal):
    code = "price_not_ours"
    category = Category.CONFLICT
    message = "This subscription has a price that is not one of the plans here, so its seats cannot be changed here."
    remedy = "Choose a plan to change to, or change the seats in Stripe's dashboard."


class QuantityInvalid(BillingError):
    """A number cannot be used, for example 0 seats."""

    code = "quantity_invalid"
    category = Category.INVALID

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NothingWaiting(Refusal):
    code = "nothing_waiting"
    category = Category.CONFLICT
    message = "This Office has no subscription that waits for its first payment, so there is nothing to end."


class NotCancelling(Refusal):
    code = "not_cancelling"
    category = Category.CONFLICT
    message = "This subscription is not set to end. It renews by itself, so there is no cancellation to take back."


class CollectionPaused(Refusal):
    code = "collection_paused"
    category = Category.CONFLICT
    message = "Collection is paused, so the new invoice would not be charged."
    remedy = "Resume collection first, or put the difference on the next invoice."


class CollectionNotPaused(Refusal):
    code = "collection_not_paused"
    category = Category.CONFLICT
    message = "Collection is not paused for this Office, so there is nothing to resume."


class NotTrialing(Refusal):
    code = "not_trialing"
    category = Category.CONFLICT
    message = "This subscription is not in a trial."
    remedy = "To charge later, pause collection or give a discount instead."


class InTrial(Refusal):
    code = "in_trial"
    category = Category.CONFLICT
    message = "This subscription is in a trial. Its first period begins when the trial ends."
    remedy = "End the trial instead."


class PaymentLinkGone(Refusal):
    code = "payment_link_gone"
    category = Category.CONFLICT
    message = "The payment link was used, was withdrawn or has expired."
    remedy = "Make another link if the Office has no subscription."


class NoDiscount(Refusal):
    code = "no_discount"
    category = Category.CONFLICT
    message = "This subscription has no discount of its own, so there is nothing to remove."


class NoFurtherInvoice(Refusal):
    code = "no_further_invoice"
    category = Category.CONFLICT
    message = "This subscription ends before its next invoice."
    remedy = "Take the cancellation back first."


class NoUpcomingInvoice(Refusal):
    code = "no_upcoming_invoice"
    category = Category.NOT_FOUND
    message = "There is no upcoming invoice, because no subscription renews."
