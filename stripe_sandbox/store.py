"""Everything the sandbox holds: objects, events, deliveries, the clock. Plain dicts, one event loop, no locks."""

import calendar
import copy
import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stripe_sandbox.errors import invalid, missing
from stripe_sandbox.schema.load import API_VERSION, INCLUDABLE, OBJECTS, new

PREFIXES = {
    "customer": "cus",
    "product": "prod",
    "price": "price",
    "payment_method": "pm",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "invoice_payment": "inpay",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "event": "evt",
    "webhook_endpoint": "we",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
KEPT = ("objects", "deliveries", "answers", "offset", "sequence", "numbers")


class Store:
    def __init__(self, *, account: str, webhook_secret: str = "") -> None:
        self.account = account
        self.webhook_secret = webhook_secret
        self.changed = False
        self.reset()

    def reset(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in PREFIXES}
        self.deliveries: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.requests: list[dict[str, Any]] = []
        self.faults: list[dict[str, Any]] = []
        self.numbers: dict[str, int] = {}
        self.offset = 0
        self.sequence = 0
        self.at: int | None = None
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.changed = True

    def load(self, file: Path) -> None:
        for name, value in json.loads(file.read_text()).items():
            setattr(self, name, value)
        for subscription in self.objects["subscription"].values():  # an item is one object, here and there
            for item in subscription["items"]["data"]:
                self.objects["subscription_item"][item["id"]] = item
        for delivery in self.deliveries.values():
            delivery["due"] = 0.0  # the times of the process before mean nothing now

    def save(self, file: Path) -> None:
        new_file = file.with_suffix(".new")
        new_file.write_text(json.dumps({name: getattr(self, name) for name in KEPT}))
        new_file.replace(file)
        self.changed = False

    def now(self) -> int:
        """The sandbox's time, in seconds since 1970; within an advance, the moment that is being played."""
        return self.at if self.at is not None else int(time.time()) + self.offset

    def add(self, kind: str, **values: Any) -> dict[str, Any]:
        self.sequence += 1
        values.setdefault("id", f"{PREFIXES[kind]}_{secrets.token_hex(10)}")
        if "created" in OBJECTS[kind]["properties"]:
            values.setdefault("created", self.now())
        made = new(kind, **values, _seq=self.sequence)
        self.objects[kind][made["id"]] = made
        self.changed = True
        return made

    def get(self, kind: str, key: str | None) -> dict[str, Any] | None:
        return self.objects[kind].get(key or "")

    def need(self, kind: str, key: str, param: str = "id") -> dict[str, Any]:
        found = self.objects[kind].get(key)
        if found is None or (found.get("deleted") and param != "id"):
            raise missing(kind, key, param)
        return found

    def all(self, kind: str, **wanted: Any) -> list[dict[str, Any]]:
        return [
            one for one in self.objects[kind].values() if all(one.get(name) == value for name, value in wanted.items())
        ]

    def change(self, found: dict[str, Any], event: str = "", **values: Any) -> None:
        """The object has these values; the event tells which ones it had before."""
        before = {name: copy.deepcopy(found.get(name)) for name, value in values.items() if found.get(name) != value}
        found.update(values)
        self.changed = True
        if event and before:
            self.emit(event, found, before)

    def emit(self, kind: str, about: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        data: dict[str, Any] = {"object": public(about)}
        if before and kind.endswith(".updated"):
            data["previous_attributes"] = before
        endpoints = [
            one
            for one in self.all("webhook_endpoint", status="enabled")
            if "*" in one["enabled_events"] or kind in one["enabled_events"]
        ]
        event = self.add(
            "event",
            type=kind,
            data=copy.deepcopy(data),
            api_version=API_VERSION,
            pending_webhooks=len(endpoints),
            request=dict(self.request),
        )
        for endpoint in endpoints:
            self.plan_delivery(event["id"], endpoint["id"])

    def plan_delivery(self, event: str, endpoint: str) -> dict[str, Any]:
        key = f"dlv_{secrets.token_hex(8)}"
        self.deliveries[key] = {
            "id": key,
            "event": event,
            "endpoint": endpoint,
            "status": "pending",
            "attempts": [],
            "due": 0.0,
        }
        self.changed = True
        return self.deliveries[key]

    def page(self, found: list[dict[str, Any]], params: dict[str, Any], url: str) -> dict[str, Any]:
        """Newest first, as Stripe lists. Source: https://docs.stripe.com/api/pagination"""
        found = sorted(found, key=lambda one: (one["created"], one["_seq"]), reverse=True)
        created = params.get("created")
        if isinstance(created, int):
            found = [one for one in found if one["created"] == created]
        elif created:
            tests = {
                "gt": lambda at, than: at > than,
                "gte": lambda at, than: at >= than,
                "lt": lambda at, than: at < than,
                "lte": lambda at, than: at <= than,
            }
            found = [one for one in found if all(tests[op](one["created"], than) for op, than in created.items())]
        limit = params.get("limit", 10)
        if not 1 <= limit <= 100:
            raise invalid("This value must be between 1 and 100.", param="limit")
        ids = [one["id"] for one in found]
        if after := params.get("starting_after"):
            if after not in ids:
                raise missing("object", after, "starting_after")
            found = found[ids.index(after) + 1 :]
        elif before := params.get("ending_before"):
            if before not in ids:
                raise missing("object", before, "ending_before")
            found = found[: ids.index(before)]
            return listed(found[-limit:], url, more=len(found) > limit)
        return listed(found[:limit], url, more=len(found) > limit)

    def expand(self, found: dict[str, Any], paths: list[str]) -> dict[str, Any]:
        """A copy in which the named ids are objects. Source: https://docs.stripe.com/expand"""
        shown = public(found)
        if shown.get("deleted"):
            return shown
        for path in paths:
            parts = path.split(".")
            if len(parts) > 4 + (parts[0] == "data"):
                raise invalid("You cannot expand more than 4 levels of a property.", param="expand[0]")
            self._expand(shown, parts, path)
        return shown

    def _expand(self, node: Any, parts: list[str], path: str) -> None:
        if isinstance(node, list):
            for one in node:
                self._expand(one, parts, path)
            return
        if not isinstance(node, dict):
            return
        name, rest = parts[0], parts[1:]
        if node.get("object") == "invoice" and name == "payments" and "payments" not in node:
            payments = self.all("invoice_payment", invoice=node["id"])
            url = f"/v1/invoice_payments?invoice={node['id']}"
            node["payments"] = listed([public(one) for one in payments], url, more=False)
        if name not in node or not (rest or name in _expandable(node)):
            raise invalid(f"This property cannot be expanded ({path}).", param="expand[0]")
        value = node[name]
        if isinstance(value, str):
            target = self.get(KINDS.get(value.split("_", 1)[0], "event"), value)
            if target is None:
                raise invalid(f"This property cannot be expanded ({path}).", param="expand[0]")
            gone = target.get("deleted")
            node[name] = {k: target[k] for k in ("id", "object", "deleted")} if gone else public(target)
        if rest:
            self._expand(node[name], rest, path)


def _expandable(node: dict[str, Any]) -> set[str]:
    """The fields of this object that may be expanded; a part of an object tells by what it holds."""
    if schema := OBJECTS.get(node.get("object", "")):
        return {*schema.get("x-expandableFields", ()), *(name for kind, name in INCLUDABLE if kind == node["object"])}
    return set(node)


def listed(data: list[dict[str, Any]], url: str, *, more: bool) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": more, "url": url}


def public(found: Any) -> Any:
    """A copy without what the sandbox keeps for itself."""
    if isinstance(found, dict):
        return {key: public(value) for key, value in found.items() if not key.startswith("_")}
    if isinstance(found, list):
        return [public(one) for one in found]
    return found


def add_interval(start: int, recurring: dict[str, Any], times: int) -> int:
    """``start`` plus so many intervals; a month keeps the day, or ends on its last."""
    count = recurring["interval_count"] * times
    days = {"day": 1, "week": 7}.get(recurring["interval"])
    if days:
        return start + count * days * 86_400
    at = datetime.fromtimestamp(start, UTC)
    months = at.month - 1 + count * (12 if recurring["interval"] == "year" else 1)
    year, month = at.year + months // 12, months % 12 + 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp())
