"""Form parameters: names with brackets become nested values, checked and typed by the derived schema."""

import re
from typing import Any
from urllib.parse import parse_qsl

from stripe_sandbox import currencies
from stripe_sandbox.errors import StripeError, invalid, required

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 20
INTEGER = re.compile(r"-?[0-9]{1,20}")
DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
MOST_AMOUNT = 99_999_999
LATEST = 2**33  # seconds since 1970, in the year 2242
AMOUNTS = "amount amount_off amount_refunded amount_to_capture balance credit_amount out_of_band_amount refund_amount"
TIMES = (
    "automatically_finalizes_at billing_cycle_anchor cancel_at due_date effective_at end expires_at frozen_time "
    "proration_date redeem_by resumes_at start timestamp trial_end"
)
RANGES: dict[str, tuple[int, int]] = {
    # by the last name of an integer parameter
    **dict.fromkeys(AMOUNTS.split(), (-MOST_AMOUNT, MOST_AMOUNT)),
    **dict.fromkeys(TIMES.split(), (0, LATEST)),
    "quantity": (0, 999_999),
    "trial_period_days": (0, 730),
    "duration_in_months": (1, 120),
}
CURRENCY_NAMES = {"currency", "minimum_amount_currency"}
CURRENCY_KEYS = {"currency_options"}
IN_CURRENCY = ("amount", "amount_off", "minimum_amount", "unit_amount")
"""The amounts that stand next to their currency."""


class Unnamed(str):
    """The key of a list member that was given as ``[]``."""

    __slots__ = ()


def decoded(raw: str) -> dict[str, Any]:
    """Decode a form: ``a[b][0][c]=x`` becomes ``{"a": {"b": {"0": {"c": "x"}}}}``."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        match = NAME.fullmatch(name)
        parts = PART.findall(match[2]) if match else []
        if match is None or len(parts) > DEEPEST:
            raise invalid(f"Invalid parameter name: {name[:200]}", param=name[:200])
        node, key = tree, match[1]
        for part in parts:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise invalid(f"Invalid parameter: {name}", param=name)
            key = part if part != "" else Unnamed(len(node))
        node[key] = value
    return tree


def typed(tree: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters with their types. Raises: StripeError for unknown and wrong ones, as Stripe does."""
    return _value(tree, schema, "")


def named(holder: str, name: str) -> str:
    """Return the full name of a parameter inside ``holder``, which may be empty."""
    return f"{holder}[{name}]" if holder else name


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
        if not INTEGER.fullmatch(given):
            raise invalid(f"Invalid integer: {given}", param=name, code="parameter_invalid_integer")
        return _in_range(int(given), name)
    if kind == "number" or schema.get("format") == "decimal":
        if not DECIMAL.fullmatch(given):
            raise invalid(f"Invalid decimal: {given}", param=name)
        return float(given) if kind == "number" else given
    if kind == "boolean":
        if given.lower() not in ("true", "false"):
            raise invalid(f"Invalid boolean: {given}", param=name)
        return given.lower() == "true"
    return _currency(given, name) if _last(name) in CURRENCY_NAMES else given


def _in_range(given: int, name: str) -> int:
    least, most = RANGES.get(_last(name), (given, given))
    if not least <= given <= most:
        code = "amount_too_large" if most == MOST_AMOUNT else "parameter_invalid_integer"
        raise invalid(f"Invalid {name}: must be from {least} to {most}.", param=name, code=code)
    return given


def _currency(given: str, name: str) -> str:
    if given.lower() not in currencies.CURRENCIES:
        raise invalid(f"Invalid currency: {given.lower()}.", param=name)
    return given.lower()


def _last(name: str) -> str:
    return name.rpartition("[")[2].rstrip("]")


def _object(given: Any, schema: dict[str, Any], name: str) -> dict[str, Any]:
    if given == "":
        return {}
    if not isinstance(given, dict) or any(isinstance(key, Unnamed) for key in given):
        raise invalid("Invalid object", param=name)
    fields, rest = schema.get("properties", {}), schema.get("additionalProperties")
    found = {}
    for given_key, value in given.items():
        full = named(name, given_key)
        key = _currency(given_key, full) if _last(name) in CURRENCY_KEYS else given_key
        if key in fields:
            found[key] = _value(value, fields[key], full)
        elif isinstance(rest, dict):
            found[key] = _value(value, rest, full)
        else:
            raise invalid(f"Received unknown parameter: {full}", param=full, code="parameter_unknown")
    for key in schema.get("required", ()):
        if key not in found:
            raise required(named(name, key))
    _check_amounts(found, name)
    if _last(name) == "period" and _ends_before(found):
        raise invalid("Invalid period: its start must not be after its end.", param=named(name, "end"))
    return found


def _check_amounts(found: dict[str, Any], name: str) -> None:
    """Refuse amounts that their currency does not have."""
    outer = found.get("currency", found.get("minimum_amount_currency"))
    for currency, values, holder in [(outer, found, name)] + [
        (key, value, named(named(name, "currency_options"), key))
        for key, value in found.get("currency_options", {}).items()
    ]:
        for field in IN_CURRENCY:
            if currency and isinstance(values.get(field), int):
                currencies.check(values[field], currency, named(holder, field))


def _ends_before(period: dict[str, Any]) -> bool:
    start, end = period.get("start"), period.get("end")
    return isinstance(start, int) and isinstance(end, int) and start > end


def _any_of(given: Any, options: list[dict[str, Any]], name: str) -> Any:
    first: StripeError | None = None
    if any(option.get("type") == "integer" for option in options):  # then a text must be one of the listed values
        options = [option for option in options if option != {"type": "string"}]
    for option in options:
        try:
            return _value(given, option, name)
        except StripeError as error:
            first = error if first is None or "enum" not in option else first
    raise first or invalid("Invalid parameter", param=name)
