"""The state file: what an answer told is there after any end of the process."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stripe_sandbox.conftest import DAY, HOUR, Sandbox
from tests.stripe_sandbox.receiver import Receiver, eventually

Processes = Callable[..., tuple[subprocess.Popen[str], Sandbox]]


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "state.db")


def end(process: subprocess.Popen[str], how: signal.Signals = signal.SIGKILL) -> None:
    process.send_signal(how)
    process.wait(5)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_everything_survives_the_end_of_the_process(sandbox_process: Processes, file: str, how: signal.Signals) -> None:
    process, before = sandbox_process("--state", file)
    before.endpoint()
    made = before.subscription(before.customer()["id"])
    first = before.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one").json()
    before.advance(HOUR)
    then, events = before.now(), before.listed("events")
    end(process, how)
    _, after = sandbox_process("--state", file)
    assert after.now() >= then
    assert after.get(f"subscriptions/{made['id']}") == made
    assert after.listed("events") == events
    again = after.ask("POST", "customers", {"name": "Oak"}, Idempotency_Key="one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first, "true")


def test_what_each_answer_told_is_there_after_a_kill(sandbox_process: Processes, file: str) -> None:
    told: dict[str, str] = {}
    for n in range(5):
        process, running = sandbox_process("--state", file)
        for key, name in told.items():
            assert running.get(f"customers/{key}")["name"] == name
        key = running.post("customers", {"name": f"Oak {n}"})["id"]
        told[key] = f"Oak {n}"
        running.post(f"customers/{key}", {"name": f"Elm {n}"})
        told[key] = f"Elm {n}"
        end(process)
    assert len(told) == 5


def test_what_was_removed_stays_removed(sandbox_process: Processes, file: str) -> None:
    process, before = sandbox_process("--state", file)
    made = before.endpoint()
    before.ask("DELETE", f"webhook_endpoints/{made['id']}").raise_for_status()
    end(process)
    process, between = sandbox_process("--state", file)
    assert between.listed("webhook_endpoints") == []
    between.post("customers", {"name": "Oak"})
    between.control("reset")
    end(process)
    _, after = sandbox_process("--state", file)
    assert after.listed("customers") == []


def test_an_item_is_one_object_and_renews_also_after_a_restart(sandbox_process: Processes, file: str) -> None:
    process, before = sandbox_process("--state", file)
    made = before.subscription(before.customer()["id"])
    end(process)
    _, after = sandbox_process("--state", file)
    over = made["items"]["data"][0]["current_period_end"]
    after.advance_to(over)
    (alone,) = after.listed("subscription_items", subscription=made["id"])
    assert alone == after.get(f"subscriptions/{made['id']}")["items"]["data"][0]
    assert alone["current_period_start"] == over
    after.advance(HOUR)
    assert [one["status"] for one in after.listed("invoices", subscription=made["id"])] == ["paid", "paid"]


def test_deliveries_that_wait_are_sent_after_a_restart(
    sandbox_process: Processes, file: str, receiver: Receiver
) -> None:
    process, before = sandbox_process("--state", file)
    before.endpoint(receiver.url)
    customer = before.customer(card=None)["id"]
    end(process)
    process, after = sandbox_process("--state", file, "--delivery", "auto")
    assert receiver.next()["data"]["object"]["id"] == customer
    assert eventually(lambda: after.deliveries()[0]["status"] == "delivered")
    assert after.listed("events", delivery_success="false") == []
    end(process)
    _, last = sandbox_process("--state", file)
    assert [one["status"] for one in last.deliveries()] == ["delivered"]
    assert last.listed("events")[0]["pending_webhooks"] == 0


def test_what_the_loop_that_delivers_notes_is_kept_without_any_request(
    sandbox_process: Processes, file: str, receiver: Receiver
) -> None:
    receiver.answers.put(503)
    process, before = sandbox_process("--state", file, "--delivery", "auto")
    before.endpoint(receiver.url)
    before.customer(card=None)
    assert receiver.next() == receiver.next()
    end(process)
    _, after = sandbox_process("--state", file)
    assert after.deliveries()[0]["attempts"][0]["status"] == 503


def test_what_was_asked_of_the_control_plane_survives(sandbox_process: Processes, file: str) -> None:
    process, before = sandbox_process("--state", file)
    before.control("settings", retries_exhausted="unpaid", retry_days=[1])
    before.control("faults", kind="500", next=2, path_prefix="/v1/invoices")
    before.control("charges", outcome="decline", code="lost_card")
    before.control("delivery", mode="auto", drop=2)
    before.control("clock", advance=3 * DAY)
    wanted = {name: before.http.get(f"/_sandbox/{name}").json() for name in ("settings", "faults", "delivery")}
    end(process)
    _, after = sandbox_process("--state", file)
    assert {name: after.http.get(f"/_sandbox/{name}").json() for name in wanted} == wanted
    assert after.http.get("/_sandbox/clock").json()["offset"] == 3 * DAY
    assert after.control("charges", outcome="authenticate")["charges"][0]["code"] == "lost_card"


def test_with_a_seed_no_id_is_given_twice_over_restarts(sandbox_process: Processes, file: str) -> None:
    seen = []
    for _ in range(3):
        process, running = sandbox_process("--state", file, "--seed", "4")
        seen.append(running.post("customers", {"name": "Oak"})["id"])
        end(process)
    assert len(set(seen)) == 3


def refused(file: str) -> str:
    command = [sys.executable, "-m", "stripe_sandbox", "--port", "0", "--state", file]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.mark.parametrize("old", ["json", "sqlite"])
def test_another_kind_of_file_is_refused_and_left_as_it_is(file: str, old: str) -> None:
    if old == "json":
        Path(file).write_text(json.dumps({"objects": {}, "padding": " " * 5000}))
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE offices (id INTEGER)")
        connection.close()
    before = Path(file).read_bytes()
    assert "is not a state file of this version" in refused(file)
    assert Path(file).read_bytes() == before


def test_a_file_that_another_process_has_is_refused(sandbox_process: Processes, file: str) -> None:
    sandbox_process("--state", file)
    assert "Another process may have it" in refused(file)
