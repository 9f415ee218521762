"""How a row is shown: nested rows are put together, the sandbox's own fields are left out, ids are expanded."""

import json
import zlib
from typing import Any

from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.kinds import KINDS, Row
from stripe_sandbox.memory import Memory
from stripe_sandbox.schema.load import INCLUDABLE, OBJECTS

NESTED: dict[str, tuple[str, str, str, str, int]] = {
    # kind: (field, kind of the members, their field that names the owner, address, how many are shown)
    "subscription": ("items", "subscription_item", "subscription", "/v1/subscription_items?subscription={}", 10),
    "invoice": ("lines", "line_item", "invoice", "/v1/invoices/{}/lines", 10),
    "credit_note": ("lines", "credit_note_line_item", "_credit_note", "/v1/credit_notes/{}/lines", 10),
}
EMBEDDED: dict[tuple[str, str], str] = {
    # fields that hold an id, or a list of ids, in the row, and are shown as whole objects
    ("subscription_item", "price"): "price",
    ("subscription_item", "tax_rates"): "tax_rate",
    ("subscription", "default_tax_rates"): "tax_rate",
    ("invoice", "default_tax_rates"): "tax_rate",
    ("invoiceitem", "tax_rates"): "tax_rate",
    ("customer", "discount"): "discount",
    ("item", "price"): "price",
    ("dispute", "balance_transactions"): "balance_transaction",
    ("credit_note_line_item", "tax_rates"): "tax_rate",
}
PAGES: dict[tuple[str, str], tuple[str, str, str]] = {
    # shown only if the request asks for it: (kind of the members, their field that names the owner, address)
    ("invoice", "payments"): ("invoice_payment", "invoice", "/v1/invoice_payments?invoice={}"),
    ("customer", "subscriptions"): ("subscription", "customer", "/v1/customers/{}/subscriptions"),
    ("customer", "tax_ids"): ("tax_id", "customer", "/v1/customers/{}/tax_ids"),
    ("checkout.session", "line_items"): ("item", "_session", "/v1/checkout/sessions/{}/line_items"),
    ("charge", "refunds"): ("refund", "charge", "/v1/charges/{}/refunds"),
}
HIDDEN = {
    ("coupon", "applies_to"),
    ("coupon", "currency_options"),
    ("customer", "invoice_credit_balance"),
    ("invoice", "confirmation_secret"),
}
"""Fields of a row that are shown only if the request asks for them."""
COMPOSED = (dict, list)
MOST_LEVELS = 4


def shown(store: Memory, row: Row) -> Row:
    """Copy the row in the form of Stripe's API. A change in the copy does not change the row."""
    kind = row.get("_kind", "")
    if row.get("deleted"):
        return {"id": row["id"], "object": kind, "deleted": True}
    if kind == "event":
        return {**_public(row), "data": json.loads(zlib.decompress(row["_data"]))}
    view = {
        name: of_field(store, row, name, value) if type(value) in COMPOSED or (kind, name) in EMBEDDED else value
        for name, value in row.items()
        if is_public(kind, name)
    }
    if kind in NESTED:
        field, members, owner, url, most = NESTED[kind]
        found = store.all(members, **{owner: row["id"]})
        data = [shown(store, one) for one in found[:most]]
        view[field] = listed(data, url.format(row["id"]), more=len(found) > most)
    if kind == "subscription_item":
        view["plan"] = _plan(view["price"])
    return view


def is_public(kind: str, name: str) -> bool:
    """Whether the field of such a row is shown without being asked for."""
    return name[0] != "_" and (kind, name) not in HIDDEN


def of_field(store: Memory, row: Row, name: str, value: Any) -> Any:
    """Return the value of one field as it is shown."""
    kind = EMBEDDED.get((row.get("_kind", ""), name))
    if kind and isinstance(value, str):
        return shown(store, store.objects[kind][value])
    if kind and isinstance(value, list):
        return [shown(store, store.objects[kind][one]) for one in value]
    return _public(value)


def listed(data: list[Row], url: str, *, more: bool) -> Row:
    """Make a list object. Source: https://docs.stripe.com/api/pagination"""
    return {"object": "list", "data": data, "has_more": more, "url": url}


def expanded(store: Memory, view: Row, paths: list[str]) -> Row:
    """Replace the named ids by whole objects. Source: https://docs.stripe.com/expand

    A top-level name that begins with an underscore, such as a search's count, is shown only if a path names it.
    """
    hidden = {name: view.pop(name) for name in [*view] if name.startswith("_")}
    for n, path in enumerate(paths):
        if f"_{path}" in hidden:
            view[path] = hidden[f"_{path}"]
            continue
        parts, refusal = path.split("."), invalid(f"This property cannot be expanded ({path}).", param=f"expand[{n}]")
        if len(parts) > MOST_LEVELS:
            raise invalid("You cannot expand more than 4 levels of a property.", param=f"expand[{n}]")
        _expand(store, view, parts, refusal)
    return view


def _public(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _public(one) for key, one in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [_public(one) for one in value]
    return value


def _plan(price: Row) -> Row:
    """Return the price in the form of the old Plan object, which items still have."""
    recurring = price["recurring"] or {}
    return {
        **{name: price[name] for name in ("id", "active", "billing_scheme", "created", "currency", "product")},
        "object": "plan",
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _expand(store: Memory, node: Any, parts: list[str], refusal: StripeError) -> None:
    if isinstance(node, list):
        for one in node:
            _expand(store, one, parts, refusal)
        return
    if not isinstance(node, dict) or node.get("deleted"):
        return
    name, rest = parts[0], parts[1:]
    if (node.get("object", ""), name) in HIDDEN:
        row = store.get(node["object"], node["id"]) or {}  # something that is only previewed has no row
        node[name] = _public(row.get(name))
        return
    page = PAGES.get((node.get("object", ""), name))
    if page and name not in node:
        kind, owner, url = page
        members = store.all(kind, **{owner: node["id"]})
        if kind != "item":  # a page of its address goes on where this one ends: newest first
            members = members[::-1]
        first = [shown(store, one) for one in members[:10]]
        node[name] = listed(first, url.format(node["id"]), more=len(members) > 10)
    if name not in node or not (rest or name in _expandable(node)):
        raise refusal
    node[name] = _whole(store, name, node[name], refusal)
    if rest:
        _expand(store, node[name], rest, refusal)


def _whole(store: Memory, name: str, value: Any, refusal: StripeError) -> Any:
    """Find the object for an id, or the objects for a list of ids. Any other value stays the same."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [_whole(store, name, one, refusal) for one in value]
    if not isinstance(value, str):
        return value
    kind = name if name in store.objects else KINDS.get(value.rpartition("_")[0], "")
    target = store.objects[kind].get(value) if kind else None
    if target is None:
        raise refusal
    return shown(store, target)


def _expandable(node: Row) -> set[str]:
    """List the fields of this object that may be expanded. For a part of an object, these are all its fields."""
    if schema := OBJECTS.get(node.get("object", "")):
        return {*schema.get("x-expandableFields", ()), *(name for kind, name in INCLUDABLE if kind == node["object"])}
    return set(node)
