"""All of an Office's subscriptions, past and present, and an append-only history of how they changed."""

import uuid

from django.db import models

from billing.models.office import LIVE_STATUSES


class Subscription(models.Model):
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
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["office", "created_at"], name="subscription_of_office")]

    def __str__(self) -> str:
        return f"{self.plan_price.plan if self.plan_price else 'unknown plan'} ({self.status})"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_STATUSES and self.deleted_at is None

    @property
    def counts_as_revenue(self) -> bool:
        return self.status in ("active", "past_due") and self.deleted_at is None


class SubscriptionChange(models.Model):
    """One step in a subscription's life, written by ``projection.apply`` and never changed."""

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
