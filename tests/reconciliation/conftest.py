"""Fixtures: an account at Stripe that was used before, and a database that knows nothing about it."""

import pytest

from billing import accounts
from billing.audit import actor
from billing.models import Office
from tests.equality import broken_invariants, differences, read


@pytest.fixture
def account(empty_stripe):
    """Return an account with a plan. The database knows only whose account it is."""
    accounts.record_account(by=actor.job("tests"), reason="tests")
    product = empty_stripe.post("products", name="Practice")["id"]
    recurring = {"recurring[interval]": "month", "product": product, "currency": "usd"}
    empty_stripe.price = empty_stripe.post("prices", unit_amount=19_900, **recurring)["id"]
    empty_stripe.seat = empty_stripe.post("prices", unit_amount=4_900, lookup_key="seats", **recurring)["id"]
    return empty_stripe


def subscribed(stripe, *, name="Birch Hill Practice", email="billing@birch.example", card="pm_card_visa", **items):
    customer = stripe.post("customers", name=name, email=email, **{"preferred_locales[0]": "es"})["id"]
    method = stripe.post(f"payment_methods/{card}/attach", customer=customer)["id"]
    stripe.post(f"customers/{customer}", **{"invoice_settings[default_payment_method]": method})
    given = {"items[0][price]": stripe.price} | {f"items[0][{name}]": value for name, value in items.items()}
    stripe.post("subscriptions", customer=customer, **given)
    return customer


def equal(stripe, customer):
    office = Office.objects.get(payment_provider_customer_id=customer)
    return differences(office, read(stripe, customer)) + broken_invariants(office)
