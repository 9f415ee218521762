"""The API of subscription items. Each change of an item is a change of its subscription.

Source: https://docs.stripe.com/api/subscription_items
"""

from typing import Any

from stripe_sandbox.handlers import Ids, Params, Routes, gone, page, reads
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.subscribing import subscriptions

OWN = ("price", "plan", "price_data", "quantity", "metadata", "tax_rates", "discounts")
"""The parameters of the item. All others are parameters of its subscription."""


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Add an item to the subscription. Money may move, as with any change of a subscription."""
    subscription = store.need("subscription", params["subscription"], "subscription")
    before = {item["id"] for item in rows.items_of(store, subscription)}
    rest = {name: value for name, value in params.items() if name not in OWN and name != "subscription"}
    subscriptions.update(store, subscription, {"items": [{k: params[k] for k in OWN if k in params}], **rest})
    return next(item for item in rows.items_of(store, subscription) if item["id"] not in before)


def update(store: Store, params: Params, ids: Ids) -> Row:
    item = store.need("subscription_item", ids["item"])
    _change(store, item, params)
    return item


def delete(store: Store, params: Params, ids: Ids) -> Row:
    """Take the item off its subscription."""
    item = store.need("subscription_item", ids["item"])
    _change(store, item, params, deleted=True)
    return gone("subscription_item", item["id"])


def list_items(store: Store, params: Params, ids: Ids) -> Row:
    """List the subscription's items, oldest first as in the subscription itself."""
    found = store.all("subscription_item", subscription=params["subscription"])
    return page(store, found, params, "/v1/subscription_items", newest_first=False)


def _change(store: Store, item: Row, params: Params, **more: Any) -> None:
    given = {"id": item["id"], **{name: params[name] for name in OWN if name in params}, **more}
    rest = {name: value for name, value in params.items() if name not in OWN and name != "clear_usage"}
    subscriptions.update(store, store.need("subscription", item["subscription"]), {"items": [given], **rest})


ROUTES: Routes = {
    ("get", "/v1/subscription_items"): list_items,
    ("post", "/v1/subscription_items"): create,
    ("get", "/v1/subscription_items/{item}"): reads("subscription_item", "item"),
    ("post", "/v1/subscription_items/{item}"): update,
    ("delete", "/v1/subscription_items/{item}"): delete,
}
