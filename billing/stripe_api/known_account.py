"""Sending nothing to Stripe until it is known whose key this is.

A process starts also while Stripe refuses the key or does not answer, because what it answers from its own rows is
needed. It could not see then that the key is of the database's account. So it sends nothing but that question, until it
is answered.
"""

import time
from collections.abc import Callable

from billing.errors import BillingError

ACCOUNT = "/v1/account"
AGAIN_SECONDS = 5.0

_verify: Callable[[], None] | None = None
_why: BillingError | None = None
_not_before = 0.0


def hold_back_until(verify: Callable[[], None], *, why: BillingError) -> None:
    """Hold everything back until ``verify`` returns. It asks Stripe for the account, and raises what is wrong.

    ``why`` is what it raised before. Whoever wants to send something in the next seconds gets that.
    """
    global _verify, _why, _not_before
    _verify, _why, _not_before = verify, why, time.monotonic() + AGAIN_SECONDS


def is_awaited() -> bool:
    return _verify is not None


def confirm() -> None:
    global _verify, _why  # noqa: PLW0603
    _verify = _why = None


def require(path: str) -> None:
    """Verify the account if something is held back, at most every five seconds.

    Raises: what ``verify`` raises, now or before.
    """
    global _why, _not_before  # noqa: PLW0603
    verify, why = _verify, _why
    if verify is None or path == ACCOUNT:
        return
    if why and time.monotonic() < _not_before:
        raise why
    _not_before = time.monotonic() + AGAIN_SECONDS
    try:
        verify()
    except BillingError as error:
        _why = error
        raise
    confirm()
