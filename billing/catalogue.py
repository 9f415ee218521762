"""A look at the catalogue: whether a product or price that we sell is still for sale at Stripe.

The counter of its tickets is in the one StripeAccount row. Each plan and plan price remembers the newest ticket that
wrote it. We decide what is sold and at what price. So only ``active`` is read, and a difference becomes a finding.
"""

from django.db import transaction
from django.db.models import F

from billing.findings import report, resolve
from billing.models import Plan, PlanPrice, StripeAccount
from billing.stripe_api import gateway, mirror

NOT_FOR_SALE = "not_for_sale_at_stripe"


def look_at(stripe_id: str) -> bool:
    """Write into the mirror whether this product or price is for sale. Return False if it is not ours.

    Repeating is safe.

    Raises:
        StripeUnavailable: nothing was changed.
    """
    plan = Plan.objects.filter(stripe_product_id=stripe_id).first()
    price = PlanPrice.objects.filter(stripe_price_id=stripe_id).select_related("plan").first()
    if plan is None and price is None:
        return False
    ticket = _take_ticket()
    if plan:
        _apply(plan, ticket, active=gateway.catalogue.is_product_for_sale(stripe_id))
    if price:
        _apply(price, ticket, active=gateway.catalogue.is_price_for_sale(stripe_id))
    return True


def _take_ticket() -> int:
    with transaction.atomic(durable=True):
        StripeAccount.objects.update(catalogue_ticket=F("catalogue_ticket") + 1)
        return StripeAccount.objects.values_list("catalogue_ticket", flat=True).get()


def _apply(row: Plan | PlanPrice, ticket: int, *, active: bool) -> None:
    """Write ``active`` into the row's mirror, unless a newer look wrote it. Report a finding while only we sell it."""
    with transaction.atomic(durable=True):
        if not type(row).objects.filter(pk=row.pk, ticket__lt=ticket).update(ticket=ticket):
            return
        if isinstance(row, Plan):
            mirror.product(row, active=active)
            is_sold = row.archived_at is None
        else:
            mirror.price(row, active=active)
            is_sold = row.active_until is None and row.plan.archived_at is None
        if active or not is_sold:
            resolve(NOT_FOR_SALE, str(row.public_id), resolution="it is for sale at Stripe again, or no longer here")
        else:
            report(
                NOT_FOR_SALE,
                str(row.public_id),
                office=None,
                detail=f"{row} is for sale here, but at Stripe it is archived or deleted. Bring it back there, or "
                "replace it here.",
            )
