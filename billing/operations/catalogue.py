"""The plans at Stripe: a product for each plan, a price for each plan price."""

from django.db import transaction

from billing import errors
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Plan, PlanPrice
from billing.money import why_not_taken
from billing.stripe_api import gateway, mirror
from billing.stripe_api.fixed_key import FixedKey


def publish_plans(*, by: Actor, reason: str) -> int:
    """Every plan price of ours has its price at Stripe. Returns how many were new. Money does not move."""
    published = 0
    with trail.acting(by, reason=reason):
        for plan in Plan.objects.filter(archived_at=None, stripe_product_id=None):
            product = gateway.catalogue.create_product(plan, step=FixedKey(f"product:{plan.public_id}"))
            with transaction.atomic(durable=True):
                plan.stripe_product_id = product
                plan.save(update_fields=["stripe_product_id"])
        for price in PlanPrice.objects.filter(
            stripe_price_id=None, plan__stripe_product_id__isnull=False
        ).select_related("plan"):
            if why := why_not_taken(price.unit_amount, price.currency):
                raise errors.AmountInvalid(f"{price}: {why}")
            made = gateway.catalogue.create_price(price, step=FixedKey(f"price:{price.public_id}"))
            with transaction.atomic(durable=True):
                price.stripe_price_id = made
                price.save(update_fields=["stripe_price_id"])
                mirror.price(price)
            published += 1
    return published
