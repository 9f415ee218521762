"""Verifying a bank account by a small deposit: the customer reads it off the bank statement and enters what it says.

A setup intent waits for it. After ten wrong codes, three wrong pairs of amounts or ten days it starts again.
Source: https://docs.stripe.com/payments/ach-direct-debit/set-up-payment, …/api/setup_intents/verify_microdeposits and
https://support.stripe.com/questions/verify-a-new-ach-direct-debit-customer-using-micro-deposits
"""

from dataclasses import dataclass

from stripe_sandbox import addresses
from stripe_sandbox.dates import DAY, after_business_days
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.handlers import Params
from stripe_sandbox.store import Row, Store

DAYS_TO_ARRIVE, DAYS_TO_VERIFY = 2, 10
TRIES = {"descriptor_code": 10, "amounts": 3}
PREFIX = "payment_method_microdeposit_verification"
RIGHT = {"descriptor_code": "SM11AA", "amounts": (32, 45)}
TOO_OFTEN = {"descriptor_code": "SM33CC", "amounts": (10, 11)}
"""What acts as the last of too many wrong tries."""
TOO_LATE = {"descriptor_code": "SM44DD", "amounts": (40, 41)}
"""What acts as if the ten days were over."""


@dataclass(frozen=True)
class Failure(Exception):
    """The account cannot be verified any more. The setup intent starts again."""

    code: str
    message: str


EXCEEDED = Failure(f"{PREFIX}_attempts_exceeded", "You have exceeded the number of allowed verification attempts.")
TIMEOUT = Failure(f"{PREFIX}_timeout", "The microdeposits were not verified within 10 days.")


def begin(store: Store, intent: Row, kind: str = "descriptor_code") -> Row:
    """Return the next action of a setup intent whose deposit is on its way. ``kind`` is what the customer enters."""
    return {
        "type": "verify_with_microdeposits",
        "verify_with_microdeposits": {
            "arrival_date": after_business_days(store.now(intent["customer"]), DAYS_TO_ARRIVE),
            "hosted_verification_url": addresses.verify_url(store.base_url, intent["id"]),
            "microdeposit_type": kind,
        },
    }


def ends_at(intent: Row) -> int | None:
    """Return when the setup intent stops waiting for the deposit to be verified, or None if it does not wait."""
    wait = (intent["next_action"] or {}).get("verify_with_microdeposits")
    return wait["arrival_date"] + DAYS_TO_VERIFY * DAY if wait else None


def check(intent: Row, params: Params) -> StripeError | None:
    """Compare what was entered. Returns None if it is right, else the answer to a wrong try that is not the last.

    Raises: Failure after the last try, or too late. A 400 for what cannot be compared.
    """
    wait = (intent["next_action"] or {}).get("verify_with_microdeposits")
    if wait is None:
        raise invalid("This SetupIntent does not wait for microdeposits.", code="setup_intent_unexpected_state")
    kind = wait["microdeposit_type"]
    if set(params) & {"amounts", "descriptor_code"} != {kind}:
        raise invalid(f"This SetupIntent must be verified with `{kind}`, and with nothing else.", param=kind)
    given = params[kind] if kind == "descriptor_code" else tuple(sorted(params[kind]))
    if given == TOO_LATE[kind]:
        raise TIMEOUT
    if given == TOO_OFTEN[kind] or (given != RIGHT[kind] and intent["_tries"] + 1 >= TRIES[kind]):
        raise EXCEEDED
    if given == RIGHT[kind]:
        return None
    return StripeError(
        400,
        "invalid_request_error",
        f"The {kind.replace('_', ' ')} you provided did not match. You have a limited number of attempts.",
        code=f"{PREFIX}_{kind}_mismatch",
        param=kind,
    )
