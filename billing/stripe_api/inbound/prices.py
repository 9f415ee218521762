"""Reading Stripe's recurring prices."""

from typing import Any

from billing.stripe_api.inbound.states import PriceState


def price(data: dict[str, Any]) -> PriceState:
    product, recurring = data["product"], data["recurring"]
    plain = (
        data["billing_scheme"] == "per_unit"
        and data["unit_amount"] is not None
        and not data.get("transform_quantity")
        and recurring["usage_type"] == "licensed"
        and recurring["interval"] in ("month", "year")
    )
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
        is_plain=plain,
    )
