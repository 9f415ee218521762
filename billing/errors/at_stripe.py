"""How a request to Stripe can end: declined, rejected, or nobody knows. And what must not be sent."""

from datetime import datetime
from typing import Any

from billing import declines, zones
from billing.errors.approvals import RECORD_DETERMINATION, NotSent
from billing.errors.refusal import BillingError, Category


class CardDeclined(BillingError):
    """The payment was declined. ``decline_code`` is the issuer's, if it gave one. ``declines`` has the words for it."""

    code = "card_declined"
    category = Category.PAYMENT

    def __init__(self, decline_code: str = "") -> None:
        super().__init__(str(declines.of(decline_code)))
        self.decline_code = decline_code


class AuthenticationRequired(CardDeclined):
    """The cardholder must confirm the payment at the bank. Send the link where that is done."""

    code = "authentication_required"


class StripeRejected(BillingError):
    """Stripe understood the request and said no. The mistake is ours or in the input, never the card's."""

    code = "stripe_rejected"
    category = Category.STRIPE_REFUSED

    def __init__(self, says: str = "", stripe_code: str = "", param: str = "", status: int = 0) -> None:
        super().__init__(says)
        self.stripe_code = stripe_code
        self.param = param
        self.status = status


class CouponUnknown(StripeRejected):
    """Stripe was asked. It has no such code, or the code cannot be redeemed here. What was typed is not repeated."""

    code = "coupon_unknown"
    category = Category.INVALID
    message = "There is no coupon or promotion code like this that can be redeemed here."
    remedy = "Coupons and codes are made and changed in Stripe's dashboard."


class DiscountInvalid(BillingError):
    """What the discount takes off, or how long it lasts, cannot be used."""

    code = "discount_invalid"
    category = Category.INVALID


class CouponShorterThanTrial(StripeRejected):
    code = "coupon_shorter_than_trial"
    category = Category.INVALID
    message = "The discount would end during the trial and take nothing off."
    remedy = "Start without it, and give the discount when the trial ends."


class SeveralItems(StripeRejected):
    """Our rows show it, or Stripe was asked. A change would be one of a single price, and nobody said of which."""

    code = "several_items"
    category = Category.CONFLICT

    def __init__(self, items: str) -> None:
        super().__init__(
            f"This subscription has {f'several prices at Stripe: {items}' if items else 'no price at Stripe'}. "
            "Change it in Stripe's dashboard. The change is shown here."
        )


class CouponInOtherCurrency(StripeRejected):
    """The discount is an amount in another currency than the price."""

    code = "coupon_in_other_currency"
    category = Category.INVALID

    def __init__(self, currencies: list[str], wanted: str) -> None:
        super().__init__(
            f"This discount is an amount in {' or '.join(one.upper() for one in currencies)}, and here the price is in "
            f"{wanted.upper()}. Leave the code out, or use one for {wanted.upper()} or with a percentage."
        )


class CouponNeedsMore(StripeRejected):
    """The discount needs a higher price."""

    code = "coupon_needs_more"
    category = Category.INVALID

    def __init__(self, price: Any, minimums: Any) -> None:
        super().__init__(
            f"This code needs a price of at least {' or '.join(map(str, minimums))} before discounts, and here it is "
            f"{price}. Choose another plan, or leave the code out."
        )


class CouponForFirstTime(StripeRejected):
    code = "coupon_for_first_time"
    category = Category.INVALID
    message = "This code is only for customers that have not paid before, and this Office has paid or has an invoice."
    remedy = "Leave the code out, or use another one."


class LiveSubscriptionExists(StripeRejected):
    """Our rows show it, or Stripe was asked and shows it, whoever made it there."""

    code = "live_subscription_exists"
    category = Category.CONFLICT

    def __init__(self, which: str) -> None:
        super().__init__(
            f"This Office already has a live subscription: {which}. Cancel it before you start another one."
        )


class SubscriptionWaiting(StripeRejected):
    """Our rows show it, or Stripe was asked. With a second subscription the Office could pay twice.

    The address of the page for its payment is not in the text. It is shown to a person who may use it, and not stored.
    """

    code = "subscription_waiting"
    category = Category.CONFLICT

    def __init__(self, which: str, since: datetime, zone: str) -> None:
        super().__init__(
            "This Office has a subscription that has been waiting for its first payment since "
            f"{zones.moment(since, zone)}: {which}. Complete that payment on its page at Stripe, or end that "
            "subscription before you start another one. If nobody pays, it ends by itself after 23 hours."
        )


