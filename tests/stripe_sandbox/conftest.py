"""The local Stripe as a process of its own, spoken to over HTTP only."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import requests
import stripe

KEY = "sk_test_sandbox_alone"
SECRET = "whsec_sandbox_alone"
HOUR, DAY = 3600, 86_400


class Sandbox:
    """One running local Stripe: raw HTTP, its control plane, and short ways to the usual objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False, headers={"Authorization": f"Bearer {KEY}"})

    def ask(self, method: str, path: str, data: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        where = {"params": data} if method == "GET" else {"data": data}
        return self.http.request(method, f"/v1/{path}", headers=named, **where)  # type: ignore[arg-type]

    def get(self, path: str, **params: Any) -> Any:
        return self.ask("GET", path, params).raise_for_status().json()

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        return self.ask("POST", path, data).raise_for_status().json()

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return self.get(path, limit=100, **params)["data"]

    def control(self, path: str, **given: Any) -> Any:
        return self.http.post(f"/_sandbox/{path}", json=given).raise_for_status().json()

    def now(self) -> int:
        return self.http.get("/_sandbox/clock").json()["now"]

    def advance_to(self, moment: int) -> None:
        self.control("clock", now=moment)

    def advance(self, seconds: int) -> None:
        self.control("clock", advance=seconds)

    def event_types(self) -> list[str]:
        return [one["type"] for one in reversed(self.listed("events"))]

    def price(self, amount: int = 1000, interval: str = "month") -> dict[str, Any]:
        product = self.post("products", {"name": "Practice"})
        given = {"product": product["id"], "currency": "usd", "unit_amount": amount, "recurring[interval]": interval}
        return self.post("prices", given)

    def customer(self, card: str | None = "pm_card_visa") -> dict[str, Any]:
        made = self.post("customers", {"name": "Maple Street", "email": "billing@maple.example"})
        if card:
            made = self.use_card(made["id"], card)
        return made

    def use_card(self, customer: str, card: str) -> dict[str, Any]:
        method = self.post(f"payment_methods/{card}/attach", {"customer": customer})
        return self.post(f"customers/{customer}", {"invoice_settings[default_payment_method]": method["id"]})

    def subscription(self, customer: str, **params: Any) -> dict[str, Any]:
        given = {"customer": customer, "items[0][price]": self.price()["id"], **params}
        return self.post("subscriptions", given)


def start(*arguments: str) -> tuple[subprocess.Popen[str], Sandbox]:
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual"]
    command += ["--secret-key", KEY, "--webhook-secret", SECRET, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    ready = process.stdout.readline().strip()
    assert ready.startswith("stripe_sandbox ready on http://127.0.0.1:"), ready
    return process, Sandbox(ready.rpartition(" ")[2])


def stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    process, running = start()
    try:
        yield running
    finally:
        running.http.close()
        stop(process)


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    sandbox_server.control("reset")
    return sandbox_server


@pytest.fixture
def sandbox_sdk(sandbox: Sandbox) -> stripe.StripeClient:
    session = requests.Session()
    session.trust_env = False
    transport = stripe.RequestsClient(timeout=20, session=session)
    return stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, http_client=transport, max_network_retries=0)


@pytest.fixture(autouse=True)
def no_side_door() -> None:
    """Here Stripe's own client speaks to the sandbox directly: nothing of the product takes part."""


@pytest.fixture(autouse=True)
def quick_passwords() -> None:
    """Here nobody has a password."""


@pytest.fixture
def sandbox_process() -> Iterator[Callable[..., tuple[subprocess.Popen[str], Sandbox]]]:
    """Starts further processes, which end with the test."""
    started: list[tuple[subprocess.Popen[str], Sandbox]] = []

    def begin(*arguments: str) -> tuple[subprocess.Popen[str], Sandbox]:
        started.append(start(*arguments))
        return started[-1]

    yield begin
    for process, running in started:
        running.http.close()
        stop(process)
