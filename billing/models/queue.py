"""The tables of the workers: jobs, the shared limit of requests to Stripe, and heartbeats."""

from django.db import models


class Job(models.Model):
    """Work that is due once or again and again. One worker at a time runs it: see ``billing.jobs``."""

    name = models.CharField(max_length=60, unique=True)
    due_at = models.DateTimeField(db_index=True)
    claim_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    last_run_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class RequestBudget(models.Model):
    """What all workers share to stay below Stripe's limits, a row for each: see ``billing.stripe_api.turns``.

    ``slot`` is when the next request may be made, in microseconds since 1970. ``taken`` is what a version before used.
    """

    slot = models.BigIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"free from {self.slot}"


class WorkerHeartbeat(models.Model):
    name = models.CharField(max_length=100, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
