"""All of an Office's subscriptions with their items, past and present, and the history of their changes.

The history is only added to.
"""

import uuid

from django.db import models

from billing import zones
from billing.discounts import Discount
from billing.models.statuses import LIVE, REVENUE, InvoicesBecome
from billing.money import Money

NOT_OURS = "a price that is not one of our plans"
DISCOUNT_DURATIONS = (("once", "once"), ("repeating", "for some months"), ("forever", "without an end"))


class Discounted(models.Model):
    """What can have discounts at Stripe: a subscription, and each of its items."""

    discount_count = models.PositiveSmallIntegerField(default=0, help_text="The columns tell of the first")
    discount_percent = models.DecimalField(max_digits=7, decimal_places=4, null=True)
    discount_amount = models.BigIntegerField(default=0, help_text="Minor units off each invoice, in the currency")
    discount_currency = models.CharField(max_length=3, blank=True)
    discount_duration = models.CharField(max_length=10, blank=True, choices=DISCOUNT_DURATIONS)
    discount_until = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def zone(self) -> str:
        """Return the time zone of its Office."""
        raise NotImplementedError

    @property
    def discount(self) -> str:
        """Return what is taken off its invoices, in our own words. "" if there is no discount."""
        if not self.discount_count:
            return ""
        amount = Money(self.discount_amount, self.discount_currency)
        first = Discount(self.discount_percent, amount, self.discount_duration, until=self.discount_until)
        words = first.in_words(self.zone)
        return f"{words}, and {self.discount_count - 1} more" if self.discount_count > 1 else words


class Subscription(Discounted):
    """A subscription. ``plan_price`` and ``quantity`` are those of its main item, the first whose price is ours.

    ``monthly_amount`` is the sum over its items. ``current_period_end`` is the earliest end of its items' periods.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="subscriptions")
    stripe_id = models.CharField(max_length=255, unique=True)
    ticket = models.BigIntegerField()
    status = models.CharField(max_length=20)
    plan_price = models.ForeignKey("billing.PlanPrice", null=True, on_delete=models.PROTECT)
    quantity = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    monthly_amount = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    current_period_start = models.DateTimeField(null=True)
    current_period_end = models.DateTimeField(null=True)
    billing_cycle_anchor = models.DateTimeField(null=True)
    trial_end = models.DateTimeField(null=True)
    cancel_at = models.DateTimeField(null=True)
    collection_paused = models.CharField(
        max_length=20, blank=True, choices=InvoicesBecome.choices, help_text="Its new invoices are not collected, but"
    )
    collection_paused_until = models.DateTimeField(null=True, help_text="Empty: until somebody resumes it")
    schedule = models.JSONField(null=True, help_text="What manages it, as billing.schedules stores it. Empty: nothing")
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["office", "created_at"], name="subscription_of_office"),
            models.Index(fields=["status", "deleted_at", "currency", "monthly_amount"], name="subscription_by_revenue"),
            models.Index(fields=["created_at", "id"], name="subscription_by_time"),
            models.Index(
                # what is counted for each price is read from the index alone
                fields=["plan_price", "currency", "status", "deleted_at", "monthly_amount"],
                name="subscription_by_price",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan_price.plan if self.plan_price else 'unknown plan'} ({self.status.replace('_', ' ')})"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE and self.deleted_at is None

    @property
    def present_items(self) -> list["SubscriptionItem"]:
        """Return the items that it has now. One query, or none if all were prefetched."""
        if "items" in getattr(self, "_prefetched_objects_cache", ()):
            return [one for one in self.items.all() if not one.removed_at]
        return list(self.items.filter(removed_at=None).select_related("plan_price__plan"))

    @property
    def has_several_items(self) -> bool:
        """Return whether it has more than one item now. No query if the row came with its ``item_count``."""
        counted = getattr(self, "item_count", None)
        return (len(self.present_items) if counted is None else counted) > 1

    @property
    def zone(self) -> str:
        return self.office.time_zone

    @property
    def discounts_in_words(self) -> str:
        """Return what is taken off its invoices and off single items of it. "" if nothing is."""
        of_items = [f"{item.discount} ({item})" for item in self.present_items if item.discount]
        return "; ".join(filter(None, [self.discount, *of_items]))

    @property
    def collection_in_words(self) -> str:
        """Return how its new invoices are collected. "" if it is not live, so that it has none."""
        if not self.collection_paused:
            return "as usual" if self.is_live else ""
        again_from = self.collection_paused_until
        ends = (
            f", collected again from {zones.day(again_from, self.zone)}" if again_from else " until somebody resumes it"
        )
        return f"paused{ends}: new invoices are {self.get_collection_paused_display()}"

    @property
    def items_in_words(self) -> str:
        return " and ".join(map(str, self.present_items))

    @property
    def in_words(self) -> str:
        """Return what tells it apart from others of its Office: its plans, its status and when it was made."""
        made = f"made on {zones.day(self.created_at, self.zone)}"
        return ", ".join(filter(None, [self.items_in_words, self.status.replace("_", " "), made]))

    @property
    def billed_in_words(self) -> str:
        """Return what it bills and since when: Team × 4, 196.00 USD a month, active, begun on 2 March 2030 (UTC)."""
        begun = f"begun on {zones.day(self.started_at or self.created_at, self.zone)}"
        status = self.status.replace("_", " ")
        return ", ".join(filter(None, [self.items_in_words, f"{self.monthly} a month", status, begun]))

    @property
    def monthly(self) -> Money:
        return Money(self.monthly_amount, self.currency)

    @property
    def counts_as_revenue(self) -> bool:
        return self.status in REVENUE and self.deleted_at is None


class SubscriptionItem(Discounted):
    """One price of a subscription, with how many of it are billed. The amounts are minor units of its currency.

    ``unit_amount`` is null if what Stripe bills cannot be told from the price: tiers, packages or metered use.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="items")
    stripe_id = models.CharField(max_length=255, unique=True)
    price_id = models.CharField(max_length=255, help_text="The price's id at Stripe")
    plan_price = models.ForeignKey("billing.PlanPrice", null=True, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField(help_text="Zero is possible")
    currency = models.CharField(max_length=3)
    unit_amount = models.BigIntegerField(null=True)
    interval = models.CharField(max_length=5)
    interval_count = models.PositiveSmallIntegerField()
    monthly_amount = models.BigIntegerField()
    current_period_start = models.DateTimeField(null=True)
    current_period_end = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        name = str(self.plan_price.plan) if self.plan_price else NOT_OURS
        return name if self.quantity == 1 else f"{name} × {self.quantity:,}"

    @property
    def zone(self) -> str:
        return self.subscription.zone


class SubscriptionChange(models.Model):
    """One change of a subscription. ``projection.apply`` writes it, and it is never changed."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")
    office = models.ForeignKey("billing.Office", on_delete=models.PROTECT, related_name="subscription_changes")
    at = models.DateTimeField(db_index=True)
    status_before = models.CharField(max_length=20, blank=True)
    status_after = models.CharField(max_length=20)
    price_before = models.ForeignKey("billing.PlanPrice", null=True, on_delete=models.PROTECT, related_name="+")
    price_after = models.ForeignKey("billing.PlanPrice", null=True, on_delete=models.PROTECT, related_name="+")
    quantity_before = models.PositiveIntegerField(default=0)
    quantity_after = models.PositiveIntegerField()
    mrr_before = models.BigIntegerField(default=0, help_text="Minor units a month")
    mrr_after = models.BigIntegerField(help_text="Minor units a month")
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.status_before or 'new'} → {self.status_after}"
