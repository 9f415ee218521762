"""The schema of Stripe's API. derive.py makes it from stripe-python and stores it as billing.json."""

import functools
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from stripe_sandbox.schema.parts import part_in

DOCUMENT = json.loads(Path(__file__).with_name("billing.json").read_text())
API_VERSION: str = DOCUMENT["info"]["version"]
OBJECTS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
EMPTY: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def _anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


OPERATIONS = {
    (method, _anonymous(path)): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


@functools.cache
def request_schema(method: str, path: str) -> dict[str, Any]:
    """Return the schema of one operation's parameters. Raises: LookupError if there is no such operation."""
    operation = OPERATIONS[method, _anonymous(path)]
    if "requestBody" in operation:
        return operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    query = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    return {
        "type": "object",
        "properties": {one["name"]: one["schema"] for one in query},
        "required": [one["name"] for one in query if one["required"]],
        "additionalProperties": False,
    }


def response_schema(method: str, path: str) -> dict[str, Any]:
    """Return the schema of one operation's answer. Raises: LookupError if there is no such operation."""
    return OPERATIONS[method, _anonymous(path)]["responses"]["200"]["content"]["application/json"]["schema"]


INCLUDABLE = {
    ("charge", "refunds"),
    ("checkout.session", "line_items"),
    ("customer", "sources"),
    ("customer", "subscriptions"),
    ("customer", "tax_ids"),
    ("invoice", "payments"),
}


def new(kind: str, **values: Any) -> dict[str, Any]:
    """Make a row with every field of its kind. A field without a value is null or empty; a view may leave it out."""
    template, containers = _template(kind)
    return template | {name: empty.copy() for name, empty in containers.items()} | {"_kind": kind} | values


@functools.cache
def _template(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of a new object, and the empty lists and dicts that each object must have for itself."""
    schema = OBJECTS[kind]
    required = {*schema.get("required", ()), "object"}
    fields = {
        name: _empty(field) if name in required and not field.get("nullable") else None
        for name, field in schema["properties"].items()
        if name in required or (name != "deleted" and (kind, name) not in INCLUDABLE)
    }
    return fields, {name: empty for name, empty in fields.items() if isinstance(empty, list | dict)}


class Shape(NamedTuple):
    """How an object, or a part of it, shows the fields that have no value."""

    left_out: frozenset[str]
    nulls: dict[str, None]
    parts: dict[str, "Shape"]


WITHOUT_SHAPE = Shape(frozenset(), {}, {})
"""The shape of what has no fields of its own, such as metadata."""


@functools.cache
def shape_of(kind: str) -> Shape:
    """Return the shape of this kind of object."""
    return _shape(OBJECTS[kind])


def _shape(schema: dict[str, Any]) -> Shape:
    fields, required = schema["properties"], schema.get("required", ())
    return Shape(
        left_out=frozenset(name for name in fields if name not in required and not fields[name].get("nullable")),
        nulls={name: None for name in required if fields[name].get("nullable")},
        parts={name: _shape(part) for name, field in fields.items() if (part := part_in(field))},
    )


def _empty(field: dict[str, Any]) -> Any:
    return field["enum"][0] if "enum" in field else EMPTY.get(field.get("type", ""))
