"""A Stripe whose objects have no values but those that Stripe promises: by the schema, and without the sandbox.

``example`` makes an object of a kind. ``answering`` is an HTTP server that answers each request with such an object.
"""

import contextlib
import http.server
import json
import re
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox.kinds import PREFIXES
from stripe_sandbox.schema.load import DOCUMENT, INCLUDABLE, OBJECTS, response_schema

REFERENCE = "#/components/schemas/"
DEEPEST = 4


class Bare(StrEnum):
    """What is in a field that needs no value."""

    ABSENT = "absent"  # nothing: it is left out if it may be, and null if not
    NULL = "null"  # null if it may be, and left out if not
    FULL = "full"  # a value


@dataclass
class Builder:
    """Makes one object. ``expand`` are the places that the request expands, and ``without`` those without a value.

    ``may_lack`` has each field that needs no value: its place, what it is in, and whether it is null without a value.
    """

    bare: Bare = Bare.FULL
    expand: Collection[str] = ()
    without: Collection[str] = ()
    may_lack: list[tuple[str, dict[str, Any], str, bool]] = field(default_factory=list)

    def object(self, kind: str, place: str = "", depth: int = 0) -> dict[str, Any]:
        made = self.part(OBJECTS[kind], place, depth, kind)
        if isinstance(made.get("id"), str) and kind in PREFIXES:
            made["id"] = f"{PREFIXES[kind]}_1"  # other objects are asked for by it
        return made

    def part(self, schema: dict[str, Any], place: str, depth: int, kind: str = "") -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name, of_field in schema["properties"].items():
            here = f"{place}.{name}" if place else name
            wanted = any(one == here or one.startswith(f"{here}.") for one in self.expand)
            if name == "deleted" or ((kind, name) in INCLUDABLE and not wanted):
                continue
            required, nullable = name in schema.get("required", ()), of_field.get("nullable", False)
            if required and not nullable:
                made[name] = self.value(name, of_field, here, depth + 1)
                continue
            self.may_lack.append((here, made, name, required))
            has_value = wanted or (self.bare is Bare.FULL and depth < DEEPEST)
            if has_value and here not in self.without:
                made[name] = self.value(name, of_field, here, depth + 1)
            elif required or (nullable and self.bare is Bare.NULL):
                made[name] = None
        return made

    def value(self, name: str, schema: dict[str, Any], place: str, depth: int) -> Any:
        match schema:
            case {"anyOf": [{"type": "string"}, *others]}:
                expanded = place in self.expand or any(one.startswith(f"{place}.") for one in self.expand)
                return self.value(name, others[0], place, depth) if expanded else f"{name}_1"
            case {"anyOf": [first, *_]}:
                return self.value(name, first, place, depth)
            case {"$ref": reference}:
                return self.object(reference.removeprefix(REFERENCE), place, depth)
            case {"enum": [first, *_]}:
                return first
            case {"type": "array", "items": item}:
                return [self.value(name, item, place, depth)]
            case {"type": "object", "properties": {"object": {"enum": ["list" | "search_result" as page]}, "data": of}}:
                data = [self.value(name, of["items"], f"{place}.data", depth)]
                return {"object": page, "data": data, "has_more": False, "url": "/v1/things"}
            case {"type": "object", "properties": _}:
                return self.part(schema, place, depth)
            case {"type": "object"}:
                return {}
            case {"type": "string", "format": "decimal"}:
                return "1"
            case {"type": "string"}:
                return "usd" if name == "currency" else f"{name}_1"
            case {"type": "boolean"}:
                return True
            case {"type": "integer" | "number"}:
                return 1
        return {}


def example(kind: str, bare: Bare, expand: Collection[str] = ()) -> dict[str, Any]:
    return Builder(bare, expand).object(kind)


def each_without_one_value(kind: str, expand: Collection[str] = ()) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield an object without one of its values, for each value that it may lack, and the place of that value."""
    builder = Builder(expand=expand)
    whole = builder.object(kind)
    for place, part, name, is_null in builder.may_lack:
        if name not in part:
            continue
        value = part.pop(name)
        if is_null:
            part[name] = None
        yield place, whole
        part[name] = value


Answer = Callable[[str, str, list[str]], dict[str, Any]]


def answer(bare: Bare, always: Collection[str], without: Collection[str]) -> Answer:
    """Return a function that answers a request, given by its method, its path and what it expands."""

    def answered(method: str, path: str, expand: list[str]) -> dict[str, Any]:
        builder = Builder(bare, [*(one.removeprefix("data.") for one in expand), *always], without)
        template = next(
            one
            for one in sorted(DOCUMENT["paths"], key=lambda one: "{" in one)
            if method in DOCUMENT["paths"][one] and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)
        )
        declared = response_schema(method, template)
        if "$ref" in declared:
            return builder.object(declared["$ref"].removeprefix(REFERENCE))
        member = declared["properties"]["data"]["items"]
        return {
            "object": "list",
            "data": [builder.object(member["$ref"].removeprefix(REFERENCE))],
            "has_more": False,
            "url": path,
        }

    return answered


@contextlib.contextmanager
def answering(bare: Bare, always: Collection[str] = (), without: Collection[str] = ()) -> Iterator[str]:
    """Run a server whose objects are all as bare as this. Yields its address.

    ``always`` are places that have a value all the same, and ``without`` those that have none.
    """
    answered = answer(bare, always, without)

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            expand = [value for name, value in parse_qsl(f"{query}&{body}") if name.startswith("expand[")]
            content = json.dumps(answered(self.command.lower(), path, expand)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
