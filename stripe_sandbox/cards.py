"""Stripe's test cards, and how each of them behaves. Source: https://docs.stripe.com/testing"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class Card:
    """A test card.

    ``authentication``: "" (never), "always", or "unless_setup" (once, at its setup intent).
    ``dispute``: "dispute" or "inquiry" is opened after a charge. ``refund``: "fails" later, or is "pending" first.
    ``fraud_warning``: the bank warns of fraud after a charge.
    """

    brand: str
    last4: str
    on_attach: Refusal | None = None
    on_charge: Refusal | None = None
    authentication: str = ""
    dispute: str = ""
    refund: str = ""
    fraud_warning: bool = False


GENERIC = Refusal("card_declined", "generic_decline", "Your card was declined.")
FUNDS = Refusal("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Refusal("card_declined", "lost_card", "Your card was declined.")
STOLEN = Refusal("card_declined", "stolen_card", "Your card was declined.")
EXPIRED = Refusal("expired_card", "", "Your card has expired.")
CVC = Refusal("incorrect_cvc", "", "Your card's security code is incorrect.")
PROCESSING = Refusal("processing_error", "", "An error occurred while processing your card. Try again in a little bit.")
ASK = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_AUTHENTICATED = Refusal(
    "payment_intent_authentication_failure",
    "",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again.",
)
REFUSALS = {
    (one.decline_code or one.code): one for one in (GENERIC, FUNDS, LOST, STOLEN, EXPIRED, CVC, PROCESSING, ASK)
}
"""By the decline code, or by the code where there is no decline code. A test can ask for these for the next charges."""


def _refused(last4: str, refusal: Refusal) -> Card:
    return Card("visa", last4, on_attach=refusal, on_charge=refusal)


CARDS: dict[str, Card] = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_amex": Card("amex", "8431"),
    "pm_card_chargeDeclined": _refused("0002", GENERIC),
    "pm_card_chargeDeclinedInsufficientFunds": _refused("9995", FUNDS),
    "pm_card_chargeDeclinedLostCard": _refused("9987", LOST),
    "pm_card_chargeDeclinedStolenCard": _refused("9979", STOLEN),
    "pm_card_chargeDeclinedExpiredCard": _refused("0069", EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": _refused("0127", CVC),
    "pm_card_chargeDeclinedProcessingError": _refused("0119", PROCESSING),
    "pm_card_chargeCustomerFail": Card("visa", "0341", on_charge=GENERIC),
    "pm_card_authenticationRequired": Card("visa", "3184", authentication="always"),
    "pm_card_authenticationRequiredOnSetup": Card("visa", "3155", authentication="unless_setup"),
    "pm_card_threeDSecure2Required": Card("visa", "3220", authentication="always"),
    "pm_card_createDispute": Card("visa", "0259", dispute="dispute"),
    "pm_card_createDisputeInquiry": Card("visa", "1976", dispute="inquiry"),
    "pm_card_createIssuerFraudRecord": Card("visa", "5423", fraud_warning=True),
    "pm_card_refundFail": Card("visa", "5126", refund="fails"),
    "pm_card_pendingRefund": Card("visa", "7726", refund="pending"),
    "pm_card_bypassPending": Card("visa", "0077"),
}
CARDS |= {
    name.replace("pm_card_", "pm_card_visa_"): card
    for name, card in CARDS.items()
    if name.startswith("pm_card_chargeDeclined")
}
