"""What a payment method is called. Source: https://docs.stripe.com/api/payment_methods/object"""

import pytest

from billing import method_names
from billing.models import Office, Payment, PaymentMethod


@pytest.mark.parametrize(
    ("brand", "last4", "right"),
    [
        ("visa", "4242", "visa …4242"),
        ("american express", "0005", "american express …0005"),
        ("unknown", "4242", "card …4242"),
        ("", "4242", "card …4242"),
        ("us_bank_account", "6789", "bank account …6789"),
        ("bank_account", "6789", "bank account …6789"),
        ("sepa_debit", "3000", "SEPA debit …3000"),
        ("acss_debit", "0000", "Canadian bank debit …0000"),
        ("link", "", "Link"),
        ("paypal", "", "PayPal"),
        ("new_wallet", "", "new wallet"),  # a kind that Stripe adds
        ("new_debit", "1234", "new debit …1234"),
        ("", "", ""),
    ],
)
def test_a_payment_method_is_called_the_same_wherever_it_is_shown(brand, last4, right):
    assert method_names.called(brand, last4) == right
    assert str(PaymentMethod(brand=brand, last4=last4)) == right
    assert Payment(card_brand=brand, card_last4=last4).paid_with == right
    assert Office(payment_method_brand=brand, payment_method_last4=last4).pays_with == right
