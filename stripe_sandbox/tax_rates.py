"""Tax rates. Source: https://docs.stripe.com/api/tax_rates"""

from typing import Any

from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, reads
from stripe_sandbox.params import named
from stripe_sandbox.store import Row, Store

LISTS = ("tax_rates", "default_tax_rates")
"""The parameters that name tax rates."""
TEXTS = ("country", "description", "jurisdiction", "state", "tax_type")


def create(store: Store, params: Params, ids: Ids) -> Row:
    if not 0 <= params["percentage"] <= 100:
        raise invalid("Invalid percentage: must be between 0 and 100.", param="percentage")
    rate = store.add(
        "tax_rate",
        active=params.get("active", True),
        display_name=_name(params["display_name"]),
        effective_percentage=params["percentage"],
        inclusive=params["inclusive"],
        metadata=merged(None, params.get("metadata")),
        percentage=params["percentage"],
        rate_type="percentage",
        **{name: params.get(name) or None for name in TEXTS},
    )
    store.emit("tax_rate.created", rate)
    return rate


def update(store: Store, params: Params, ids: Ids) -> Row:
    rate = store.need("tax_rate", ids["tax_rate"])
    changes = {name: params[name] or None for name in TEXTS if name in params}
    if "active" in params:
        changes["active"] = params["active"]
    if "display_name" in params:
        changes["display_name"] = _name(params["display_name"])
    if "metadata" in params:
        changes["metadata"] = merged(rate["metadata"], params["metadata"])
    store.change(rate, "tax_rate.updated", **changes)
    return rate


def refuse_unknown(store: Store, given: Any, name: str = "") -> None:
    """Refuse a tax rate that does not exist, anywhere in the request. Raises: Stripe's 400."""
    for key, value in given.items() if isinstance(given, dict) else enumerate(given) if isinstance(given, list) else ():
        full = named(name, str(key))
        if key in LISTS and isinstance(value, list):
            for n, rate in enumerate(value):
                store.need("tax_rate", rate, named(full, str(n)))
        else:
            refuse_unknown(store, value, full)


def _name(given: str) -> str:
    if not given:
        raise invalid("A tax rate needs a name.", param="display_name", code="parameter_invalid_empty")
    return given


ROUTES: Routes = {
    ("get", "/v1/tax_rates"): lists("tax_rate", "/v1/tax_rates", "active", "inclusive"),
    ("post", "/v1/tax_rates"): create,
    ("get", "/v1/tax_rates/{tax_rate}"): reads("tax_rate", "tax_rate"),
    ("post", "/v1/tax_rates/{tax_rate}"): update,
}
