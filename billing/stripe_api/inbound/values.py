"""Reading what is in every object of Stripe: times, ids and metadata."""

from datetime import UTC, datetime
from typing import Any

from billing.stripe_api import outbound_list


def time_or_none(epoch: int | None) -> datetime | None:
    return datetime.fromtimestamp(epoch, UTC) if epoch is not None else None


def time_of(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def identity(value: Any) -> str:
    """Return the id of an object that is given as an id, expanded, or absent (then "")."""
    if isinstance(value, dict):
        return str(value.get("id") or "")
    return value or ""


def ours(data: dict[str, Any]) -> dict[str, str]:
    """Return our own keys of an object's metadata. What a person typed there in the dashboard is dropped."""
    return {key: value for key, value in (data.get("metadata") or {}).items() if key in outbound_list.METADATA}
