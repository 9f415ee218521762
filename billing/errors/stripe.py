"""What came of asking Stripe: the card said no, Stripe said no, or nobody knows; and what must not be asked."""

from billing import declines
from billing.errors.base import BillingError


class CardDeclined(BillingError):
    """The card said no. ``decline_code`` is the issuer's, where it gave one; ``declines`` has the words for it."""

    code = "card_declined"

    def __init__(self, decline_code: str = "") -> None:
        super().__init__(str(declines.of(decline_code)), decline_code=decline_code)
        self.decline_code = decline_code


class AuthenticationRequired(CardDeclined):
    code = "authentication_required"


class StripeRejected(BillingError):
    """Stripe understood the request and said no: a mistake of ours or of the input, never of the card."""

    code = "stripe_rejected"

    def __init__(self, message: str, stripe_code: str = "", param: str = "", status: int = 0) -> None:
        super().__init__(message, stripe_code=stripe_code, param=param)
        self.stripe_code = stripe_code
        self.param = param
        self.status = status


class CouponUnknown(StripeRejected):
    """Stripe was asked and has no such code, or it was redeemed as often as it can be."""

    code = "coupon_unknown"
    without_quotes = "There is no such coupon or promotion code."

    def __init__(self, code: str) -> None:
        super().__init__(
            f"There is no coupon or promotion code {code!r} that can be redeemed here. Coupons and codes are made, "
            "and kept valid, in Stripe's dashboard."
        )


class CouponShorterThanTrial(StripeRejected):
    code = "coupon_shorter_than_trial"

    def __init__(self) -> None:
        super().__init__(
            "The discount would run out during the trial, and take nothing off. Start without it, and apply it when "
            "the trial ends."
        )


class PaymentLinkOpen(StripeRejected):
    """Stripe was asked: the Office could pay twice."""

    code = "payment_link_open"

    def __init__(self) -> None:
        super().__init__(
            "This Office has an open payment link with other terms. Withdraw that one, or wait until it expires after "
            "24 hours; then make another."
        )


class StripeObjectMissing(StripeRejected):
    code = "stripe_object_missing"


class StripeKeyRefused(StripeRejected):
    code = "stripe_key_refused"


class StripeUnavailable(BillingError):
    """No answer arrived: nobody knows yet whether it was done. It is settled later, never guessed.

    ``retry_after`` is how many seconds Stripe asks us to wait, 0 where it did not say.
    """

    code = "stripe_unavailable"

    def __init__(self, message: str = "", *, replayed: bool = False, retry_after: float = 0) -> None:
        super().__init__(
            message
            or "Stripe did not answer, so the outcome is not yet known. It is settled by itself in the "
            "background; nothing needs to be repeated."
        )
        self.replayed = replayed
        self.retry_after = retry_after


class WrongStripeAccount(BillingError):
    code = "wrong_stripe_account"


class CallInsideTransaction(BillingError):
    code = "call_inside_transaction"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} was about to be called inside an open database transaction.")


class FieldNotAllowed(BillingError):
    code = "field_not_allowed"

    def __init__(self, path: str, fields: list[str]) -> None:
        super().__init__(f"{path}: {', '.join(fields)} is not on the list of what may leave for Stripe.")
