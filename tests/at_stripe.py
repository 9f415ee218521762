"""What somebody does at Stripe, and what goes wrong on the way there."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from billing import clock, errors
from billing.models import Operation
from billing.operations.engine.settle import resume_unsettled
from tests.conftest import LocalStripe

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
