"""A person in Stripe's dashboard, or another system on the account: direct requests, and never an operation of ours."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from billing.stripe_api import sandbox_clock
from tests.conftest import LocalStripe, price
from tests.situations.rewriting import Rewrite, rewriting

Object = dict[str, Any]
NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)
"""When each situation begins."""
DECLINED = 402


class Dashboard:
    """What somebody does with one Office's customer at Stripe, and the time that passes."""

    def __init__(self, stripe: LocalStripe, customer: str) -> None:
        self.stripe, self.customer = stripe, customer
        self._rewriting = contextlib.ExitStack()
        self._as_it_is = stripe

    # --- requests

    def get(self, path: str, **params: Any) -> Object:
        return self._ask("GET", path, params)

    def post(self, path: str, **params: Any) -> Object:
        """Send this, and return Stripe's answer. An object of ``params`` becomes bracketed names."""
        return self._ask("POST", path, params)

    def delete(self, path: str) -> Object:
        return self._ask("DELETE", path, {})

    def _ask(self, method: str, path: str, params: dict[str, Any]) -> Object:
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        given: dict[str, Any] = {"params" if method == "GET" else "data": _flat(params)}
        answer = self.stripe.http.request(method, f"/v1/{path}", headers=headers, **given)
        assert answer.status_code in (200, DECLINED), f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def answers_are(self, rewrite: Rewrite | None) -> None:
        """Let all of Stripe's answers be rewritten so from now on, or with None be as they are."""
        self._rewriting.close()
        self.stripe = self._as_it_is
        if rewrite:
            self.stripe = LocalStripe(self._rewriting.enter_context(rewriting(self._as_it_is.url, rewrite)))
            self._rewriting.callback(self.stripe.http.close)
        settings.STRIPE_API_BASE = self.stripe.url

    # --- time

    def wait_until(self, then: datetime) -> None:
        """Let time pass until this moment. What Stripe tells before and then, we hear."""
        self.we_hear()
        self.stripe.control("clock", now=int(then.timestamp()))
        sandbox_clock.forget()
        self.we_hear()

    def we_hear(self) -> None:
        """Deliver the events that wait to our webhook, and let a worker work them off."""
        self.stripe.deliver_and_apply()

    # --- what is done often

    def subscribe(self, *items: Any, **terms: Any) -> str:
        """Start a subscription with these items: codes of our prices, or items as Stripe takes them. Return its id."""
        given = [{"price": self.price(one)} if isinstance(one, str) else one for one in items]
        return self.post("subscriptions", customer=self.customer, items=given, **terms)["id"]

    def item(self, subscription: str, number: int = 0) -> str:
        return self.get(f"subscriptions/{subscription}")["items"]["data"][number]["id"]

    def price(self, code: str) -> str:
        """Return the id at Stripe of one of our prices."""
        return price(code).stripe_price_id or ""

    def a_price_of_somebody(self, unit_amount: int, currency: str = "usd", **recurring: Any) -> str:
        """Make a price that is none of our plans, by the month unless it says otherwise. Return its id."""
        every = recurring or {"interval": "month"}
        product = {"name": "Typed by somebody"}
        return self.post("prices", unit_amount=unit_amount, currency=currency, recurring=every, product_data=product)[
            "id"
        ]

    def pays_with(self, card: str) -> str:
        """Make this test card the customer's default. Return the card's id."""
        made = self.post(f"payment_methods/{card}/attach", customer=self.customer)["id"]
        self.post(f"customers/{self.customer}", invoice_settings={"default_payment_method": made})
        return made

    def another_card(self, card: str) -> str:
        """Attach this test card, and leave the default as it is. Return the card's id."""
        return self.post(f"payment_methods/{card}/attach", customer=self.customer)["id"]

    def when_retries_end(self, what: str) -> None:
        """Choose in the settings of Stripe's Billing what becomes of a subscription: cancel, unpaid or past_due."""
        self.stripe.control("settings", retries_exhausted=what)

    def newest_invoice(self) -> str:
        return self.get("invoices", customer=self.customer, limit=1)["data"][0]["id"]

    def one_off(self, amount: int, currency: str = "usd", **terms: Any) -> str:
        """Make and finalise an invoice by hand, sent with 30 days to pay unless the terms say otherwise."""
        how = terms or {"collection_method": "send_invoice", "days_until_due": 30}
        made = self.post("invoices", customer=self.customer, currency=currency, **how)["id"]
        self.post("invoiceitems", customer=self.customer, invoice=made, amount=amount, currency=currency)
        self.post(f"invoices/{made}/finalize")
        return made


def _flat(value: Any, name: str = "") -> dict[str, str]:
    """Return nested parameters as Stripe takes them: a[b][0]=c."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, one in value.items():
            found |= _flat(one, f"{name}[{key}]" if name else key)
        return found
    if isinstance(value, list | tuple):
        found = {}
        for number, one in enumerate(value):
            found |= _flat(one, f"{name}[{number}]")
        return found
    return {name: str(value).lower() if isinstance(value, bool) else str(value)}
