"""Stripe's test bank accounts, and how a debit of each of them ends.

Source: https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment (test account numbers)
"""

from dataclasses import dataclass

from stripe_sandbox.cards import Refusal

NAME, ROUTING = "STRIPE TEST BANK", "110000000"
DAYS_ON_THE_WAY = 4
"""Business days until it is known how a debit ended. Source: https://docs.stripe.com/payments/ach-direct-debit"""


@dataclass(frozen=True)
class Bank:
    """A test account. ``returned`` is why its bank sends a debit back. ``stays``: nobody ever knows how it ended."""

    last4: str
    returned: Refusal | None = None
    stays: bool = False


def _returned(code: str, message: str) -> Refusal:
    return Refusal(code, "", message)


CLOSED = _returned("account_closed", "The customer's bank account has been closed.")
MISSING = _returned("no_account", "The customer's bank account could not be located.")
FUNDS = _returned("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")
REFUSED = _returned("debit_not_authorized", "The customer has notified their bank that this payment was unauthorized.")
RETURNS = (CLOSED, MISSING, FUNDS, REFUSED)

BANKS = {
    "pm_usBankAccount": Bank("6789"),
    "pm_usBankAccount_success": Bank("6789"),
    "pm_usBankAccount_accountClosed": Bank("1113", CLOSED),
    "pm_usBankAccount_noAccount": Bank("1116", MISSING),
    "pm_usBankAccount_insufficientFunds": Bank("2227", FUNDS),
    "pm_usBankAccount_debitNotAuthorized": Bank("3335", REFUSED),
    "pm_usBankAccount_processing": Bank("0009", stays=True),
}
NUMBERS = {
    "000123456789": "pm_usBankAccount_success",
    "000111111113": "pm_usBankAccount_accountClosed",
    "000111111116": "pm_usBankAccount_noAccount",
    "000222222227": "pm_usBankAccount_insufficientFunds",
    "000333333335": "pm_usBankAccount_debitNotAuthorized",
    "000000000009": "pm_usBankAccount_processing",
}
"""Account numbers that people type. Such an account is to be verified before it can be debited."""
