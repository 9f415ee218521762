"""What the local Stripe shows, held against the schema: every deviation, by kind and field.

``jsonschema_rs`` is imported with the first check, so that a server which checks nothing does not need it.
"""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stripe_sandbox.schema.load import OBJECTS, response_schema

if TYPE_CHECKING:
    from jsonschema_rs import Validator

LONGEST = 200
REFERENCE = "#/components/schemas/"
# What is left of a deleted object is a stub; a deleted discount keeps its shape.
STUBBED = frozenset(kind for kind, schema in OBJECTS.items() if "deleted" in schema["properties"]) - {"discount"}
READABLE_WHEN_DELETED = frozenset({"customer"})
PAGES = {
    "list": response_schema("get", "/v1/customers"),
    "search_result": response_schema("get", "/v1/customers/search"),
}


def faults(shown: dict[str, Any]) -> list[str]:
    """How the object, or any member of a page of them, deviates from its schema; nothing where it conforms.

    The stub of a deleted object conforms. An event is checked with the object that it carries.
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
    """How the body deviates from what the operation answers with; the path's parameters may have any name.

    Deleting answers with a stub, where the kind has one. Nothing else does, except reading a deleted customer.

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
    """How the body of a refusal deviates from the schema of errors."""
    return list(_deviations("error", body))


def _answer_faults(action: str, declared: dict[str, Any], shown: dict[str, Any]) -> list[str]:
    """The faults of one object that is answered with, or is listed in a page."""
    due = declared.get("$ref", "").removeprefix(REFERENCE)
    if not due:  # an object of which the schema tells nothing
        return []
    if shown.get("object") != due:
        return [f"{shown.get('object')!r} where a {due} is due"]
    deleted = "deleted" in shown
    if action == "delete" and due in STUBBED and not deleted:
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
    """Of an object under the name of its kind: one for all kinds, because each refers to most of the others."""
    import jsonschema_rs

    schemas = _components()
    kinds = {kind: {"$ref": REFERENCE + kind} for kind in schemas}
    return jsonschema_rs.Draft202012Validator({"properties": kinds, "components": {"schemas": schemas}})


@functools.cache
def _components() -> dict[str, Any]:
    """The schemas of all objects, and of pages of objects of any kind."""
    objects = {kind: _with_stub(kind, json_schema(schema)) for kind, schema in OBJECTS.items()}
    pages = {kind: json_schema(schema) for kind, schema in PAGES.items()}
    for page in pages.values():
        page["properties"]["data"]["items"] = {"type": "object"}
    return objects | pages


def _with_stub(kind: str, full: dict[str, Any]) -> dict[str, Any]:
    """The object in full or, where ``deleted`` is there, the stub that is left of it."""
    if kind not in STUBBED:
        return full
    fields = {name: full["properties"][name] for name in ("id", "object")} | {"deleted": {"const": True}}
    stub = {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
    return {"if": {"type": "object", "required": ["deleted"]}, "then": stub, "else": full}


def json_schema(openapi: Any) -> Any:
    """OpenAPI 3.0's dialect as JSON Schema, where an object has no fields but those that are declared.

    What may be null, or the id of what it would be in full, is asked for that first: so a deviation deep inside is
    told as what it is, and not as none of several alternatives.
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
