"""Reading objects and lists from Stripe's answers."""

from collections.abc import Iterator
from typing import Any

from billing import errors
from billing.stripe_api import client

PAGE = 100


def page(path: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the newest hundred objects of the list."""
    return client.get(path, {**params, "limit": PAGE})["data"]


def after(path: str, params: dict[str, Any], cursor: str) -> tuple[list[dict[str, Any]], str]:
    """Return a hundred objects after ``cursor``, and the cursor of the next page (empty after the last)."""
    given = {**params, "limit": PAGE} | ({"starting_after": cursor} if cursor else {})
    page = client.get(path, given)
    return page["data"], page["data"][-1]["id"] if page["has_more"] and page["data"] else ""


def pages(path: str, params: dict[str, Any], *, most: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the list a hundred objects at a time, the newest first, and no more than ``most`` times."""
    cursor = ""
    for _ in range(most):
        rows, cursor = after(path, params, cursor)
        yield rows
        if not cursor:
            return


def has_made(path: str, params: dict[str, Any], *, operation: str) -> bool:
    """Return whether this operation made one of the newest hundred objects of the list.

    A deleted customer has no list: Stripe answers that it is missing, and the answer here is False.
    """
    try:
        listed = page(path, params)
    except errors.StripeObjectMissing:
        return False
    return any((data.get("metadata") or {}).get("operation") == operation for data in listed)


def complete(listed: dict[str, Any], path: str, params: dict[str, Any] | None = None) -> None:
    """Add the rest to a list that came inside an object, with a request for each further hundred.

    ``path`` and ``params`` are those of the list by itself, because Stripe does not say them in one way everywhere.
    """
    while listed["has_more"]:
        rows, cursor = after(path, params or {}, listed["data"][-1]["id"])
        listed["data"] += rows
        listed["has_more"] = bool(cursor)


def one(path: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """Return the object at ``path``, or None if Stripe has none there."""
    try:
        return client.get(path, params)
    except errors.StripeObjectMissing:
        return None


def shown(answer: dict[str, Any], name: str) -> str:
    """Return a text that the answer must show. Raises: StripeRejected: it is null or left out."""
    if not answer.get(name):
        raise errors.StripeRejected(f"Stripe's answer does not show its {name}.")
    return str(answer[name])


def identity_of(answer: dict[str, Any]) -> str:
    return str(answer["id"])
