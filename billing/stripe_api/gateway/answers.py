"""Reading answers."""

from typing import Any

from billing import errors
from billing.stripe_api import client

PAGE = 100


def page(path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The newest hundred."""
    return client.get(path, {**params, "limit": PAGE})["data"]


def after(path: str, params: dict[str, Any], cursor: str) -> tuple[list[dict[str, Any]], str]:
    """A hundred, from the one after ``cursor`` on, and the cursor of the next; empty after the last."""
    given = {**params, "limit": PAGE} | ({"starting_after": cursor} if cursor else {})
    page = client.get(path, given)
    return page["data"], page["data"][-1]["id"] if page["has_more"] and page["data"] else ""


def has_made(path: str, params: dict[str, Any], *, operation: str) -> bool:
    """Whether one of the newest hundred is of this operation. A deleted customer has none, nor a list of them."""
    try:
        listed = page(path, params)
    except errors.StripeObjectMissing:
        return False
    return any((data.get("metadata") or {}).get("operation") == operation for data in listed)


def complete(listed: dict[str, Any]) -> None:
    """A list that came within an object holds all its members, also those that Stripe left off."""
    while listed["has_more"]:
        after = {"starting_after": listed["data"][-1]["id"], "limit": PAGE}
        more = client.get(listed["url"], after)
        listed["data"] += more["data"]
        listed["has_more"] = more["has_more"]


def one(path: str, params: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return client.get(path, params)
    except errors.StripeObjectMissing:
        return None


def identity_of(answer: dict[str, Any]) -> str:
    return str(answer["id"])
