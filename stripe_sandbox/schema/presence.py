"""Derives presence.json: what Stripe shows in a field that has no value. It is null there, or it is left out.

stripe-python says ``Optional`` for both. stripe-node's types (MIT, "File generated from our OpenAPI spec") tell them
apart: ``field?: T`` may be left out, ``field: T | null`` may be null. Run this module after an upgrade of
stripe-python, with the types of the stripe-node that has the same API version, and derive the schema again after it:

    npm pack stripe@22.6.1 && tar -xzf stripe-22.6.1.tgz
    python -m stripe_sandbox.schema.presence package && python -m stripe_sandbox.schema.derive
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from stripe_sandbox.schema.parts import Schema, part_in

STORED = Path(__file__).with_name("presence.json")
LEFT_OUT, NULL_OR_LEFT_OUT, ALWAYS = "left_out", "null_or_left_out", "always"
"""What presence.json says of a field of type ``Optional``. It does not name a field that is always there, or null.

``ALWAYS`` is a field that always has a value, although stripe-python says ``Optional``.
"""


@dataclass
class Declared:
    """What one name stands for in stripe-node's types: an interface with its fields, a namespace, or both."""

    around: "Declared | None" = None
    fields: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """Maps the name of a field to whether it may be left out, and its type."""
    inner: dict[str, Self] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Maps an imported name to the file that it comes from, and its name there."""


class Types:
    """The declarations of stripe-node, in the files of its package."""

    def __init__(self, package: Path) -> None:
        self.package = package
        self.files = {path: _declarations(path.read_text()) for path in sorted((package / "cjs").rglob("*.d.ts"))}

    def api_version(self) -> str:
        found = re.search(r"ApiVersion = '([^']+)'", (self.package / "cjs/apiVersion.js").read_text())
        if found is None:
            raise LookupError("apiVersion.js names no version")
        return found[1]

    def version(self) -> str:
        return json.loads((self.package / "package.json").read_text())["version"]

    def of_kind(self, kind: str) -> tuple[Path, Declared]:
        """Find the interface of this kind of object. Raises: LookupError."""
        for path, top in self.files.items():
            for one in top.inner.values():
                if one.fields.get("object") == (False, f"'{kind}'") and "true" not in one.fields.get("deleted", ()):
                    return path, one
        raise LookupError(kind)

    def named(self, annotation: str, path: Path, scope: Declared) -> tuple[Path, Declared]:
        """Find the only interface that a type names, such as ``Array<Charge.Level3>``. Raises: LookupError."""
        for name in re.findall(r"[A-Za-z_][\w.]*", annotation):
            if found := self._find(name.split("."), path, scope):
                return found
        raise LookupError(f"{path.name}: {annotation}")

    def _find(self, parts: list[str], path: Path, scope: Declared) -> tuple[Path, Declared] | None:
        around: Declared | None = scope
        while around and parts[0] not in around.inner:
            around = around.around
        if around:
            found = around.inner[parts[0]]
        elif parts[0] in self.files[path].imports:
            file, original = self.files[path].imports[parts[0]]
            path = (path.parent / file).resolve()
            if path not in self.files:
                return None
            found = self.files[path].inner[original]
        else:
            return None
        for part in parts[1:]:
            found = found.inner[part]
        return path, found


def presence(package: Path, objects: dict[str, Schema], api_version: str) -> Schema:
    """Return the content of presence.json for these schemas of objects, which were derived from stripe-python.

    Raises: LookupError if stripe-node has another API version, or does not know a kind or a field.
    """
    types = Types(package.resolve())
    if types.api_version() != api_version:
        raise LookupError(f"this stripe-node has the API version {types.api_version()}, not {api_version}")
    kinds = {}
    for kind, schema in sorted(objects.items()):
        told: dict[str, list[str]] = {LEFT_OUT: [], NULL_OR_LEFT_OUT: [], ALWAYS: []}
        for name, said in _told(types, schema, *types.of_kind(kind), ""):
            told[said].append(name)
        kinds[kind] = {said: sorted(names) for said, names in told.items() if names}
    return {
        "source": f"the types of stripe-node {types.version()} (npm, MIT), by stripe_sandbox.schema.presence",
        "api_version": api_version,
        "kinds": kinds,
    }


def told_apart(kind: str, schema: Schema, told: dict[str, list[str]]) -> Schema:
    """Change the schema of an object so that it tells its ``Optional`` fields apart. Raises: LookupError."""
    said_of = {name: said for said, names in told.items() for name in names}
    _tell_apart(schema, said_of, "")
    if said_of:
        raise LookupError(f"presence.json names fields that {kind} does not have: {', '.join(said_of)}")
    return schema


def _told(types: Types, schema: Schema, path: Path, declared: Declared, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each field that presence.json must name, by its dotted place in the object, and what it says of it."""
    required = schema.get("required", ())
    for name, of_field in schema["properties"].items():
        if prefix + name == "object":
            continue
        optional, annotation = declared.fields[name]
        nullable = re.search(r"\| null$", annotation) is not None
        if name in required and (optional or nullable):
            raise LookupError(f"{path.name}: stripe-python says that {prefix}{name} always has a value")
        if name not in required and (optional or not nullable):
            yield prefix + name, (NULL_OR_LEFT_OUT if nullable else LEFT_OUT) if optional else ALWAYS
        if part := part_in(of_field):
            yield from _told(types, part, *types.named(annotation, path, declared), f"{prefix}{name}.")


def _tell_apart(part: Schema, said_of: dict[str, str], prefix: str) -> None:
    """Change the schema of the part, and take from ``said_of`` what was said of its fields."""
    required = {*part.get("required", ())}
    for name, of_field in part["properties"].items():
        said = said_of.pop(prefix + name, None)
        if said in (LEFT_OUT, ALWAYS):
            of_field.pop("nullable", None)
        if said in (None, ALWAYS):
            required.add(name)
        if inner := part_in(of_field):
            _tell_apart(inner, said_of, f"{prefix}{name}.")
    if required:
        part["required"] = [name for name in part["properties"] if name in required]


def _declarations(text: str) -> Declared:
    """Read one file, which the TypeScript compiler wrote: one declaration or one field in each line."""
    at = top = Declared()
    for line in map(str.strip, re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL).splitlines()):
        if opened := re.match(r"(?:export )?(?:declare )?(?:interface|namespace|class) (\w+).*\{$", line):
            at = at.inner.setdefault(opened[1], Declared(at))
        elif line.endswith("{"):  # an object without a name
            if told := re.match(r"(\w+)(\??): ", line):
                at.fields[told[1]] = bool(told[2]), "{}"
            at = Declared(at)
        elif line.startswith("}"):
            at = at.around or top
        elif told := re.match(r"(\w+)(\??): (.+);$", line):
            at.fields[told[1]] = bool(told[2]), told[3]
        elif brought := re.match(r"import \{ (.+) \} from '(.+)\.js';$", line):
            for one in brought[1].split(", "):
                original, _, name = one.partition(" as ")
                top.imports[name or original] = f"{brought[2]}.d.ts", original
    return top


def main(package: str) -> None:
    from stripe_sandbox.schema.annotations import constant, object_schemas

    found = presence(Path(package), object_schemas(), constant("_api_version.py", "CURRENT"))
    STORED.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
