"""Making many customers at once, with the same functions that answer Stripe's requests."""

import asyncio

from stripe_sandbox import catalogue, customers, payment_methods
from stripe_sandbox.currencies import DEFAULT
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscriptions

MOST_AT_ONCE = 1_000
BETWEEN_BREATHS = 20
STREETS = "Maple Oak Cedar Birch Willow Elm Juniper Alder Hazel Linden Rowan Aspen".split()


async def subscribed(store: Store, count: int, price: str | None) -> Row:
    """Make ``count`` more customers, each with a card, a subscription to this price, and a paid first invoice.

    Without a price, one of 49.00 USD a month is made. Other requests are answered in between. Raises: StripeError.
    """
    with store.request_undone_on_error():
        if price is None:
            product = catalogue.create_product(store, {"name": "Practice"})["id"]
            given = {"product": product, "currency": DEFAULT, "unit_amount": 4900, "recurring": {"interval": "month"}}
            price = catalogue.create_price(store, given)["id"]
    made = []
    for n in range(count):
        with store.request_undone_on_error():
            number = len(store.objects["customer"]) + 1
            street = STREETS[number % len(STREETS)]
            given = {"name": f"{street} Street {number}", "email": f"billing@{street.lower()}-{number}.example"}
            customer = customers.create(store, given)
            card = payment_methods.of_id(store, "pm_card_visa", "payment_method", customer)
            payment_methods.attach(store, card, customer)
            customers.update(store, customer, {"invoice_settings": {"default_payment_method": card["id"]}})
            subscriptions.create(store, {"customer": customer["id"], "items": [{"price": price}]})
            made.append(customer["id"])
        if n % BETWEEN_BREATHS == 0:
            store.persist()
            await asyncio.sleep(0)
    return {"price": price, "customers": made}
