"""What somebody does at Stripe, and what goes wrong on the way there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from billing import clock, errors
from billing.models import Operation
from billing.operations.engine.settle import resume_unsettled
from billing.stripe_api import client
from tests.conftest import LocalStripe, price

LOST = ["503", "drop_after", "500_after"]


def made(stripe: LocalStripe, path: str, **given: Any) -> dict[str, Any]:
    """Make this at Stripe, as somebody in the dashboard would."""
    headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
    return stripe.http.post(f"/v1/{path}", data=given, headers=headers).raise_for_status().json()


def a_coupon(stripe: LocalStripe, key: str, **given: Any) -> dict[str, Any]:
    return made(stripe, "coupons", id=key, name="Typed by somebody", **given)


def a_promotion_code(stripe: LocalStripe, code: str, coupon: str, **given: Any) -> dict[str, Any]:
    terms = {
        "promotion[type]": "coupon",
        "promotion[coupon]": coupon,
        "restrictions[minimum_amount]": 1,
        "restrictions[minimum_amount_currency]": "usd",
        "restrictions[currency_options][eur][minimum_amount]": 1,
    }
    return made(stripe, "promotion_codes", code=code, **terms, **given)


def begun_at_stripe(stripe: LocalStripe, customer: str, card: str = "pm_card_visa", **given: Any) -> dict[str, Any]:
    """Begin a subscription as somebody in the dashboard would. With a card that asks for 3-D Secure, it waits."""
    terms = {
        "items[0][price]": price("practice-monthly").stripe_price_id,
        "payment_behavior": "allow_incomplete",
        "expand[]": "latest_invoice.payments",
    }
    method = made(stripe, f"payment_methods/{card}/attach", customer=customer)["id"]
    return made(stripe, "subscriptions", customer=customer, default_payment_method=method, **(terms | given))


def scheduled(stripe: LocalStripe, customer: str, *, days: int = 20, code: str = "practice-monthly") -> dict[str, Any]:
    """Let a subscription start by itself in some days, as somebody in the dashboard would."""
    terms = {
        "start_date": str(int((clock.billing() + timedelta(days=days)).timestamp())),
        "phases[0][items][0][price]": price(code).stripe_price_id,
        "phases[0][duration][interval]": "month",
    }
    return made(stripe, "subscription_schedules", customer=customer, **terms)


def on_each_request(monkeypatch: pytest.MonkeyPatch, act: Callable[[int, str, str], None]) -> Callable[[], int]:
    """Call ``act`` with number, method and address before each of our requests to Stripe, the first being number 0.

    Return a function that says how many requests there were.
    """
    count = 0
    through = client.Transport.request

    def request(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        number, count = count, count + 1
        act(number, method, url)
        return through(self, method, url, *args, **kwargs)

    monkeypatch.setattr(client.Transport, "request", request, raising=False)
    return lambda: count


def settled_after(
    stripe: LocalStripe, kind: str, act: Callable[[], Any], path: str = "/v1/subscriptions/"
) -> Operation:
    """Lose the answer of an operation in this way, and return the operation after the worker resumed it."""
    stripe.fail_next(kind, method="POST", path_prefix=path)
    with pytest.raises(errors.StripeUnavailable):
        act()
    operation = Operation.objects.first()
    assert operation
    assert operation.status in ("unknown", "abandoned")
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()
    operation.refresh_from_db()
    return operation