class ScheduleStarts(StripeRejected):
    """Our rows show it, or Stripe was asked. With a second subscription the Office would pay twice."""

    code = "schedule_starts"
    category = Category.CONFLICT

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} A second subscription would be charged too. Cancel the schedule in Stripe's dashboard before you "
            "start another one, or let it start."
        )


class SubscriptionBegan(StripeRejected):
    code = "subscription_began"
    category = Category.CONFLICT
    message = "The first payment of the waiting subscription has succeeded, so it is live now and nothing was ended."
    remedy = "To end it, cancel it."


class PaymentLinkUsed(StripeRejected):
    code = "payment_link_used"
    category = Category.CONFLICT
    message = "Somebody used the payment link at the same moment, so it was not withdrawn and nothing else was done."
    remedy = "Look at the Office's subscription."


class PaymentLinkOpen(StripeRejected):
    """Stripe was asked. With a second open link, the Office could pay twice."""

    code = "payment_link_open"
    category = Category.CONFLICT
    message = "This Office has an open payment link with other terms."
    remedy = "Withdraw that link, or wait until it expires after 24 hours. Then make another."


class StripeObjectMissing(StripeRejected):
    """Stripe has no such object any more."""

    code = "stripe_object_missing"


class StripeKeyRefused(StripeRejected):
    """Stripe refuses the vendor's key. Nothing was changed. The vendor is told."""

    code = "stripe_key_refused"


class StripeUnavailable(BillingError):
    """No answer arrived, so nobody knows yet whether the change was made. It is settled later, never guessed.

    ``retry_after`` is how many seconds Stripe asks us to wait, or 0 if it did not say.
    """

    code = "stripe_unavailable"
    category = Category.UNKNOWN

    def __init__(self, message: str = "", *, replayed: bool = False, retry_after: float = 0) -> None:
        super().__init__(
            message
            or "Stripe did not answer, so the outcome is not known yet. It is settled automatically in the background. "
            "You do not need to repeat anything."
        )
        self.replayed = replayed
        self.retry_after = retry_after


class WrongStripeAccount(BillingError):
    """The vendor's key belongs to a Stripe account that is not the one of this database."""

    code = "wrong_stripe_account"
    category = Category.CONFLICT


class EndpointNotRight(BillingError):
    """Stripe was asked after the set-up, and does not show the webhook endpoint as it should be."""

    code = "endpoint_not_right"
    category = Category.CONFLICT


class AlertNotTaken(BillingError):
    """ALERT_WEBHOOK did not take an alert. It is posted again."""

    code = "alert_not_taken"
    category = Category.UNKNOWN


class CallInsideTransaction(BillingError):
    """A mistake in the program: Stripe was about to be called while a transaction was open."""

    code = "call_inside_transaction"
    category = Category.CONFLICT

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was about to be called inside an open database transaction.")


class FieldNotAllowed(NotSent):
    """A mistake in the program: a field was about to be sent to Stripe that may not be sent."""

    code = "field_not_allowed"
    category = Category.CONFLICT

    def __init__(self, path: str, fields: list[str]) -> None:
        super().__init__(f"{path}: {', '.join(fields)} is not on the list of what may be sent to Stripe.")


class ValueNotAllowed(NotSent):
    """``wrong`` says for each field what its value must be. The value itself is never said."""

    code = "value_not_allowed"
    category = Category.INVALID

    def __init__(self, path: str, wrong: list[str]) -> None:
        super().__init__(
            f"A value has a form that Stripe does not take, so this request was not sent. {path}: {', '.join(wrong)}."
        )


class FieldNotReviewed(NotSent):
    """``fields`` came with an update after counsel reviewed what is sent, so they wait for another determination."""

    code = "field_not_reviewed"
    category = Category.CONFLICT

    def __init__(self, fields: list[str]) -> None:
        super().__init__(
            "This request was not sent to Stripe. It has fields that came with an update and that counsel has not "
            f"reviewed: {'; '.join(fields)}. The rest goes on. {RECORD_DETERMINATION}"
        )
