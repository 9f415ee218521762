"""Form parameters: bracket names to nested values, checked and typed by the derived schema."""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox.errors import StripeError, invalid

NAME = re.compile(r"\[([^\]]*)\]")


def decoded(raw: str) -> dict[str, Any]:
    """``a[b][0][c]=x`` → ``{"a": {"b": {"0": {"c": "x"}}}}``"""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        head, *rest = [name.split("[", 1)[0], *NAME.findall(name)]
        node, key = tree, head
        for part in rest:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise invalid(f"Invalid parameter: {name}", param=name)
            key = part if part != "" else str(len(node))
        node[key] = value
    return tree


def typed(tree: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The parameters with their types. Raises StripeError as Stripe does for unknown and wrong ones."""
    return _value(tree, schema, "")


def _value(given: Any, schema: dict[str, Any], name: str) -> Any:
    if "anyOf" in schema:
        return _any_of(given, schema["anyOf"], name)
    kind = schema.get("type")
    if kind == "object":
        return _object(given, schema, name)
    if kind == "array":
        if not isinstance(given, dict):
            if given == "":
                return []
            raise invalid("Invalid array", param=name)
        return [_value(one, schema.get("items", {}), f"{name}[{key}]") for key, one in given.items()]
    if isinstance(given, dict):
        if not kind:
            return given
        raise invalid(f"Invalid {kind}: expected a single value", param=name)
    return _scalar(given, schema, kind, name)


def _scalar(given: str, schema: dict[str, Any], kind: str | None, name: str) -> Any:
    if "enum" in schema and given not in schema["enum"]:
        allowed = ", ".join(one or "empty" for one in schema["enum"])
        raise invalid(f"Invalid {name}: must be one of {allowed}", param=name)
    if kind == "integer":
        if not re.fullmatch(r"-?\d+", given):
            raise invalid(f"Invalid integer: {given}", param=name, code="parameter_invalid_integer")
        return int(given)
    if kind == "number":
        try:
            return float(given)
        except ValueError:
            raise invalid(f"Invalid decimal: {given}", param=name) from None
    if kind == "boolean":
        if given.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {given}", param=name)
        return given.lower() == "true"
    return given


def _object(given: Any, schema: dict[str, Any], name: str) -> dict[str, Any]:
    if given == "":
        return {}
    if not isinstance(given, dict):
        raise invalid("Invalid object", param=name)
    fields, rest = schema.get("properties", {}), schema.get("additionalProperties")
    found = {}
    for key, value in given.items():
        full = f"{name}[{key}]" if name else key
        if key in fields:
            found[key] = _value(value, fields[key], full)
        elif isinstance(rest, dict):
            found[key] = _value(value, rest, full)
        else:
            raise invalid(f"Received unknown parameter: {full}", param=full, code="parameter_unknown")
    for key in schema.get("required", ()):
        if key not in found:
            full = f"{name}[{key}]" if name else key
            raise invalid(f"Missing required param: {full}.", param=full, code="parameter_missing")
    return found


def _any_of(given: Any, options: list[dict[str, Any]], name: str) -> Any:
    first: StripeError | None = None
    for option in options:
        try:
            return _value(given, option, name)
        except StripeError as error:
            first = error if first is None or "enum" not in option else first
    raise first or invalid("Invalid parameter", param=name)
