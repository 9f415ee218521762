"""The plans at Stripe: a product for each plan, a price for each plan price."""

from billing import clock
from billing.audit.actor import Actor
from billing.models import Plan, PlanPrice
from billing.operations.plans.performed import perform
from billing.operations.plans.prices import PublishPlan


def publish_plans(*, by: Actor, reason: str) -> int:
    """Every plan price of ours has its price at Stripe, but for what is retired. Returns how many were new.

    Money does not move. Raises: as ``plans.performed.perform``, of the first plan that cannot be published.
    """
    waiting = PlanPrice.objects.unpublished(clock.billing()).filter(plan__archived_at=None)
    before = waiting.count()
    for plan in Plan.objects.filter(archived_at=None):
        if PublishPlan.offered(plan):
            perform(PublishPlan(), plan, by=by, reason=reason)
    return before - waiting.count()
