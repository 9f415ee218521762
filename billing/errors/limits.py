"""What was asked too often, or is too large."""

from billing.durations import to_wait
from billing.errors.refusal import BillingError, Category, Refusal


class TooManyRequests(BillingError):
    """The limit of how often somebody may ask is used up. ``retry_after_seconds`` is 1 or more."""

    code = "too_many_requests"
    category = Category.TOO_MANY

    def __init__(self, retry_after_seconds: int) -> None:
        wait = to_wait(retry_after_seconds)
        super().__init__(f"There were too many requests. Nothing was done. Try again in {wait}.")
        self.retry_after_seconds = retry_after_seconds


class TooManyInvitations(TooManyRequests):
    """So many invitations were sent for this Office, or to this address, that the next one must wait."""

    code = "too_many_invitations"

    def __init__(self, retry_after_seconds: int) -> None:
        BillingError.__init__(
            self,
            "Too many invitations were sent in the last hour. This one was not sent. Try again in "
            f"{to_wait(retry_after_seconds)}.",
        )
        self.retry_after_seconds = retry_after_seconds


class BodyTooLarge(Refusal):
    code = "body_too_large"
    category = Category.TOO_LARGE
    message = "The body of the request is larger than 64 KiB. It was not read."


class LengthMissing(Refusal):
    code = "length_missing"
    category = Category.MALFORMED
    message = "The body of the request has no length. It was not read."
    remedy = "Send it with a Content-Length, and not in chunks."


class TooManyTries(TooManyRequests):
    """There were too many wrong passwords. Until the seconds are over, none is looked at."""

    code = "too_many_tries"

    def __init__(self, retry_after_seconds: int) -> None:
        BillingError.__init__(
            self,
            f"There were too many wrong tries. Try again in {to_wait(retry_after_seconds)}. Until then no password is "
            "looked at. A passkey, or a sign-in through your organization, works at once.",
        )
        self.retry_after_seconds = retry_after_seconds
