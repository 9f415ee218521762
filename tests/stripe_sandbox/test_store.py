"""What is taken back is as it was; and what falls due by itself and fails, meets nobody else."""

import contextlib
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stripe_sandbox import timeline
from stripe_sandbox.routes import ROUTES
from stripe_sandbox.store import Row, Store
from tests.stripe_sandbox.conftest import DAY, Sandbox

Processes = Callable[..., tuple[subprocess.Popen[str], Sandbox]]


@pytest.fixture
def store() -> Store:
    return Store(seed=7)


def ask(store: Store, method: str, path: str, params: Row, **ids: str) -> Row:
    return ROUTES[method, path](store, params, ids)


def subscribed(store: Store) -> Row:
    customer = ask(store, "post", "/v1/customers", {"payment_method": "pm_card_visa"})
    (card,) = store.all("payment_method")
    settings = {"invoice_settings": {"default_payment_method": card["id"]}}
    ask(store, "post", "/v1/customers/{customer}", settings, customer=customer["id"])
    product = ask(store, "post", "/v1/products", {"name": "Practice"})
    given = {"product": product["id"], "currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"}}
    price = ask(store, "post", "/v1/prices", given)
    return ask(store, "post", "/v1/subscriptions", {"customer": customer["id"], "items": [{"price": price["id"]}]})


def picture(store: Store) -> dict[str, Any]:
    return {kind: {key: dict(row) for key, row in rows.items()} for kind, rows in store.objects.items()}


class Halt(Exception):
    pass


@contextlib.contextmanager
def taken_back(store: Store) -> Iterator[None]:
    """What is done in the block fails at its end."""
    with contextlib.suppress(Halt), store.undo_on_error():
        yield
        raise Halt


def test_a_change_that_is_taken_back_leaves_no_trace(store: Store) -> None:
    made = subscribed(store)
    store.offset += 100
    before = picture(store)
    with taken_back(store), store.at("", store.now() + DAY):
        store.change(made, cancel_at=store.now() + DAY)
        store.add("subscription_item", subscription=made["id"])
    assert picture(store) == before


def test_what_is_put_back_stands_where_it_stood(store: Store) -> None:
    rows = [store.add("line_item", invoice="in_x", amount=n) for n in range(3)]
    with taken_back(store):
        store.remove(rows[0])
        store.change(rows[1], invoice="in_y")
    assert [row["amount"] for row in store.all("line_item", invoice="in_x")] == [0, 1, 2]
    assert [row["amount"] for row in store.all("line_item") if row["invoice"] == "in_x"] == [0, 1, 2]


def test_time_returns_where_a_block_fails(store: Store) -> None:
    now = store.now()
    with taken_back(store), store.at("", now + DAY):
        assert store.now() == now + DAY
    assert store.now() - now < DAY


def test_a_rehearsal_adds_nothing_to_what_is_due(store: Store) -> None:
    made = subscribed(store)
    before, rows = sum(map(len, store.queue.heaps.values())), picture(store)
    for _ in range(20):
        ask(store, "post", "/v1/invoices/create_preview", {"subscription": made["id"]})
    assert (sum(map(len, store.queue.heaps.values())), picture(store)) == (before, rows)
    timeline.play(store, "", made["created"] + 32 * DAY)
    assert [one["status"] for one in store.all("invoice")] == ["paid", "paid"]


def test_what_is_due_and_fails_is_undone_as_a_whole_and_meets_nobody_else(
    sandbox_process: Processes, tmp_path: Path
) -> None:
    file = str(tmp_path / "state.db")
    process, before = sandbox_process("--state", file)
    before.control("settings", upcoming_days=0)
    made = before.subscription(before.customer()["id"])
    other = before.subscription(before.customer()["id"])
    process.send_signal(signal.SIGKILL)
    process.wait(5)
    product = made["items"]["data"][0]["price"]["product"]
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM rows WHERE kind = 'product' AND id = ?", [product])
    connection.close()
    process, after = sandbox_process("--state", file)
    after.advance(32 * DAY)
    assert after.get(f"subscriptions/{made['id']}")["items"] == made["items"]
    assert len(after.listed("invoices", subscription=made["id"])) == 1
    assert len(after.listed("invoices", subscription=other["id"])) == 2
    seen = after.http.get("/_sandbox/conformance").json()["faults"]
    assert len(seen) == 1
    assert f"what was due for {made['id']} at" in seen[0]
    after.post(f"subscriptions/{made['id']}", {"metadata[tried]": "again"})
    assert after.get("customers")["object"] == "list"
    assert len(after.http.get("/_sandbox/conformance").json()["faults"]) == 2
    process.send_signal(signal.SIGKILL)
    process.wait(5)


def test_settings_reach_what_waits_already(sandbox: Sandbox) -> None:
    sandbox.control("settings", upcoming_days=0, retry_days=[10])
    office = sandbox.frozen_customer()
    office.subscribe(sandbox.price(1000, "day", count=30)["id"])
    office.wait(20 * DAY)
    sandbox.control("settings", upcoming_days=5)
    office.wait(6 * DAY)
    told = sandbox.listed("events", type="invoice.upcoming")
    assert [one["created"] for one in told] == [office.now() - DAY]
    sandbox.use_card(office.customer, "pm_card_chargeCustomerFail")
    office.wait(5 * DAY)
    failed = office.invoices()[0]
    assert failed["next_payment_attempt"] == failed["status_transitions"]["finalized_at"] + 10 * DAY
    sandbox.control("settings", retry_days=[2])
    moved = office.invoices()[0]["next_payment_attempt"]
    assert moved == failed["status_transitions"]["finalized_at"] + 2 * DAY
    office.go_to(moved)
    assert office.invoices()[0]["attempt_count"] == 2


def test_what_a_setting_makes_due_too_late_happens_now(sandbox: Sandbox) -> None:
    sandbox.control("settings", upcoming_days=0)
    office = sandbox.frozen_customer()
    office.subscribe(sandbox.price(1000, "day", count=30)["id"])
    office.wait(20 * DAY)
    sandbox.control("settings", upcoming_days=15)
    office.wait(DAY)
    (told,) = sandbox.listed("events", type="invoice.upcoming")
    assert told["created"] == office.now() - DAY
