"""Products and prices."""

import contextlib
from typing import Any

from billing import errors
from billing.models import Plan, PlanPrice
from billing.stripe_api import client, inbound
from billing.stripe_api.client import Step
from billing.stripe_api.gateway import answers
from billing.stripe_api.inbound.states import PriceState


def create_product(plan: Plan, *, step: Step) -> str:
    """Create the plan's product and return its id. Source: https://docs.stripe.com/api/products/create"""
    return answers.identity_of(
        client.post("/v1/products", {"name": plan.name, "metadata": {"plan": str(plan.public_id)}}, step=step)
    )


def create_price(price: PlanPrice, *, step: Step) -> str:
    """Create the plan price's price and return its id. Source: https://docs.stripe.com/api/prices/create"""
    params = {
        "product": price.plan.stripe_product_id,
        "currency": price.currency,
        "unit_amount": price.unit_amount,
        "recurring": {"interval": price.interval, "interval_count": price.interval_count},
        "metadata": {"price": str(price.public_id)},
    }
    return answers.identity_of(client.post("/v1/prices", params, step=step))


def has_product(product: str) -> bool:
    """Return whether Stripe has the product, for sale or not. Source: https://docs.stripe.com/api/products/retrieve"""
    data = answers.one(f"/v1/products/{product}", {})
    return bool(data and not data.get("deleted"))


def is_product_for_sale(product: str) -> bool:
    """Return whether it exists and is not archived. Source: https://docs.stripe.com/api/products/retrieve"""
    return _is_active(f"/v1/products/{product}")


def fetch_price(price: str) -> PriceState | None:
    """Return the recurring price, or None if it is gone. Source: https://docs.stripe.com/api/prices/retrieve"""
    data = answers.one(f"/v1/prices/{price}", {"expand": ["product"]})
    return inbound.prices.price(data) if data and not data.get("deleted") else None


def _is_active(path: str) -> bool:
    data = answers.one(path, {})
    return bool(data and data.get("active") and not data.get("deleted"))


def rename_product(product: str, name: str, *, step: Step) -> None:
    """Rename it, on invoices that are made from now on. Source: https://docs.stripe.com/api/products/update"""
    client.post(f"/v1/products/{product}", {"name": name}, step=step)


def archive_product(product: str, *, step: Step) -> None:
    """Stop selling it. Whoever subscribes to it keeps it. One that is gone is not sold.

    Source: https://docs.stripe.com/api/products/update
    """
    with contextlib.suppress(errors.StripeObjectMissing):
        client.post(f"/v1/products/{product}", {"active": False}, step=step)


def archive_price(price: str, *, step: Step) -> None:
    """Stop selling at it. Whoever subscribes at it keeps it. One that is gone is not sold.

    Source: https://docs.stripe.com/api/prices/update
    """
    with contextlib.suppress(errors.StripeObjectMissing):
        client.post(f"/v1/prices/{price}", {"active": False}, step=step)


def name_of_product(product: str) -> str:
    """Return its name, or "" if it is gone. Source: https://docs.stripe.com/api/products/retrieve"""
    data = answers.one(f"/v1/products/{product}", {})
    return str(data.get("name") or "") if data else ""


def product_made_for(plan: Plan) -> str:
    """Return the id of the product that was made for this plan, among the newest hundred. "" if there is none."""
    return _made(answers.page("/v1/products", {}), "plan", str(plan.public_id))


def price_made_for(price: PlanPrice) -> str:
    """Return the id of the price that was made for this plan price, among its product's newest hundred, or ""."""
    if not price.plan.stripe_product_id:
        return ""
    listed = answers.page("/v1/prices", {"product": price.plan.stripe_product_id})
    return _made(listed, "price", str(price.public_id))


def _made(listed: list[dict[str, Any]], label: str, value: str) -> str:
    return next((str(one["id"]) for one in listed if (one.get("metadata") or {}).get(label) == value), "")
