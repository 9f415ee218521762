"""Compares what the local Stripe shows with the schema. It reports every difference by kind and field.

``jsonschema_rs`` is imported with the first check, so that a server without checks does not need it.
"""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stripe_sandbox.schema.load import OBJECTS, response_schema

if TYPE_CHECKING:
    from jsonschema_rs import Validator

LONGEST = 200
REFERENCE = "#/components/schemas/"
DELETABLE = frozenset(kind for kind, schema in OBJECTS.items() if "deleted" in schema["properties"])
READABLE_WHEN_DELETED = frozenset({"customer"})
PAGES = {
    "list": response_schema("get", "/v1/customers"),
    "search_result": response_schema("get", "/v1/customers/search"),
}


def faults(shown: dict[str, Any]) -> list[str]:
    """List how the object, or each object in a page, differs from its schema. The list is empty if nothing differs.

    A deleted object may be shown in its short form. An event is checked together with the object that it contains.
    """
    kind = shown.get("object")
    if kind not in PAGES and (kind not in OBJECTS or kind == "error"):
        return [f"{kind!r} is not an object that the schema describes"]
    found = list(_deviations(str(kind), shown))
    if found:
        return found
    if kind in PAGES:
        return [fault for member in shown["data"] for fault in faults(member)]
    carried = shown["data"]["object"] if kind == "event" else {}
    return [f"{shown['type']}: {fault}" for fault in faults(carried)] if "object" in carried else []


def response_faults(method: str, path_template: str, body: dict[str, Any]) -> list[str]:
    """List how the body differs from the operation's answer. The path's parameters may have any name.

    A deletion is answered with the deleted object, if the kind has a form for it. Nothing else is, except reading a
    deleted customer.

    Raises:
        LookupError: the schema has no such operation.
    """
    declared = response_schema(method, path_template)
    if "properties" not in declared:
        return _answer_faults(method, declared, body)
    fields = declared["properties"]
    page = fields["object"]["enum"][0]
    if body.get("object") != page:
        return [f"{body.get('object')!r} where a {page} is due"]
    found = list(_deviations(page, body))
    return found or [fault for one in body["data"] for fault in _answer_faults("list", fields["data"]["items"], one)]


def error_faults(body: dict[str, Any]) -> list[str]:
    """List how the body of a refusal differs from the schema of errors."""
    return list(_deviations("error", body))


def _answer_faults(action: str, declared: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """List the faults of one object that is the answer, or is in a page of the answer."""
    due = declared.get("$ref", "").removeprefix(REFERENCE)
    if not due:  # the schema does not describe this object
        return []
    if shown.get("object") != due:
        return [f"{shown.get('object')!r} where a {due} is due"]
    deleted = "deleted" in shown
    if action == "delete" and due in DELETABLE and not deleted:
        return [f"{due}: in full where it was deleted"]
    if deleted and not (action == "delete" or (action == "get" and due in READABLE_WHEN_DELETED)):
        return [f"{due}: deleted, where it is due in full"]
    return faults(shown)


def _deviations(kind: str, shown: dict[str, Any]) -> Iterator[str]:
    for error in _validator().iter_errors({kind: shown}):
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        yield f"{where[1:]}: {error.message[:LONGEST]}"


@functools.cache
def _validator() -> "Validator":
    """Make one validator for all kinds, because each refers to most others. An object stands under its kind's name."""
    import jsonschema_rs

    schemas = _components()
    kinds = {kind: {"$ref": REFERENCE + kind} for kind in schemas}
    return jsonschema_rs.Draft202012Validator({"properties": kinds, "components": {"schemas": schemas}})


@functools.cache
def _components() -> dict[str, Any]:
    """Return the schemas of all objects, and of pages of objects of any kind."""
    objects = {kind: _or_deleted(kind, json_schema(schema)) for kind, schema in OBJECTS.items()}
    pages = {kind: json_schema(schema) for kind, schema in PAGES.items()}
    for page in pages.values():
        page["properties"]["data"]["items"] = {"type": "object"}
    return objects | pages


def _or_deleted(kind: str, full: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the full object or, if ``deleted`` is there, of the deleted object.

    It is a stub. Only a deleted discount keeps its fields, but for its end.
    Source: https://docs.stripe.com/api/discounts/delete
    """
    if kind not in DELETABLE:
        return full
    kept = full["properties"].keys() - {"end"} if kind == "discount" else {"id", "object"}
    fields = {name: full["properties"][name] for name in kept} | {"deleted": {"const": True}}
    deleted = {"type": "object", "properties": fields, "required": sorted(fields), "additionalProperties": False}
    return {"if": {"type": "object", "required": ["deleted"]}, "then": deleted, "else": full}


def json_schema(openapi: Any) -> Any:
    """Convert OpenAPI 3.0's dialect to JSON Schema. An object may have only the declared fields.

    If a value may be null, or an id in place of the object, that is checked first. So a fault deep inside an object
    is reported as that fault. Without this, the report would only say that none of the alternatives matches.
    """
    if isinstance(openapi, list):
        return [json_schema(one) for one in openapi]
    if not isinstance(openapi, dict):
        return openapi
    nullable = openapi.get("nullable") is True
    schema = {key: json_schema(value) for key, value in openapi.items() if not (nullable and key == "nullable")}
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    simple = ["null"] if nullable else []
    match schema:
        case {"anyOf": [{"type": "string"}, *others]}:
            return {"if": {"type": [*simple, "string"]}, "else": {"anyOf": others} if len(others) > 1 else others[0]}
    return {"if": {"type": simple}, "else": schema} if simple else schema
