"""The schema of Stripe's API, derived from stripe-python by derive.py and kept as billing.json."""

import functools
import json
import re
from pathlib import Path
from typing import Any

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
    """The schema of the parameters of one operation. Raises LookupError where there is no such operation."""
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
    """The schema of what one operation answers with. Raises LookupError likewise."""
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
    """An object of today's shape: every field is there, null or empty where no value is given."""
    template, containers = _template(kind)
    return template | {name: empty.copy() for name, empty in containers.items()} | values


@functools.cache
def _template(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a new object, and those of them that each object needs a container of its own for."""
    schema = OBJECTS[kind]
    required = {*schema.get("required", ()), "object"}
    fields = {
        name: _empty(field) if name in required else None
        for name, field in schema["properties"].items()
        if name in required or (name != "deleted" and (kind, name) not in INCLUDABLE)
    }
    return fields, {name: empty for name, empty in fields.items() if isinstance(empty, list | dict)}


def _empty(field: dict[str, Any]) -> Any:
    return field["enum"][0] if "enum" in field else EMPTY.get(field.get("type", ""))
