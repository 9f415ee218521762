"""Plans and their prices. A price is never edited, only replaced by another."""

import uuid
from datetime import datetime

from django.db import models

from billing.models.named import Named
from billing.money import Money, monthly


class Plan(Named):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(unique=True)
    name = models.CharField(max_length=100, help_text="Neutral: it is printed on invoices and card statements.")
    stripe_product_id = models.CharField(max_length=255, unique=True, null=True, editable=False)  # noqa: DJ001
    archived_at = models.DateTimeField(null=True, blank=True)
    ticket = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class PlanPriceQuerySet(models.QuerySet["PlanPrice"]):
    def for_sale(self, at: datetime) -> "PlanPriceQuerySet":
        """Return the prices for sale at ``at``: published at Stripe, within their dates, of a plan not archived."""
        return (
            self.filter(plan__archived_at=None, stripe_price_id__isnull=False)
            .exclude(active_from__gt=at)
            .exclude(active_until__lte=at)
            .select_related("plan")
        )

    def unretired(self, at: datetime) -> "PlanPriceQuerySet":
        """Return the prices that are for sale at ``at`` or will be, as far as their own dates say. Not the plan."""
        return self.exclude(active_until__lte=at)

    def unpublished(self, at: datetime) -> "PlanPriceQuerySet":
        """Return the prices that are not retired and not at Stripe yet."""
        return self.unretired(at).filter(stripe_price_id=None)


class PlanPrice(models.Model):
    class Interval(models.TextChoices):
        MONTH = "month"
        YEAR = "year"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="prices")
    code = models.SlugField(unique=True)
    stripe_price_id = models.CharField(max_length=255, unique=True, null=True, editable=False)  # noqa: DJ001
    currency = models.CharField(max_length=3)
    unit_amount = models.BigIntegerField(help_text="Minor units of the currency.")
    interval = models.CharField(max_length=5, choices=Interval.choices)
    interval_count = models.PositiveSmallIntegerField(default=1)
    per_seat = models.BooleanField(default=False, help_text="Charged once per seat; else the quantity is always 1.")
    active_from = models.DateTimeField(null=True, blank=True)
    active_until = models.DateTimeField(null=True, blank=True)
    ticket = models.BigIntegerField(default=0, editable=False)

    objects = PlanPriceQuerySet.as_manager()

    class Meta:
        ordering = ["plan__code", "unit_amount"]
        constraints = [
            models.CheckConstraint(condition=models.Q(unit_amount__gte=0), name="plan_price_not_negative"),
            models.CheckConstraint(
                condition=models.Q(interval_count__gte=1), name="plan_price_interval_count_positive"
            ),
        ]

    def __str__(self) -> str:
        seat = " per seat" if self.per_seat else ""
        return f"{self.plan.name}: {self.money}{seat} {self.in_words}"

    def is_for_sale(self, at: datetime) -> bool:
        """Return whether ``for_sale`` finds it at this moment. Its plan must be loaded."""
        has_begun = self.active_from is None or self.active_from <= at
        is_over = self.active_until is not None and self.active_until <= at
        return bool(self.stripe_price_id) and self.plan.archived_at is None and has_begun and not is_over

    @property
    def in_words(self) -> str:
        return f"a {self.interval}" if self.interval_count == 1 else f"every {self.every}"

    @property
    def how_often(self) -> str:
        return f"once a {self.interval}" if self.interval_count == 1 else f"every {self.every}"

    @property
    def every(self) -> str:
        return self.interval if self.interval_count == 1 else f"{self.interval_count} {self.interval}s"

    @property
    def money(self) -> Money:
        return Money(self.unit_amount, self.currency)

    def monthly_amount(self, quantity: int) -> int:
        """Return the minor units a month for ``quantity`` of this price."""
        return monthly(self.unit_amount * quantity, interval=self.interval, interval_count=self.interval_count)
