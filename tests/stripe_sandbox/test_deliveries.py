"""What waits to be delivered, and when it is forgotten."""

import contextlib

import pytest

from stripe_sandbox import deliveries
from stripe_sandbox.control.levers import Refused
from stripe_sandbox.store import Row, Store
from tests.stripe_sandbox.conftest import DAY


@pytest.fixture
def store() -> Store:
    made = Store(delivery="manual")
    made.add(
        "webhook_endpoint", id="we_1", url="http://127.0.0.1:9/", status="enabled", enabled_events=["product.created"]
    )
    return made


def event(store: Store, kind: str) -> Row:
    return store.emit(kind, store.add("product", name="Practice"))


def test_a_delivery_that_is_taken_back_leaves_no_trace(store: Store) -> None:
    told = event(store, "product.updated")
    with contextlib.suppress(Refused), store.undo_on_error():
        deliveries.plan(store, told, "we_1")
        raise Refused
    assert (told["_deliveries"], store.deliveries, store.pending) == ([], {}, {})


def test_an_old_event_is_forgotten_though_an_older_one_still_waits(store: Store) -> None:
    waits, heard = event(store, "product.created"), event(store, "product.updated")
    store.set("offset", 31 * DAY)
    new = event(store, "product.updated")
    deliveries.forget_old_events(store)
    assert store.all("event") == [waits, new]
    assert store.get("event", heard["id"]) is None


def test_a_value_that_is_there_once_is_what_it_was_after_a_refusal(store: Store) -> None:
    with contextlib.suppress(Refused), store.undo_on_error():
        store.set("settings", {})
        store.set("next_charges", [{"outcome": "decline"}], for_good=True)
        raise Refused
    assert store.settings["retry_days"] == [3, 5, 7]
    assert store.next_charges == [{"outcome": "decline"}]
