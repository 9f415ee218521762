"""What the API's document promises to whoever calls it, one line for each promise, and which change breaks one.

Each field has its type and the values that it can have. “needs” is what must be sent: none may be added.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
METHODS = ("get", "post", "put", "patch", "delete")


def promises(document: Document) -> set[str]:
    of_addresses = set(_of_addresses(document))
    sent = {line.partition(" takes ")[2] for line in of_addresses}
    schemas = document["components"]["schemas"].items()
    return of_addresses | {line for name, said in schemas for line in _of(name, said, is_sent=name in sent)}


def broken(before: set[str], now: set[str]) -> list[str]:
    """Return what a program that was written for ``before`` relies on and is gone, and what it would not send."""
    known = {line.partition(":")[0].partition(".")[0] for line in before} | before
    gone = {line for line in before - now if " needs " not in line}
    needed = {line for line in now - before if " needs " in line and line.partition(" needs ")[0] in known}
    return sorted(f"gone: {line}" for line in gone) + sorted(f"new: {line}" for line in needed)


def _of_addresses(document: Document) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method not in item:
                continue
            name, said = f"{method.upper()} {path}", item[method]
            yield name
            for content in said.get("requestBody", {}).get("content", {}).values():
                yield f"{name} takes {_kind(content['schema'])}"
            if said.get("requestBody", {}).get("required"):
                yield f"{name} needs a body"
            for one in said.get("parameters", ()):
                yield f"{name} knows {one['in']} {one['name']}: {_kind(one['schema'])}"
                yield from (f"{name} {one['name']} can be {value}" for value in one["schema"].get("enum", ()))
                if one.get("required"):
                    yield f"{name} needs {one['name']}"
            for code, answer in said["responses"].items():
                if code < "400":
                    for media, content in answer.get("content", {"nothing": {}}).items():
                        yield f"{name} gives {code} {media} {_kind(content.get('schema', {}))}"


def _of(name: str, said: Document, *, is_sent: bool) -> Iterator[str]:
    yield from (f"{name} can be {value}" for value in said.get("enum", ()))
    for field, about in said.get("properties", {}).items():
        yield f"{name}.{field}: {_kind(about)}"
        yield from (f"{name}.{field} can be {value}" for value in about.get("enum", ()))
    if is_sent:
        yield from (f"{name} needs {field}" for field in said.get("required", ()))


def _kind(schema: Document) -> str:
    """Return what a value is, in a few words: Money, Money or null, string date-time, list of Office."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for together in ("allOf", "oneOf", "anyOf"):
        if together in schema:
            return " or ".join(_kind(one) for one in schema[together])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    words = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{words} {schema['format']}" if "format" in schema else words
