"""Many customers at once, made by the same functions that answer Stripe's requests."""

import asyncio

from stripe_sandbox.store import Row, Store

MOST_AT_ONCE = 1_000
BETWEEN_BREATHS = 20
STREETS = "Maple Oak Cedar Birch Willow Elm Juniper Alder Hazel Linden Rowan Aspen".split()


async def subscribed(store: Store, count: int, price: str | None) -> Row:
    """So many more customers have a card, a subscription to this price, and its first invoice paid.

    Without a price, one of 49.00 USD a month is made. Other requests are answered in between. Raises: StripeError.
    """
    from stripe_sandbox.routes import ROUTES  # which needs what needs this module

    with store.request_undone_on_error():
        if price is None:
            product = ROUTES["post", "/v1/products"](store, {"name": "Practice"}, {})
            given = {
                "product": product["id"],
                "currency": "usd",
                "unit_amount": 4900,
                "recurring": {"interval": "month"},
            }
            price = ROUTES["post", "/v1/prices"](store, given, {})["id"]
    made = []
    for n in range(count):
        with store.request_undone_on_error():
            number = len(store.objects["customer"]) + 1
            street = STREETS[number % len(STREETS)]
            given = {"name": f"{street} Street {number}", "email": f"billing@{street.lower()}-{number}.example"}
            customer = ROUTES["post", "/v1/customers"](store, given, {})["id"]
            attach = ROUTES["post", "/v1/payment_methods/{payment_method}/attach"]
            card = attach(store, {"customer": customer}, {"payment_method": "pm_card_visa"})
            default = {"invoice_settings": {"default_payment_method": card["id"]}}
            ROUTES["post", "/v1/customers/{customer}"](store, default, {"customer": customer})
            ROUTES["post", "/v1/subscriptions"](store, {"customer": customer, "items": [{"price": price}]}, {})
            made.append(customer)
        if n % BETWEEN_BREATHS == 0:
            store.persist()
            await asyncio.sleep(0)
    return {"price": price, "customers": made}
