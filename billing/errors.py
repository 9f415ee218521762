"""One class per refusal. Each says what is wrong and what would make it possible; none knows HTTP."""

import re
from typing import Any

STRIPE_ID = re.compile(r"\b(cus|sub|in|pi|ch|pm|evt|price|prod|seti|si|re|acct|we|req)_[A-Za-z0-9]{6,}\b")

RECORD_DETERMINATION = (
    "Record counsel's determination in the admin under Compliance, Determinations; another person, an "
    "administrator, must then approve it."
)


def without_stripe_ids(text: str) -> str:
    """``text`` with each of Stripe's ids cut to what is fit to be shown."""
    return STRIPE_ID.sub(lambda found: f"{found[1]}_…{found[0][-4:]}", text)


class BillingError(Exception):
    """A request that was refused or is not settled. ``str(error)`` is fit to be shown to a person."""

    code = "billing_error"

    def __init__(self, message: str, **concerns: Any) -> None:
        super().__init__(message)
        self.concerns = concerns


class ReasonRequired(BillingError):
    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("Say why: a reason of 3 to 200 characters is kept in the audit trail.")


class TextNotNeutral(BillingError):
    code = "text_not_neutral"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The text seems to contain {what}. It is kept for years and seen by many: say it without, and never "
            "anything about a patient."
        )


class OfficeArchived(BillingError):
    code = "office_archived"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office is archived. Bring it back before changing its billing.", office=office)


class LiveSubscriptionExists(BillingError):
    code = "live_subscription_exists"

    def __init__(self, office: Any) -> None:
        super().__init__(
            "This Office already has a live subscription. Cancel it before starting another.", office=office
        )


class NoLiveSubscription(BillingError):
    code = "no_live_subscription"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office has no live subscription, so there is nothing to cancel.", office=office)


class SubscriptionNotChangeable(BillingError):
    code = "subscription_not_changeable"

    def __init__(self, office: Any) -> None:
        status = office.subscription_status.replace("_", " ")
        super().__init__(
            f"This subscription is {status}: pay its open invoice or resume it first, then change it.", office=office
        )


class NothingToChange(BillingError):
    code = "nothing_to_change"

    def __init__(self, what: str) -> None:
        super().__init__(f"Nothing would change: {what}")


class PreviewStale(BillingError):
    code = "preview_stale"

    def __init__(self) -> None:
        super().__init__("The preview is older than an hour, or of another period. Look at a new one and confirm that.")


class CurrencyMismatch(BillingError):
    code = "currency_mismatch"

    def __init__(self, office: Any, currency: str) -> None:
        super().__init__(
            f"This Office is billed in {office.currency.upper()} and stays so; choose a price in "
            f"{office.currency.upper()} instead of {currency.upper()}.",
            office=office,
        )


class PlanUnknown(BillingError):
    code = "plan_unknown"

    def __init__(self, price: str) -> None:
        super().__init__(f"There is no plan price {price!r} for sale. Choose one of the listed plans.")


class QuantityInvalid(BillingError):
    code = "quantity_invalid"

    def __init__(self, message: str) -> None:
        super().__init__(message)


class PaymentMethodRequired(BillingError):
    code = "payment_method_required"

    def __init__(self, office: Any) -> None:
        super().__init__("This Office has no payment method. Add a card, or start with a trial.", office=office)


class OperationInProgress(BillingError):
    code = "operation_in_progress"

    def __init__(self, other: Any) -> None:
        super().__init__(
            f"Another change of this Office's billing is not settled yet: “{other.kind}”, asked by "
            f"{other.actor_label}. Wait for its outcome, then try again.",
            operation=other,
        )


class IdempotencyKeyInvalid(BillingError):
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key is 1 to 255 visible ASCII characters without spaces, such as a UUID.")


class IdempotencyKeyReused(BillingError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key came before with another request. Repeat that one unchanged, or send this "
            "one with a new key."
        )


class RequestInProgress(BillingError):
    """A twin with the same Idempotency-Key is being carried out: there is no answer to give yet."""

    code = "request_in_progress"
    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__(
            "The same request, with the same Idempotency-Key, is still being carried out. Wait a few seconds "
            "and ask again with the same key: the answer will be that one's."
        )


class NotPermitted(BillingError):
    code = "not_permitted"

    def __init__(self, what: str) -> None:
        super().__init__(f"You are not permitted to {what}. Ask an administrator for a role that is.")


class DeterminationInvalid(BillingError):
    code = "determination_invalid"


class SecondPersonRequired(BillingError):
    code = "second_person_required"

    def __init__(self, determination: Any) -> None:
        super().__init__(
            "You prepared this determination, so another person must approve it: anyone else whose role is "
            "administrator.",
            determination=determination,
        )


class DeterminationDecided(BillingError):
    code = "determination_decided"

    def __init__(self, determination: Any, what: str) -> None:
        super().__init__(
            f"This determination was {what} already, and that stays so. Prepare a new one where it no longer holds.",
            determination=determination,
        )


class DeterminationMissing(BillingError):
    """Nothing was sent to Stripe: in live mode, what can charge waits for counsel's determination."""

    code = "determination_missing"

    def __init__(self, why: str) -> None:
        super().__init__(f"Live charging is refused, and nothing was sent to Stripe: {why} {RECORD_DETERMINATION}")


class CardDeclined(BillingError):
    """The card said no. ``decline_code`` is the issuer's, where it gave one."""

    code = "card_declined"

    def __init__(self, message: str, decline_code: str = "") -> None:
        super().__init__(message, decline_code=decline_code)
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
