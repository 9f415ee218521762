"""Measures how fast the local Stripe is, as its own process, over HTTP: ``python -m tests.benchmarks.sandbox``.

It measures the start, requests per second on one kept connection, ten thousand subscribed customers with and without a
state file, and a year of one monthly subscription.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import stage

KEY = "sk_test_benchmark"
CUSTOMERS = 10_000
REQUESTS = 3_000
YEAR = 365 * 86_400
GOALS = {"start": 1.0, "requests": 500, "loading": 60.0, "megabytes": 1_500, "year": 1.0}


class Server:
    """One local Stripe, used on one connection."""

    def __init__(self, process: subprocess.Popen[str], address: str, started: float) -> None:
        self.process, self.address, self.started = process, address, started
        self.connection = http.client.HTTPConnection(address, timeout=120)

    def ask(self, method: str, path: str, body: str = "") -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        told = answer.read()
        assert answer.status == 200, told
        return json.loads(told)

    def control(self, path: str, **given: Any) -> Any:
        return self.ask("POST", f"/_sandbox/{path}", json.dumps(given))

    def megabytes(self) -> float:
        """Return the memory of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1_024

    def processor(self) -> float:
        """Return the seconds of processor time that the process has used."""
        return stage.processor(self.process.pid)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Server]:
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--secret-key", KEY, *arguments], cwd=stage.ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    address = process.stdout.readline().strip().rpartition("//")[2]
    try:
        server = Server(process, address, began)
        server.ask("GET", "/_sandbox/health")
        server.started = time.perf_counter() - began
        yield server
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    say(f"one core of {os.cpu_count()}, load {os.getloadavg()[0]:.1f}")
    with running() as server:
        verdict("start to the first answer", server.started, "s", GOALS["start"])
        year(server)
    for name in ("in memory", "with a state file"):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            file = str(Path(folder) / "state.db")
            options = [] if name == "in memory" else ["--state", file]
            say(f"\n{name}:")
            with running(*options) as server:
                loaded(server)
            if options:
                with running(*options) as server:
                    say(f"start with the file: {server.started:.1f} s, {server.megabytes():,.0f} MB")


def loaded(server: Server) -> None:
    """Make many customers, with an endpoint for their events, and measure ordinary requests."""
    server.ask("POST", "/v1/webhook_endpoints", "url=http://127.0.0.1:9/hook&enabled_events[]=*")
    began, customers, price = time.perf_counter(), [], {}
    while len(customers) < CUSTOMERS:
        made = server.control("seed", customers=500, **price)
        price = {"price": made["price"]}
        customers += made["customers"]
    say(f"{CUSTOMERS:,} customers used {server.processor():.1f} s of processor")
    verdict(f"{CUSTOMERS:,} subscribed customers", time.perf_counter() - began, "s", GOALS["loading"])
    verdict("memory", server.megabytes(), "MB", GOALS["megabytes"])
    for method, path, body in (
        ("GET", "/v1/customers/{}", ""),
        ("GET", "/v1/subscriptions?customer={}", ""),
        ("POST", "/v1/customers/{}", "metadata[round]={}"),
    ):
        each(server, method, path, body, customers)


def each(server: Server, method: str, path: str, body: str, customers: list[str]) -> None:
    spent, began = server.processor(), time.perf_counter()
    for n in range(REQUESTS):
        server.ask(method, path.format(customers[n % len(customers)]), body.format(n))
    seconds, spent = time.perf_counter() - began, server.processor() - spent
    name = f"{method} {path.format('…')}: {spent / REQUESTS * 1_000:.2f} ms of processor each;"
    verdict(name, REQUESTS / seconds, "a second", GOALS["requests"], least=True)


def year(server: Server) -> None:
    (customer,) = server.control("seed", customers=1)["customers"]
    began = time.perf_counter()
    server.control("clock", advance=YEAR)
    verdict("a year of one subscription", time.perf_counter() - began, "s", GOALS["year"])
    invoices = server.ask("GET", f"/v1/invoices?customer={customer}&limit=100")["data"]
    assert len(invoices) in (12, 13), len(invoices)
    assert {one["status"] for one in invoices} <= {"paid", "draft"}


def verdict(name: str, found: float, unit: str, goal: float, *, least: bool = False) -> None:
    met = "met" if (found >= goal if least else found < goal) else "missed"
    shown = f"{found:,.0f}" if found >= 100 else f"{found:.2f}"
    say(f"{name} {shown} {unit} (goal {'at least' if least else 'under'} {goal:g}: {met})")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
