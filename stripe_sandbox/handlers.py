"""What most addresses do: read one, list many, remove one, search. And how a list is paged."""

from collections.abc import Callable
from typing import Any

from stripe_sandbox.errors import invalid, missing
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import listed, shown

Params = dict[str, Any]
Ids = dict[str, str]
Handler = Callable[[Store, Params, Ids], Row]
Routes = dict[tuple[str, str], Handler]
"""(method, path) → handler. A handler gets the typed parameters and the ids of the address, and returns a row
(which is then shown and expanded) or what ``page`` returns."""

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda at, than: at > than,
    "gte": lambda at, than: at >= than,
    "lt": lambda at, than: at < than,
    "lte": lambda at, than: at <= than,
}


def reads(kind: str, name: str) -> Handler:
    """The object that the address names."""
    return lambda store, params, ids: store.need(kind, ids[name])


def lists(kind: str, url: str, *filters: str) -> Handler:
    """The objects of this kind, newest first, filtered by the parameters of these names."""

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        wanted = {name: params[name] for name in filters if name in params}
        return page(store, store.all(kind, **wanted), params, url)

    return handler


def removes(kind: str, name: str, event: str = "") -> Handler:
    """The object is gone; the answer says so."""

    def handler(store: Store, params: Params, ids: Ids) -> Row:
        found = store.need(kind, ids[name])
        if event:
            store.emit(event, found)
        store.remove(found)
        return gone(kind, found["id"])

    return handler


def gone(kind: str, key: str) -> Row:
    """What Stripe answers when it has deleted an object."""
    return {"id": key, "object": kind, "deleted": True}


def merged(old: dict[str, str] | None, given: Any) -> dict[str, str]:
    """Metadata after an update: an empty value removes a key, an empty whole removes all.

    Source: https://docs.stripe.com/api/metadata
    """
    if given == "" or given is None:
        return {}
    return {key: value for key, value in {**(old or {}), **given}.items() if value != ""}


def page(store: Store, found: list[Row], params: Params, url: str, *, newest_first: bool = True) -> Row:
    """One page of these rows. Source: https://docs.stripe.com/api/pagination"""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", param="limit")
    if "created" in params:
        found = [row for row in found if within(_age(row)[0], params["created"])]
    if newest_first:
        found = sorted(found, key=_age, reverse=True)
    if before := params.get("ending_before"):
        found = found[: _place(found, before, "ending_before")]
        part, more = found[-limit:], len(found) > limit
    else:
        after = params.get("starting_after")
        found = found[_place(found, after, "starting_after") + 1 :] if after else found
        part, more = found[:limit], len(found) > limit
    return listed([shown(store, row) for row in part], url, more=more)


def _age(row: Row) -> tuple[int, int]:
    return row.get("created") or row.get("date") or 0, row["_seq"]


def within(at: int, wanted: Any) -> bool:
    """Whether a moment is the one, or in the range, that a ``created`` parameter asks for."""
    if isinstance(wanted, dict):
        return all(COMPARISONS[name](at, int(than)) for name, than in wanted.items())
    return at == int(wanted)


def _place(found: list[Row], key: str, param: str) -> int:
    for n, row in enumerate(found):
        if row["id"] == key:
            return n
    raise missing("object", key, param)
