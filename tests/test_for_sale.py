"""What is for sale is one rule: of a price that is loaded, and of a query."""

import itertools
from datetime import timedelta

import pytest

from billing import clock
from billing.audit import actor, trail
from billing.models import Plan, PlanPrice

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MOMENTS = (None, -HOUR, timedelta(0), HOUR)


def test_a_price_and_a_query_say_the_same_of_every_price():
    now = clock.billing()
    with trail.acting(actor.job("tests"), reason="tests"):
        sold = Plan.objects.create(code="sold", name="Sold")
        archived = Plan.objects.create(code="archived", name="Archived", archived_at=now - HOUR)
        every = itertools.product((sold, archived), ("published", ""), MOMENTS, MOMENTS)
        for number, (plan, published, begins, ends) in enumerate(every):
            PlanPrice.objects.create(
                plan=plan,
                code=f"price-{number}",
                stripe_price_id=f"price_{number}" if published else None,
                currency="usd",
                unit_amount=100,
                interval="month",
                active_from=None if begins is None else now + begins,
                active_until=None if ends is None else now + ends,
            )
    rows = PlanPrice.objects.select_related("plan")

    for_sale = {row.code for row in rows if row.is_for_sale(now)}

    assert for_sale == {row.code for row in PlanPrice.objects.for_sale(now)}
    by_hand = {(begins, ends) for begins in (None, -HOUR, timedelta(0)) for ends in (None, HOUR)}
    assert len(for_sale) == len(by_hand) == 6
