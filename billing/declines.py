"""Why a card was declined, and what a person can do next. Pure.

When a bank says that a card is lost, stolen or suspected of fraud, we never repeat that. The person who uses the
card may not be the cardholder. The text for such a decline is the same as for any other.
Source: https://docs.stripe.com/declines/codes
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decline:
    """One reason for a decline, in words. ``code`` may be shown to anybody."""

    code: str
    says: str
    next_step: str

    def __str__(self) -> str:
        return f"{self.says} {self.next_step}"


GENERIC = Decline(
    "generic_decline",
    "The card was declined by its bank.",
    "Use another card, or ask the bank. Only the bank knows the reason.",
)
TABLE: dict[str, Decline] = {
    one.code: one
    for one in (
        Decline(
            "insufficient_funds",
            "The card was declined: there is not enough money on it.",
            "Use another card, or try again when there is enough.",
        ),
        Decline("expired_card", "The card was declined: it has expired.", "Add a valid card, then try again."),
        Decline(
            "incorrect_cvc",
            "The card was declined: its security code is wrong.",
            "Enter the card again with the right code, or use another card.",
        ),
        Decline(
            "incorrect_number",
            "The card was declined: its number is wrong.",
            "Enter the card again with the right number, or use another card.",
        ),
        Decline(
            "processing_error",
            "The card was declined: its bank could not be reached or made an error.",
            "Try again in a few minutes. If that fails, use another card.",
        ),
        Decline(
            "authentication_required",
            "The card's bank asks the cardholder to confirm the payment.",
            "Ask the cardholder to confirm it, or use another card.",
        ),
        Decline(
            "card_not_supported",
            "The card was declined: it does not allow this kind of payment.",
            "Use another card, or ask the bank to allow it.",
        ),
        Decline(
            "card_velocity_exceeded",
            "The card was declined: its limit is reached.",
            "Use another card, or ask the bank to raise the limit.",
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
}


def of(code: str) -> Decline:
    """Return the words for a decline code or failure code of Stripe. A code that is not in the table is generic."""
    return TABLE.get(SAME.get(code, code), GENERIC)
