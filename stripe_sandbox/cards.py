"""Stripe's test cards and how each behaves. Source: https://docs.stripe.com/testing"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class Card:
    brand: str
    last4: str
    on_attach: Refusal | None = None
    on_charge: Refusal | None = None


GENERIC = Refusal("card_declined", "generic_decline", "Your card was declined.")
FUNDS = Refusal("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Refusal("card_declined", "lost_card", "Your card was declined.")
EXPIRED = Refusal("expired_card", "", "Your card has expired.")
CVC = Refusal("incorrect_cvc", "", "Your card's security code is incorrect.")
ASK = Refusal(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)

CARDS: dict[str, Card] = {
    "pm_card_visa": Card("visa", "4242"),
    "pm_card_mastercard": Card("mastercard", "4444"),
    "pm_card_chargeDeclined": Card("visa", "0002", on_attach=GENERIC, on_charge=GENERIC),
    "pm_card_visa_chargeDeclined": Card("visa", "0002", on_attach=GENERIC, on_charge=GENERIC),
    "pm_card_visa_chargeDeclinedInsufficientFunds": Card("visa", "9995", on_attach=FUNDS, on_charge=FUNDS),
    "pm_card_chargeDeclinedInsufficientFunds": Card("visa", "9995", on_attach=FUNDS, on_charge=FUNDS),
    "pm_card_chargeDeclinedLostCard": Card("visa", "9987", on_attach=LOST, on_charge=LOST),
    "pm_card_chargeDeclinedExpiredCard": Card("visa", "0069", on_attach=EXPIRED, on_charge=EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": Card("visa", "0127", on_attach=CVC, on_charge=CVC),
    "pm_card_chargeCustomerFail": Card("visa", "0341", on_charge=GENERIC),
    "pm_card_authenticationRequired": Card("visa", "3184", on_charge=ASK),
}
