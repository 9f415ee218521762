"""The program itself: its options and its end."""

import signal
import socket
import time
from typing import Any

from stripe_sandbox.__main__ import listening


def test_sigterm_ends_it_within_two_seconds_with_a_connection_open(sandbox_process: Any) -> None:
    process, running = sandbox_process()
    assert running.get("customers")["data"] == []  # leaves a connection open
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    assert time.monotonic() - begun < 2


def test_a_seed_repeats_the_ids(sandbox_process: Any) -> None:
    made = []
    for seed in ("4", "4", "5"):
        _, running = sandbox_process("--seed", seed)
        answers = [running.ask("POST", "products", {"name": "Practice"}) for _ in range(3)]
        made.append([(one.json()["id"], one.headers["Request-Id"]) for one in answers])
    assert made[0] == made[1] != made[2]


def test_small_answers_are_sent_at_once() -> None:
    with listening("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio looks at before it sets TCP_NODELAY
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_in_strict_mode_answers_and_events_are_counted(sandbox_process: Any) -> None:
    _, running = sandbox_process("--strict")
    running.subscription(running.customer()["id"])
    told = running.http.get("/_sandbox/conformance").json()
    assert told["faults"] == []
    assert told["checked"]["subscription"] == 1
    assert told["events"]["invoice"] >= 3
