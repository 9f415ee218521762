"""A preview of more than ten lines: only ten come with it. Source: https://docs.stripe.com/api/pagination"""

import pytest

from billing.models import Office
from billing.operations.engine.previews import preview
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.documents import preview_upcoming
from tests.at_stripe import made
from tests.situations.rewriting import rewriting

FURTHER = 13


@pytest.fixture
def long(stripe, subscribed):
    """An Office whose next invoice has 14 lines: 199.00 for Practice, and 1.00 for each of 13 prices of others."""
    for number in range(FURTHER):
        product = {"product_data[name]": f"Typed by somebody {number}", "recurring[interval]": "month"}
        other = made(stripe, "prices", unit_amount=100, currency="usd", **product)["id"]
        given = {"subscription": subscribed.payment_provider_subscription_id, "proration_behavior": "none"}
        made(stripe, "subscription_items", price=other, **given)
    stripe.deliver_and_apply()
    return Office.objects.get(pk=subscribed.pk)


def test_all_its_lines_are_shown(long, operator):
    seen = preview_upcoming(long, by=operator)

    assert [line.amount.amount for line in seen.lines].count(100) == FURTHER
    assert sum(line.amount.amount for line in seen.lines) == seen.total.amount == 19_900 + 100 * FURTHER
    assert seen.says == ""


def test_a_charge_is_found_in_it(long, operator):
    assert preview(ChargeOffice(charge="training", amount=5_000), long, by=operator).total.amount == 5_000


def test_where_stripe_does_not_find_the_preview_again_it_is_said(stripe, long, operator, settings):
    """Stripe reckons a preview anew for each request. The total is right in any case."""

    def forgotten(its):
        is_preview = its.get("object") == "invoice" and str(its["id"]).startswith("upcoming_in_")
        return its | {"id": "upcoming_in_1Gone"} if is_preview else its

    with rewriting(stripe.url, forgotten) as address:
        settings.STRIPE_API_BASE = address
        seen = preview_upcoming(long, by=operator)

    assert (len(seen.lines), seen.total.amount) == (10, 19_900 + 100 * FURTHER)
    assert seen.says == "Stripe shows only the first 10 lines here. The total is of all of them."
