"""A look at the catalogue: whether a product or price that we sell is still for sale at Stripe.

The counter of its tickets is in the one StripeAccount row. Each plan and plan price remembers the newest ticket that
wrote it. We decide what is sold and at what price. So only ``active`` is written, and a difference becomes a finding.
"""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F

from billing import clock
from billing.findings import report, resolve
from billing.models import Finding, Plan, PlanPrice, StripeAccount
from billing.stripe_api import gateway, mirror
from billing.stripe_api.inbound.states import PriceState

NOT_FOR_SALE = "not_for_sale_at_stripe"
PRICE_DIFFERS = "price_differs"


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
        state = gateway.catalogue.fetch_price(stripe_id)
        _apply(price, ticket, active=state is not None and state.active)
        _tell_of_terms(price, state)
    return True


def to_look_at(listed: Iterable[PriceState]) -> list[str]:
    """Return which of our products and prices need a look, by their ids at Stripe, after a page showed these prices.

    They differ from ours, or a finding about them is open, which may be over.
    """
    states = {one.id: one for one in listed}
    ours = PlanPrice.objects.filter(stripe_price_id__in=states).select_related("plan")
    told = set(
        Finding.objects.filter(kind__in=(NOT_FOR_SALE, PRICE_DIFFERS), resolved_at=None).values_list(
            "subject", flat=True
        )
    )
    found = []
    for price in ours:
        state = states[str(price.stripe_price_id)]
        is_other = _terms(price) != _terms(state) or (price.is_for_sale(clock.billing()) and not state.active)
        if is_other or str(price.public_id) in told:
            found.append(state.id)
        if (price.plan.archived_at is None and not state.product_active) or str(price.plan.public_id) in told:
            found.append(state.product_id)
    return list(dict.fromkeys(found))


def _take_ticket() -> int:
    with transaction.atomic(durable=True):
        StripeAccount.objects.update(catalogue_ticket=F("catalogue_ticket") + 1)
        return StripeAccount.objects.values_list("catalogue_ticket", flat=True).get()


def _apply(row: Plan | PlanPrice, ticket: int, *, active: bool) -> None:
    """Write ``active`` into the row's mirror, unless a newer look wrote it. Report a finding while only we sell it."""
    with transaction.atomic(durable=True):
        if not type(row).objects.filter(pk=row.pk, ticket__lt=ticket).update(ticket=ticket):
            return
        row.refresh_from_db()  # somebody may have retired it while Stripe answered
        if isinstance(row, Plan):
            mirror.product(row, active=active)
            is_sold = row.archived_at is None
        else:
            mirror.price(row, active=active)
            is_sold = row.is_for_sale(clock.billing())
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


def _terms(of: PlanPrice | PriceState) -> tuple[int, str, str, int]:
    return of.unit_amount, of.currency, of.interval, of.interval_count


def _tell_of_terms(price: PlanPrice, state: PriceState | None) -> None:
    """Report a finding while the price at Stripe has another amount, currency or interval than ours."""
    subject = str(price.public_id)
    if state is None or _terms(price) == _terms(state) or not price.is_for_sale(clock.billing()):
        resolve(PRICE_DIFFERS, subject, resolution="the terms are the same, or it is not sold any more")
        return
    amount, currency, interval, count = _terms(state)
    theirs = PlanPrice(unit_amount=amount, currency=currency, interval=interval, interval_count=count)
    report(
        PRICE_DIFFERS,
        subject,
        office=None,
        facts=repr((_terms(price), _terms(state))),
        detail=f"{price.plan}: {price.money} {price.in_words} here, {theirs.money} {theirs.in_words} at Stripe. Stripe "
        "charges its own amount. Replace the price here.",
    )
