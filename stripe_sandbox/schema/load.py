"""The schema of Stripe's API, derived from stripe-python by derive.py and kept as billing.json."""

import functools
import json
import re
from pathlib import Path
from typing import Any

DOCUMENT = json.loads(Path(__file__).with_name("billing.json").read_text())
API_VERSION: str = DOCUMENT["info"]["version"]
OBJECTS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
EMPTY = {"string": "", "integer": 0, "number": 0, "boolean": False, "array": [], "object": {}}


def _anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


OPERATIONS = {
    (method, _anonymous(path)): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


@functools.cache
def request_schema(method: str, path: str) -> dict[str, Any]:
    """The JSON schema of the parameters of one operation."""
    operation = OPERATIONS.get((method, _anonymous(path)), {})
    if "requestBody" in operation:
        return operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    query = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    return {
        "type": "object",
        "properties": {one["name"]: one["schema"] for one in query},
        "required": [one["name"] for one in query if one["required"]],
        "additionalProperties": False,
    }


INCLUDABLE = {("invoice", "payments"), ("customer", "subscriptions"), ("customer", "sources"), ("customer", "tax_ids")}


def new(kind: str, **values: Any) -> dict[str, Any]:
    """An object of today's shape: every field is there, null or empty where no value is given."""
    schema = OBJECTS[kind]
    required = set(schema.get("required", ()))
    built: dict[str, Any] = {}
    for name, field in schema["properties"].items():
        if name in values:
            built[name] = values[name]
        elif name == "object":
            built[name] = kind
        elif name == "livemode":
            built[name] = False
        elif name in required:
            empty = EMPTY.get(field.get("type", ""))
            built[name] = field["enum"][0] if field.get("enum") else _copy(empty)
        elif name != "deleted" and (kind, name) not in INCLUDABLE:
            built[name] = None
    return built | values


def _copy(empty: Any) -> Any:
    return type(empty)(empty) if isinstance(empty, list | dict) else empty
