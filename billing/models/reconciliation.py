"""Comparisons of everything at Stripe with our rows: how far each one is, and what it counted."""

import uuid

from django.db import models

from billing import clock


class Reconciliation(models.Model):
    """One comparison. The process that holds its lease continues it page by page. At most one has not ended."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    began_at = models.DateTimeField(default=clock.wall)
    ended_at = models.DateTimeField(null=True)
    actor_label = models.CharField(max_length=255)
    reason = models.CharField(max_length=200)
    everything = models.BooleanField(default=False, help_text="All of the past, not the recent alone")
    adopts = models.BooleanField(default=False, help_text="Makes an Office of each subscribed customer without one")
    products = models.JSONField(default=list, help_text="Which products at Stripe are adopted; all where empty")
    recent_since = models.DateTimeField(help_text="What Stripe made before is compared only with everything")
    events_since = models.DateTimeField(null=True, help_text="Events from then on are taken in")
    stage = models.CharField(max_length=30)
    cursor = models.CharField(max_length=255, blank=True)
    seen_to = models.JSONField(default=list, help_text="Keys of the Offices of this page that were looked at")
    counts = models.JSONField(default=dict)
    claim_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    findings = models.ManyToManyField("billing.Finding", related_name="comparisons", help_text="What it told of")

    class Meta:
        verbose_name = "comparison"
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(ended_at__isnull=True), name="one_reconciliation_under_way"
            )
        ]

    def __str__(self) -> str:
        return f"comparison of {self.began_at:%d %B %Y %H:%M}"

    @property
    def takes_all(self) -> bool:
        """Return whether the lists are read to their ends. Adoption does this too: an Office has all of its past."""
        return self.everything or self.adopts

    def count(self, what: str, how_many: int = 1) -> None:
        """Add to a count. Nothing is saved here: the process that holds the lease does that."""
        self.counts[what] = self.counts.get(what, 0) + how_many
