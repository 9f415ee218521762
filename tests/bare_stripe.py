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

from stripe_sandbox.schema.load import DOCUMENT, INCLUDABLE, OBJECTS, OPERATIONS, response_schema

REFERENCE = "#/components/schemas/"
DEEPEST = 8


class Bare(StrEnum):
    """What is in a field that needs no value."""

    ABSENT = "absent"  # nothing: it is left out if it may be, and null if not
    NULL = "null"  # null if it may be, and left out if not
    FULL = "full"  # a value


@dataclass
class Builder:
    """Makes one object. ``without`` is the place of a single field that has no value, in an object with all others.

    ``expand`` are the places that the request expands. Afterwards, ``may_lack`` has each place that needs no value.
    """

    bare: Bare = Bare.FULL
    expand: Collection[str] = ()
    without: str = ""
    may_lack: list[str] = field(default_factory=list)

    def object(self, kind: str, place: str = "", depth: int = 0) -> dict[str, Any]:
        return self.part(OBJECTS[kind], place, depth, kind)

    def part(self, schema: dict[str, Any], place: str, depth: int, kind: str = "") -> dict[str, Any]:
        made = {}
        for name, of_field in schema["properties"].items():
            here = f"{place}.{name}" if place else name
            if name == "deleted" or ((kind, name) in INCLUDABLE and here not in self.expand):
                continue
            required, nullable = name in schema.get("required", ()), of_field.get("nullable", False)
            if not required or nullable:
                self.may_lack.append(here)
                bare = self.bare if here != self.without else Bare.ABSENT
                wanted = here in self.expand and here != self.without
                if (bare is Bare.FULL and (depth < DEEPEST or required)) or wanted:
                    pass
                elif required or (nullable and bare is Bare.NULL):
                    made[name] = None
                    continue
                else:
                    continue
            made[name] = self.value(name, of_field, here, depth + 1)
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
    """Yield the object with all values but one, for each value that it may lack, and the place of that value."""
    full = Builder(expand=expand)
    full.object(kind)
    for place in full.may_lack:
        yield place, Builder(expand=expand, without=place).object(kind)


Answer = Callable[[str, str, list[str]], dict[str, Any]]


def answer(bare: Bare, always: Collection[str]) -> Answer:
    """Return a function that answers a request, given by its method, its path and what it expands."""

    def answered(method: str, path: str, expand: list[str]) -> dict[str, Any]:
        expand = [*(one.removeprefix("data.") for one in expand), *always]
        template = next(
            one
            for one in sorted(DOCUMENT["paths"], key=lambda one: "{" in one)
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path) and (method, re.sub(r"\{\w+\}", "{}", one)) in OPERATIONS
        )
        declared = response_schema(method, template)
        if "$ref" in declared:
            return example(declared["$ref"].removeprefix(REFERENCE), bare, expand)
        builder = Builder(bare, expand)
        member = declared["properties"]["data"]["items"]
        return {
            "object": "list",
            "data": [builder.object(member["$ref"].removeprefix(REFERENCE))],
            "has_more": False,
            "url": path,
        }

    return answered


@contextlib.contextmanager
def answering(bare: Bare, always: Collection[str] = ()) -> Iterator[str]:
    """Run a server whose objects are all as bare as this, but for what is ``always`` there. Yields its address."""
    answered = answer(bare, always)

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
