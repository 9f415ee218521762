"""What most addresses do: read one object, list many, delete one. Also paging, and checks that many requests share."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

from stripe_sandbox.errors import invalid, missing, unsupported
from stripe_sandbox.params import named
from stripe_sandbox.schema.load import OBJECTS
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import listed, shown

Params = dict[str, Any]
Ids = dict[str, str]
Handler = Callable[[Store, Params, Ids], Row]
Routes = dict[tuple[str, str], Handler]
"""Maps (method, path) to a handler.

A handler gets the typed parameters and the ids in the address. It returns a row, which is then shown and expanded,
or what ``page`` returns.
"""

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, than: at > than,
    "gte": lambda at, than: at >= than,
    "lt": lambda at, than: at < than,
    "lte": lambda at, than: at <= than,
}
MOST_KEYS, LONGEST_NAME, LONGEST_VALUE = 50, 40, 500
"""The limits of metadata. Source: https://docs.stripe.com/metadata"""


def alive(store: Store, kind: str, key: str, param: str = "id") -> Row:
    """Find the row, if it is not deleted. Raises: Stripe's 404, or a 400 if a parameter names the row."""
    found = store.need(kind, key, param)
    if found.get("deleted"):
        raise missing(kind, key, param)
    return found


def reads(kind: str, name: str) -> Handler:
    """Return a handler that reads the object in the address."""
    return lambda store, params, ids: store.need(kind, ids[name])


def lists(kind: str, url: str, *filters: str) -> Handler:
    """Return a handler that lists the objects of this kind, newest first. ``filters`` name its parameters."""

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        wanted = {name: params[name] for name in filters if name in params}
        return page(store, store.all(kind, **wanted), params, url)

    return handler


def removes(kind: str, name: str, event: str = "") -> Handler:
    """Return a handler that deletes the object and answers that it is deleted."""

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        found = store.need(kind, ids[name])
        if event:
            store.emit(event, found)
        store.remove(found)
        return gone(kind, found["id"])

    return handler


def gone(kind: str, key: str) -> Row:
    """Return Stripe's answer for a deleted object."""
    return {"id": key, "object": kind, "deleted": True}


def merged(old: dict[str, str] | None, given: Any, param: str = "metadata") -> dict[str, str]:
    """Return the metadata after a creation or an update. An empty value removes a key; empty metadata removes all keys.

    Raises: Stripe's 400 if there are too many keys, or if a key or a value is too long.
    Source: https://docs.stripe.com/api/metadata
    """
    if given == "" or given is None:
        return {}
    for key, value in given.items():
        if len(key) > LONGEST_NAME:
            raise invalid(f"Metadata keys can be up to {LONGEST_NAME} characters.", param=named(param, key))
        if len(value) > LONGEST_VALUE:
            raise invalid(f"Metadata values can have up to {LONGEST_VALUE} characters.", param=named(param, key))
    found = {key: value for key, value in {**(old or {}), **given}.items() if value != ""}
    if len(found) > MOST_KEYS:
        raise invalid(f"Metadata can have up to {MOST_KEYS} keys.", param=param)
    return found


def refuse(params: Params, names: Iterable[str], what: str) -> None:
    """Refuse parameters that would change something and have no effect here. Raises: 501."""
    for name in names:
        if params.get(name):
            raise unsupported(f"the parameter {name} of {what}")


def refuse_automatic_tax(params: Params) -> None:
    """Refuse a request for automatic tax. Raises: 501."""
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise unsupported("automatic tax; use tax rates")


def checked_url(given: str, param: str = "url") -> str:
    """Return the address of a web page, checked. Raises: Stripe's 400 if it is not an address."""
    try:
        parts = urlsplit(given)
        right = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        right = False
    if not right or not given.isprintable() or " " in given:
        raise invalid(
            "Invalid URL: an address with an explicit scheme (such as https) must be given.",
            param=param,
            code="url_invalid",
        )
    return given


def page(store: Store, found: list[Row], params: Params, url: str, *, newest_first: bool = True) -> Row:
    """Return one page of these rows. Source: https://docs.stripe.com/api/pagination"""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", param="limit")
    if "created" in params:
        found = [row for row in found if within(row[_age(row["_kind"])], params["created"])]
    if newest_first:
        found = _newest_first(found)
    if before := params.get("ending_before"):
        found = found[: _place(found, before, "ending_before")]
        part, more = found[-limit:], len(found) > limit
    else:
        after = params.get("starting_after")
        found = found[_place(found, after, "starting_after") + 1 :] if after else found
        part, more = found[:limit], len(found) > limit
    return listed([shown(store, row) for row in part], url, more=more)


def _newest_first(found: list[Row]) -> list[Row]:
    """Sort the rows by time. They usually come from the store in this order; test clocks disturb it."""
    name = _age(found[0]["_kind"]) if found else "_seq"
    ages = [row[name] for row in found]
    return found[::-1] if ages == sorted(ages) else sorted(found, key=itemgetter(name, "_seq"), reverse=True)


def _age(kind: str) -> str:
    """Return the field that says how old a row of this kind is."""
    return next((name for name in ("created", "date") if name in OBJECTS[kind]["properties"]), "_seq")


def within(at: int, wanted: Any) -> bool:
    """Whether a moment matches a ``created`` parameter: the same moment, or in its range."""
    if isinstance(wanted, dict):
        return all(COMPARISONS[name](at, int(than)) for name, than in wanted.items())
    return at == int(wanted)


def _place(found: list[Row], key: str, param: str) -> int:
    for n, row in enumerate(found):
        if row["id"] == key:
            return n
    raise missing("object", key, param)
