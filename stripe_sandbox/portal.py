"""The billing portal: what a customer may do there, and the sessions that open it.

Source: https://docs.stripe.com/api/customer_portal
"""

from typing import Any

from stripe_sandbox import addresses
from stripe_sandbox.errors import invalid, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, checked_url, lists, merged, reads, refuse
from stripe_sandbox.store import Row, Store

PROFILE = ("headline", "privacy_policy_url", "terms_of_service_url")
REASONS = ["too_expensive", "missing_features", "switched_service", "unused", "other"]
FEATURES: dict[str, dict[str, Any]] = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "options": REASONS},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": None,
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}
DEFAULT = {
    "invoice_history": {"enabled": True},
    "payment_method_update": {"enabled": True},
    "subscription_cancel": {"enabled": True},
}


def create_configuration(store: Store, params: Params, ids: Ids) -> Row:
    """Create a configuration. It says what customers may do in the portal."""
    return _add(store, params, is_default=False)


def update_configuration(store: Store, params: Params, ids: Ids) -> Row:
    """Change the configuration. A feature that the request does not name stays the same."""
    found = store.need("billing_portal.configuration", ids["configuration"])
    _refuse(params)
    values: dict[str, Any] = {name: params[name] for name in ("active",) if name in params}
    if found["is_default"] and values.get("active") is False:
        raise invalid("You cannot deactivate the default configuration.", param="active")
    for name in ("default_return_url", "name"):
        if name in params:
            values[name] = params[name] or None
    if "business_profile" in params:
        given = {name: value or None for name, value in params["business_profile"].items()}
        values["business_profile"] = {**found["business_profile"], **given}
    if "features" in params:
        values["features"] = _features(store, found["features"], params["features"])
    if "metadata" in params:
        values["metadata"] = merged(found["metadata"], params["metadata"])
    if any(found[name] != value for name, value in values.items()):
        values["updated"] = store.now()
    store.change(found, "billing_portal.configuration.updated", **values)
    return found


def create_session(store: Store, params: Params, ids: Ids) -> Row:
    """Create a session. The customer can use the portal at its address."""
    refuse(params, ("customer_account", "on_behalf_of"), "a portal session")
    if "customer" not in params:
        raise required("customer")
    customer = store.need("customer", params["customer"], "customer")
    if "configuration" in params:
        chosen = store.need("billing_portal.configuration", params["configuration"], "configuration")
        if not chosen["active"]:
            raise invalid(f"The configuration {chosen['id']} is not active.", param="configuration")
    else:
        chosen = _default(store)
    if "return_url" in params:
        checked_url(params["return_url"], "return_url")
    key = store.new_id("billing_portal.session")
    session = store.add(
        "billing_portal.session",
        id=key,
        configuration=chosen["id"],
        customer=customer["id"],
        flow=_flow(store, customer, params["flow_data"]) if "flow_data" in params else None,
        locale=params.get("locale"),
        return_url=params.get("return_url", chosen["default_return_url"]),
        url=addresses.portal_url(store.base_url, key),
        _card=None,
    )
    store.emit("billing_portal.session.created", session)
    return session


def _add(store: Store, params: Params, *, is_default: bool) -> Row:
    _refuse(params)
    profile = params.get("business_profile") or {}
    made = store.add(
        "billing_portal.configuration",
        active=True,
        business_profile={name: profile.get(name) or None for name in PROFILE},
        default_return_url=params.get("default_return_url") or None,
        features=_features(store, FEATURES, params["features"]),
        is_default=is_default,
        login_page={"enabled": False, "url": None},
        metadata=merged(None, params.get("metadata")),
        name=params.get("name") or None,
        updated=store.now(),
    )
    store.emit("billing_portal.configuration.created", made)
    return made


def _default(store: Store) -> Row:
    """Return the configuration that is used if the request names none. It is made at its first use."""
    found = store.all("billing_portal.configuration", is_default=True)
    return found[0] if found else _add(store, {"features": DEFAULT}, is_default=True)


def _refuse(params: Params) -> None:
    if params.get("login_page", {}).get("enabled"):
        raise unsupported("the login page of the portal")
    if params.get("default_return_url"):
        checked_url(params["default_return_url"], "default_return_url")
    for name in ("privacy_policy_url", "terms_of_service_url"):
        if url := (params.get("business_profile") or {}).get(name):
            checked_url(url, f"business_profile[{name}]")


def _without_texts(given: dict[str, Any]) -> dict[str, Any]:
    """Replace empty texts: by an empty list, or by no payment method configuration."""
    found = {key: _without_texts(value) if isinstance(value, dict) else value for key, value in given.items()}
    found |= {key: [] for key, value in found.items() if value == ""}
    return found | {key: None for key in ("payment_method_configuration",) if found.get(key) == []}


def _features(store: Store, old: Params, given: Params) -> dict[str, Any]:
    features = {}
    for name, values in old.items():
        features[name] = {**values, **_without_texts(given.get(name, {}))}
    update = features["subscription_update"]
    if update["schedule_at_period_end"].get("conditions"):
        raise unsupported("portal changes of subscriptions that wait for the end of the period")
    if update["enabled"] and not (update["products"] and update["default_allowed_updates"]):
        raise invalid(
            "Missing required param: features[subscription_update][products] and [default_allowed_updates].",
            param="features[subscription_update][products]",
            code="parameter_missing",
        )
    adjustable = {"enabled": False, "maximum": None, "minimum": 1}
    products = update["products"] and [
        {**one, "adjustable_quantity": {**adjustable, **one.get("adjustable_quantity", {})}}
        for one in update["products"]
    ]
    for product in products or ():
        for price in product["prices"]:
            if store.need("price", price, "features[subscription_update][products]")["product"] != product["product"]:
                raise invalid(f"The price {price} is not of the product {product['product']}.")
    features["subscription_update"] = {**update, "products": products}
    reason = {**FEATURES["subscription_cancel"]["cancellation_reason"]}
    reason |= features["subscription_cancel"]["cancellation_reason"]
    features["subscription_cancel"]["cancellation_reason"] = reason
    return features


def _flow(store: Store, customer: Row, given: Params) -> dict[str, Any]:
    """Return the one task that the session is for, in the form that is shown."""
    kind = given["type"]
    named = given.get(kind, {})
    if kind.startswith("subscription"):
        if "subscription" not in named:
            name = f"flow_data[{kind}][subscription]"
            raise required(name)
        subscription = store.need("subscription", named["subscription"], f"flow_data[{kind}][subscription]")
        if subscription["customer"] != customer["id"]:
            raise invalid(f"The subscription {subscription['id']} is another customer's.", param="flow_data")
    after = {
        "hosted_confirmation": None,
        "redirect": None,
        **given.get("after_completion", {"type": "portal_homepage"}),
    }
    kinds = ("subscription_cancel", "subscription_update", "subscription_update_confirm")
    return {"after_completion": after, "type": kind, **{one: named if one == kind else None for one in kinds}}


_URL = "/v1/billing_portal/configurations"
ROUTES: Routes = {
    ("post", _URL): create_configuration,
    ("get", _URL): lists("billing_portal.configuration", _URL, "active", "is_default"),
    ("get", f"{_URL}/{{configuration}}"): reads("billing_portal.configuration", "configuration"),
    ("post", f"{_URL}/{{configuration}}"): update_configuration,
    ("post", "/v1/billing_portal/sessions"): create_session,
}
