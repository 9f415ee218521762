"""What Offices subscribe to: how many of them at each price, and what they pay a month.

A subscription is counted at its main price. An Office with two live ones is counted with each: that is a finding too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Sum

from billing.models import PlanPrice, Subscription
from billing.models.expressions import one_of
from billing.models.statuses import LIVE, REVENUE
from billing.money import Money, of_each


@dataclass(slots=True)
class Figures:
    """``live`` is how many have it. ``monthly`` is the recurring revenue in minor units a month, by currency."""

    live: int = 0
    monthly: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        self.live += other.live
        for currency, amount in other.monthly.items():
            self.monthly[currency] = self.monthly.get(currency, 0) + amount

    @property
    def revenue(self) -> list[Money]:
        """Return the recurring revenue a month, an amount for each currency."""
        return of_each(self.monthly)


def of_prices(prices: Iterable[PlanPrice] | None = None) -> dict[int, Figures]:
    """Return the figures of these prices, or of all of them, by their primary keys. One statement."""
    # by the index of prices, which has all that is counted
    live = Subscription.objects.filter(one_of("status", LIVE), deleted_at=None, plan_price__isnull=False)
    if prices is not None:
        live = live.filter(plan_price__in=[one.pk for one in prices])
    counted = live.order_by().values("plan_price", "currency", "status")
    found: dict[int, Figures] = {}
    for one in counted.annotate(times=Count("*"), amount=Sum("monthly_amount")):
        monthly = {one["currency"]: one["amount"]} if one["status"] in REVENUE else {}
        found.setdefault(one["plan_price"], Figures()).add(Figures(one["times"], monthly))
    return found


def together(prices: Iterable[PlanPrice], figures: dict[int, Figures]) -> Figures:
    """Return the sum over some prices."""
    total = Figures()
    for price in prices:
        total.add(figures.get(price.pk, Figures()))
    return total
