"""How a row is shown: nested rows are put together, the sandbox's own fields are left out, ids are expanded.

A row has every field of its kind, and null in those without a value. A part of a row may have only some of its fields.
The view leaves out what Stripe leaves out where it has no value, and shows null where Stripe shows null.
"""

import json
import zlib
from typing import Any

from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.kinds import KINDS, Row
from stripe_sandbox.memory import Memory
from stripe_sandbox.schema.load import INCLUDABLE, OBJECTS, WITHOUT_SHAPE, Shape, shape_of
from stripe_sandbox.schema.parts import Schema, part_in

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
        return {**_public(row, shape_of(kind)), "data": json.loads(zlib.decompress(row["_data"]))}
    left_out = shape_of(kind).left_out
    view = {
        name: of_field(store, row, name, value) if type(value) in COMPOSED or (kind, name) in EMBEDDED else value
        for name, value in row.items()
        if is_public(kind, name) and (value is not None or name not in left_out)
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
    return _public(value, shape_of(row["_kind"]).parts.get(name, WITHOUT_SHAPE))


def before_change(before: Row, after: Row) -> Row:
    """Return the previous values of what differs between two views of a row. What was left out before is null."""
    names = [*before, *(name for name in after if name not in before)]
    return {name: before.get(name) for name in names if before.get(name) != after.get(name)}


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
        _expand(store, view, {}, parts, refusal)
    return view


def _public(value: Any, shape: Shape) -> Any:
    """Copy the value without the sandbox's own fields. ``shape`` is that of the value, or of each member of a list."""
    if isinstance(value, dict):
        return shape.nulls | {
            key: _public(one, shape.parts.get(key, WITHOUT_SHAPE))
            for key, one in value.items()
            if not key.startswith("_") and (one is not None or key not in shape.left_out)
        }
    if isinstance(value, list):
        return [_public(one, shape) for one in value]
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


def _expand(store: Memory, node: Any, schema: Schema, parts: list[str], refusal: StripeError) -> None:
    """Expand what ``parts`` name in the node. ``schema`` is that of a part of an object; an object has its own."""
    if isinstance(node, list):
        for one in node:
            _expand(store, one, schema, parts, refusal)
        return
    if not isinstance(node, dict) or node.get("deleted"):
        return
    name, rest, kind = parts[0], parts[1:], node.get("object", "")
    schema = OBJECTS.get(kind, schema)
    if (kind, name) in HIDDEN:
        row = store.get(node["object"], node["id"]) or {}  # something that is only previewed has no row
        shape = shape_of(kind)
        if row.get(name) is not None or name not in shape.left_out:
            node[name] = _public(row.get(name), shape.parts.get(name, WITHOUT_SHAPE))
        return
    if (kind, name) in PAGES and name not in node:
        members_kind, owner, url = PAGES[kind, name]
        members = store.all(members_kind, **{owner: node["id"]})
        if members_kind != "item":  # a page of its address goes on where this one ends: newest first
            members = members[::-1]
        first = [shown(store, one) for one in members[:10]]
        node[name] = listed(first, url.format(node["id"]), more=len(members) > 10)
    fields = {"data": {}} if kind in ("list", "search_result") else schema.get("properties", {})
    expandable = name in schema.get("x-expandableFields", ()) or (kind, name) in INCLUDABLE
    if name not in fields or not (rest or expandable):
        raise refusal
    if node.get(name) is None:
        return
    if expandable:
        node[name] = _whole(store, name, node[name], refusal)
    if rest and not isinstance(node[name], COMPOSED):
        raise refusal
    if rest:
        _expand(store, node[name], part_in(fields[name]) or {}, rest, refusal)


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
