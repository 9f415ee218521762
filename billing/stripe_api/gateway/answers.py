"""Reading answers."""

from typing import Any

from stripe import StripeObject

from billing import errors
from billing.stripe_api import client, inbound

PAGE = 100


def page(path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest hundred."""
    return inbound.plain(client.get(path, {**params, "limit": PAGE}))["data"]


def one(path: str, params: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return inbound.plain(client.get(path, params))
    except errors.StripeObjectMissing:
        return None


def identity_of(answer: StripeObject) -> str:
    return str(answer["id"])
