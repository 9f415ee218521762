"""Tax rates. Source: https://docs.stripe.com/api/tax_rates"""

from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params, Routes, lists, merged, reads
from stripe_sandbox.store import Row, Store

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
