"""The local Stripe as a separate process, used only over HTTP."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import requests
import stripe

from tests import conformance
from tests.stripe_sandbox.receiver import Receiver

KEY = "sk_test_sandbox_alone"
SECRET = "whsec_sandbox_alone"
HOUR, DAY = 3600, 86_400
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def answered(response: httpx.Response) -> Any:
    """Return the content of a successful answer. Otherwise fail with the error's text."""
    assert response.is_success, f"{response.request.method} {response.url}: {response.status_code} {response.text}"
    return response.json()


def error_of(answer: httpx.Response, status: int) -> Any:
    """Return the error in an answer with this status."""
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


class Sandbox:
    """One running local Stripe: raw HTTP, its control plane, and shortcuts to the usual objects."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=20, trust_env=False, headers={"Authorization": f"Bearer {KEY}"})

    def ask(self, method: str, path: str, data: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        where = {"params": data} if method == "GET" else {"data": data}
        return self.http.request(method, f"/v1/{path}", headers=named, **where)  # type: ignore[arg-type]

    def get(self, path: str, **params: Any) -> Any:
        return answered(self.ask("GET", path, params))

    def post(self, path: str, data: dict[str, Any] | None = None) -> Any:
        return answered(self.ask("POST", path, data))

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        return self.get(path, limit=100, **params)["data"]

    def control(self, path: str, **given: Any) -> Any:
        return answered(self.http.post(f"/_sandbox/{path}", json=given))

    def endpoint(self, url: str = "http://127.0.0.1:9/hook", *types: str) -> dict[str, Any]:
        wanted = {f"enabled_events[{n}]": one for n, one in enumerate(types or ["*"])}
        return self.post("webhook_endpoints", {"url": url, **wanted})

    def take(self, **given: Any) -> list[dict[str, Any]]:
        return self.control("deliveries/take", **given)["deliveries"]

    def deliveries(self) -> list[dict[str, Any]]:
        return self.http.get("/_sandbox/deliveries").json()["deliveries"]

    def now(self) -> int:
        return self.http.get("/_sandbox/clock").json()["now"]

    def advance_to(self, moment: int) -> None:
        self.control("clock", now=moment)

    def advance(self, seconds: int) -> None:
        self.control("clock", advance=seconds)

    def event_types(self) -> list[str]:
        return [one["type"] for one in reversed(self.listed("events"))]

    def price(self, amount: int = 1000, interval: str = "month", *, count: int = 1, currency: str = "usd") -> Any:
        product = self.post("products", {"name": "Practice"})
        recurring = {"recurring[interval]": interval, "recurring[interval_count]": count}
        return self.post("prices", {"product": product["id"], "currency": currency, "unit_amount": amount, **recurring})

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

    def refused(self, method: str, path: str, data: dict[str, Any] | None = None, *, status: int = 400) -> Any:
        """Return the error of a request that must fail."""
        return error_of(self.ask(method, path, data), status)

    def frozen_customer(self, at: datetime = NEW_YEAR, card: str | None = "pm_card_visa") -> "Frozen":
        """Create a customer on a test clock. Its time stands still until a test moves it."""
        clock = self.post("test_helpers/test_clocks", {"frozen_time": int(at.timestamp())})
        made = self.post("customers", {"name": "Maple Street", "test_clock": clock["id"]})
        if card:
            self.use_card(made["id"], card)
        return Frozen(self, made["id"], clock["id"])


class Frozen:
    """A customer on its own test clock."""

    def __init__(self, sandbox: Sandbox, customer: str, clock: str) -> None:
        self.sandbox, self.customer, self.clock = sandbox, customer, clock

    def now(self) -> int:
        return self.sandbox.get(f"test_helpers/test_clocks/{self.clock}")["frozen_time"]

    def go_to(self, moment: int) -> None:
        """Move the clock to this moment. Everything due until then has happened."""
        path = f"test_helpers/test_clocks/{self.clock}"
        assert self.sandbox.post(f"{path}/advance", {"frozen_time": moment})["status"] == "advancing"
        assert self.sandbox.get(path)["status"] == "ready"

    def wait(self, seconds: int) -> None:
        self.go_to(self.now() + seconds)

    def subscribe(self, price: str, **given: Any) -> dict[str, Any]:
        return self.sandbox.post("subscriptions", {"customer": self.customer, "items[0][price]": price, **given})

    def change(self, subscription: dict[str, Any], **given: Any) -> dict[str, Any]:
        """Change its only item by ``price`` and ``quantity``. Everything else is sent unchanged."""
        item = subscription["items"]["data"][0]["id"]
        data = {f"items[0][{name}]": given.pop(name) for name in ("price", "quantity") if name in given}
        if data:
            data["items[0][id]"] = item
        return self.sandbox.post(f"subscriptions/{subscription['id']}", {**data, **given})

    def read(self, subscription: dict[str, Any]) -> dict[str, Any]:
        return self.sandbox.get(f"subscriptions/{subscription['id']}")

    def invoices(self) -> list[dict[str, Any]]:
        """List its invoices, newest first."""
        return self.sandbox.listed("invoices", customer=self.customer)

    def waiting(self) -> list[int]:
        """List the amounts that wait for the next invoice, oldest first."""
        found = self.sandbox.listed("invoiceitems", customer=self.customer, pending="true")
        return [item["amount"] for item in reversed(found)]

    def balance(self) -> int:
        return self.sandbox.get(f"customers/{self.customer}")["balance"]


def start(*arguments: str) -> tuple[subprocess.Popen[str], Sandbox]:
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual"]
    command += ["--strict", "--secret-key", KEY, "--webhook-secret", SECRET, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    ready = process.stdout.readline().strip()
    assert ready.startswith("stripe_sandbox ready on http://127.0.0.1:"), ready
    return process, Sandbox(ready.rpartition(" ")[2])


def stop(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def other_receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    process, running = start()
    try:
        yield running
        conformance.note(running.http)
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
    """Replace the product's check: here Stripe's own client calls the sandbox directly, without the product."""


@pytest.fixture(autouse=True)
def quick_passwords() -> None:
    """Replace the product's fixture: here nobody has a password."""


@pytest.fixture
def sandbox_process() -> Iterator[Callable[..., tuple[subprocess.Popen[str], Sandbox]]]:
    """Return a function that starts more processes. They end with the test."""
    started: list[tuple[subprocess.Popen[str], Sandbox]] = []

    def begin(*arguments: str) -> tuple[subprocess.Popen[str], Sandbox]:
        started.append(start(*arguments))
        return started[-1]

    yield begin
    for process, running in started:
        if process.poll() is None:
            conformance.note(running.http)
        running.http.close()
        stop(process)
