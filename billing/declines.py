"""Why a payment was declined or a debit was returned, and what a person can do next. Pure.

A code does not say what was charged, so a text names a card or a bank account only where nothing else has this code.
When a bank says that a card is lost, stolen or suspected of fraud, we never repeat that. The person who uses the card
may not be the cardholder. The text for such a decline is the same as for any other.
Source: https://docs.stripe.com/declines/codes and https://docs.stripe.com/error-codes
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decline:
    """One reason for a decline, in words. ``code`` may be shown to anybody.

    ``payer_must_act``: until whoever pays enters or confirms something, the same payment method is declined again.
    """

    code: str
    says: str
    next_step: str
    payer_must_act: bool = False

    def __str__(self) -> str:
        return f"{self.says} {self.next_step}"


GENERIC = Decline(
    "generic_decline",
    "The payment was declined by the bank.",
    "Use another payment method, or ask the bank. Only the bank knows the reason.",
)
TABLE: dict[str, Decline] = {
    one.code: one
    for one in (
        Decline(
            "insufficient_funds",
            "The payment was declined: there is not enough money.",
            "Use another payment method, or try again when there is enough.",
        ),
        Decline(
            "expired_card",
            "The card was declined: it has expired.",
            "Add a valid card, then try again.",
            payer_must_act=True,
        ),
        Decline(
            "incorrect_cvc",
            "The card was declined: its security code is wrong.",
            "Enter the card again with the right code, or use another card.",
            payer_must_act=True,
        ),
        Decline(
            "incorrect_number",
            "The card was declined: its number is wrong.",
            "Enter the card again with the right number, or use another card.",
            payer_must_act=True,
        ),
        Decline(
            "processing_error",
            "The payment was declined: the bank could not be reached or made an error.",
            "Try again in a few minutes. If that fails, use another payment method.",
        ),
        Decline(
            "authentication_required",
            "The bank wants the payment to be confirmed.",
            "Ask the person who pays to confirm it, or use another payment method.",
            payer_must_act=True,
        ),
        Decline(
            "card_not_supported",
            "The payment was declined: the payment method does not allow this kind of payment.",
            "Use another payment method, or ask the bank to allow it.",
            payer_must_act=True,
        ),
        Decline(
            "card_velocity_exceeded",
            "The payment was declined: a limit is reached.",
            "Use another payment method, or ask the bank to raise the limit.",
        ),
        Decline(
            "account_closed",
            "The bank account is closed, so the bank returned the debit.",
            "Use another payment method.",
            payer_must_act=True,
        ),
        Decline(
            "no_account",
            "The bank does not find this bank account, so it returned the debit.",
            "Enter the account again with the right numbers, or use another payment method.",
            payer_must_act=True,
        ),
        Decline(
            "debit_not_authorized",
            "The account's holder told the bank that this debit was not agreed, so the bank returned it.",
            "Ask the Office. Debit this account again only after its holder has agreed anew.",
            payer_must_act=True,
        ),
        Decline(
            "bank_account_restricted",
            "The bank account cannot be debited, so the bank returned the debit.",
            "Use another payment method, or ask the bank to allow debits.",
            payer_must_act=True,
        ),
    )
}
SAME: dict[str, str] = {
    "invalid_cvc": "incorrect_cvc",
    "invalid_number": "incorrect_number",
    "try_again_later": "processing_error",
    "reenter_transaction": "processing_error",
    "issuer_not_available": "processing_error",
    "approve_with_id": "authentication_required",
    "invoice_payment_intent_requires_action": "authentication_required",
    "payment_intent_authentication_failure": "authentication_required",
    "currency_not_supported": "card_not_supported",
    "transaction_not_allowed": "card_not_supported",
    "withdrawal_count_limit_exceeded": "card_velocity_exceeded",
    "could_not_process": "processing_error",
    "generic_could_not_process": "processing_error",
    "invalid_account_number": "no_account",
    "branch_does_not_exist": "no_account",
    "authorization_revoked": "debit_not_authorized",
    "debit_disputed": "debit_not_authorized",
}


def of(code: str) -> Decline:
    """Return the words for a decline code or failure code of Stripe. A code that is not in the table is generic."""
    return TABLE.get(SAME.get(code, code), GENERIC)
