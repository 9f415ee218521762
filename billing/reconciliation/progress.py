"""How far a comparison is, for a person who waits for it."""

from dataclasses import dataclass

from django.db.models import Count, Q

from billing.models import Office, Reconciliation
from billing.reconciliation import stages

OF_OFFICES = "customers"
"""The stage in which each Office's customer is compared. Of no other stage is it known how many objects there are."""


@dataclass(frozen=True, slots=True)
class Progress:
    """``number`` of ``stages`` is under way. ``done`` of ``offices`` were found in Stripe's list of customers."""

    stage: str
    number: int
    stages: int
    done: int
    offices: int

    @property
    def percent(self) -> int:
        """Return how much of it is done: each stage counts the same. It is not over before its last page."""
        within = self.done / self.offices if self.stage == OF_OFFICES and self.offices else 0
        return min(99, int(100 * (self.number - 1 + within) / self.stages))


def of(run: Reconciliation) -> Progress | None:
    """Return how far it is, or None if it has ended or is at a stage of another version. One statement."""
    names = stages.names(run)
    if run.ended_at or run.stage not in names:
        return None
    counted = Office.objects.filter(payment_provider_customer_id__isnull=False).aggregate(
        offices=Count("pk"), done=Count("pk", filter=Q(reconciled_at__gte=run.began_at))
    )
    return Progress(run.stage, names.index(run.stage) + 1, len(names), counted["done"], counted["offices"])
