"""What a payment method is called in words for people: a card, a bank account or anything else. Pure.

Source: https://docs.stripe.com/api/payment_methods/object#payment_method_object-type
"""

KINDS: dict[str, str] = {
    "acss_debit": "Canadian bank debit",
    "amazon_pay": "Amazon Pay",
    "au_becs_debit": "BECS debit",
    "bacs_debit": "Bacs debit",
    "bank_account": "bank account",
    "cashapp": "Cash App Pay",
    "customer_balance": "bank transfer",
    "ideal": "iDEAL",
    "link": "Link",
    "nz_bank_account": "bank account",
    "paypal": "PayPal",
    "revolut_pay": "Revolut Pay",
    "sepa_debit": "SEPA debit",
    "us_bank_account": "bank account",
}
"""The kinds whose own name at Stripe is not what people call them. None of them is a card."""
UNKNOWN_CARD = ("", "unknown", "card")


def called(brand: str, last4: str) -> str:
    """Return what a payment method is called: “visa …4242”, “bank account …6789”, “Link”. "" if nothing is known.

    ``brand`` is a card's brand, or Stripe's word for the kind of anything else. A kind that Stripe adds is named by
    that word.
    """
    if not brand and not last4:
        return ""
    name = "card" if brand in UNKNOWN_CARD else KINDS.get(brand, brand.replace("_", " "))
    return f"{name} …{last4}" if last4 else name


def may_be_card(brand: str) -> bool:
    """Return whether this brand or kind may be of a card. Stripe adds brands, so an unknown one may be."""
    return brand not in KINDS


def card_month(expires: str) -> str:
    """Write the last month of a card as people write it: 12/2029. "" if there is none."""
    year, _, month = expires.partition("-")
    return f"{month}/{year}" if month else ""
