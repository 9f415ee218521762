"""The program itself: its state file and its end."""

import signal
import time
from pathlib import Path
from typing import Any

from tests.stripe_sandbox.conftest import HOUR


def test_the_state_file_survives_a_restart(sandbox_process: Any, tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    process, before = sandbox_process("--state", state)
    made = before.subscription(before.customer()["id"])
    first = before.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one").json()
    before.advance(HOUR)
    then = before.now()
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    _, after = sandbox_process("--state", state)
    assert after.now() >= then
    assert after.get(f"subscriptions/{made['id']}") == made
    again = after.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first, "true")


def test_an_item_is_one_object_also_after_a_restart(sandbox_process: Any, tmp_path: Path) -> None:
    state = str(tmp_path / "state.json")
    process, before = sandbox_process("--state", state)
    made = before.subscription(before.customer()["id"])
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    _, after = sandbox_process("--state", state)
    after.advance_to(made["items"]["data"][0]["current_period_end"])
    (alone,) = after.listed("subscription_items", subscription=made["id"])
    assert alone == after.get(f"subscriptions/{made['id']}")["items"]["data"][0]


def test_sigterm_ends_it_within_two_seconds_with_a_connection_open(sandbox_process: Any) -> None:
    process, running = sandbox_process()
    assert running.get("customers")["data"] == []  # leaves a connection open
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    assert time.monotonic() - begun < 2
