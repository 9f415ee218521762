"""Events, and the webhook endpoints that they are delivered to.

Source: https://docs.stripe.com/api/events and https://docs.stripe.com/api/webhook_endpoints
"""

import fnmatch

from stripe_sandbox.deliveries import EVENTS_KEPT
from stripe_sandbox.errors import invalid, missing, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, checked_url, lists, merged, page, reads, removes
from stripe_sandbox.schema.load import API_VERSION
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

MOST_ENDPOINTS = 16
MOST_TYPES = 20


def list_events(store: Store, params: Params, ids: Ids) -> Row:
    """List the events of the last 30 days. ``type`` may end in a star."""
    if "type" in params and "types" in params:
        raise invalid("You may only specify one of these parameters: type, types.")
    if len(params.get("types", ())) > MOST_TYPES:
        raise invalid(f"You may give at most {MOST_TYPES} types.", param="types")
    horizon, wanted = store.now() - EVENTS_KEPT, params.get("type")
    found = store.all("event", type=wanted) if wanted and "*" not in wanted else store.all("event")
    if wanted and "*" in wanted:
        found = [one for one in found if fnmatch.fnmatchcase(one["type"], wanted)]
    if "types" in params:
        found = [one for one in found if one["type"] in params["types"]]
    if "delivery_success" in params:
        found = [one for one in found if (one["pending_webhooks"] == 0) == params["delivery_success"]]
    return page(store, [one for one in found if one["_at"] >= horizon], params, "/v1/events")


def read_event(store: Store, params: Params, ids: Ids) -> Row:
    event = store.need("event", ids["id"])
    if event["_at"] < store.now() - EVENTS_KEPT:
        raise missing("event", event["id"])
    return event


def create_endpoint(store: Store, params: Params, ids: Ids) -> Row:
    """Register an endpoint. From now on it gets the events that it asks for. Only this answer shows its secret."""
    if params.get("connect"):
        raise unsupported("endpoints for connected accounts")
    if params.get("api_version", API_VERSION) != API_VERSION:
        raise unsupported(f"events of the API version {params['api_version']}")
    if len(store.objects["webhook_endpoint"]) >= MOST_ENDPOINTS:
        raise invalid(f"You have reached the maximum of {MOST_ENDPOINTS} test webhook endpoints.")
    secret = store.webhook_secret or f"whsec_{store.random.getrandbits(128):032x}"
    made = store.add(
        "webhook_endpoint",
        url=checked_url(params["url"]),
        enabled_events=_events(params["enabled_events"]),
        api_version=params.get("api_version"),
        description=params.get("description") or None,
        metadata=merged(None, params.get("metadata")),
        status="enabled",
        _secrets=[{"secret": secret, "until": None}],
    )
    return {**shown(store, made), "secret": secret}


def update_endpoint(store: Store, params: Params, ids: Ids) -> Row:
    endpoint = store.need("webhook_endpoint", ids["webhook_endpoint"])
    changes: Row = {}
    if "url" in params:
        changes["url"] = checked_url(params["url"])
    if "enabled_events" in params:
        changes["enabled_events"] = _events(params["enabled_events"])
    if "description" in params:
        changes["description"] = params["description"] or None
    if "metadata" in params:
        changes["metadata"] = merged(endpoint["metadata"], params["metadata"])
    if "disabled" in params:
        changes["status"] = "disabled" if params["disabled"] else "enabled"
    store.change(endpoint, **changes)
    return endpoint


def _events(given: list[str]) -> list[str]:
    if not given:
        raise invalid("You must give at least one event.", param="enabled_events", code="parameter_invalid_empty")
    return given


ROUTES: Routes = {
    ("get", "/v1/events"): list_events,
    ("get", "/v1/events/{id}"): read_event,
    ("get", "/v1/webhook_endpoints"): lists("webhook_endpoint", "/v1/webhook_endpoints"),
    ("post", "/v1/webhook_endpoints"): create_endpoint,
    ("get", "/v1/webhook_endpoints/{webhook_endpoint}"): reads("webhook_endpoint", "webhook_endpoint"),
    ("post", "/v1/webhook_endpoints/{webhook_endpoint}"): update_endpoint,
    ("delete", "/v1/webhook_endpoints/{webhook_endpoint}"): removes("webhook_endpoint", "webhook_endpoint"),
}
