"""Reading Stripe's recurring prices."""

from typing import Any

from billing.stripe_api.inbound.states import PriceState


def price(data: dict[str, Any]) -> PriceState:
    product, recurring = data["product"], data["recurring"]
    return PriceState(
        id=data["id"],
        lookup_key=data.get("lookup_key") or "",
        active=data["active"],
        product_id=product["id"],
        product_name=product.get("name") or "",
        product_active=bool(product.get("active")),
        currency=data["currency"],
        unit_amount=data["unit_amount"] or 0,
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        is_plain=is_plain(data) and recurring["interval"] in ("month", "year"),
    )


def is_plain(data: dict[str, Any]) -> bool:
    """Return whether a recurring price is a fixed, whole amount for each unit: no tiers, packages or metered use."""
    return bool(
        data["billing_scheme"] == "per_unit"
        and data.get("unit_amount") is not None
        and not data.get("transform_quantity")
        and data["recurring"]["usage_type"] == "licensed"
    )
