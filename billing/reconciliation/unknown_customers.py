"""Findings about customers at Stripe that no Office has. A person decides about them."""

import uuid
from collections.abc import Iterable

from billing import clock, errors
from billing.findings import report
from billing.models import Finding, Office, Operation, PlanPrice, Reconciliation
from billing.models.statuses import LIVE
from billing.reconciliation.suspects import offices_of
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import CustomerState, SubscriptionState

UNKNOWN = "unknown_customer"
CLAIMS = ("second_customer", "customer_not_linked")


def tell_of_customers(listed: Iterable[Listed]) -> None:
    """Report a finding for each customer whose metadata names an Office that has no customer, or has another.

    Findings about customers that an Office has by now are resolved.
    """
    listed = list(listed)
    ours = offices_of(listed)
    over = Finding.objects.filter(kind__in=(*CLAIMS, UNKNOWN), subject__in=ours, resolved_at=None)
    over.update(resolved_at=clock.wall(), resolution="an Office has this customer")
    claims = [one.state for one in listed if isinstance(one.state, CustomerState) and one.customer not in ours]
    claimed = {office_id(state): state for state in claims if office_id(state)}
    for office in Office.objects.filter(public_id__in=claimed):
        state = claimed[office.public_id]
        if office.payment_provider_customer_id:
            report(
                "second_customer",
                state.id,
                office=office,
                severity="warning",
                detail="A second customer at Stripe has this Office's id. What is charged to it does not show here. "
                "Delete it at Stripe, or remove the Office's id from its metadata.",
            )
        elif not office.operations.filter(status__in=Operation.UNSETTLED).exists():
            report(
                "customer_not_linked",
                state.id,
                office=office,
                severity="critical",
                detail="A customer at Stripe has this Office's id, but the Office has no customer here. If it is the "
                "right one, link it.",
            )


def tell_of_subscriptions(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Report a finding for each customer without an Office that has a live subscription to one of our plans."""
    listed = list(listed)
    ours = offices_of(listed)
    unknown = [
        (one.customer, one.state)
        for one in listed
        if one.customer not in ours and isinstance(one.state, SubscriptionState)
    ]
    if not unknown:
        return
    prices = PlanPrice.objects.filter(stripe_price_id__in={state.price_id for _, state in unknown})
    sold = {str(price.stripe_price_id): price for price in prices.select_related("plan")}
    named = {customer for customer, _ in unknown}
    open_findings = Finding.objects.filter(kind__in=CLAIMS, subject__in=named, resolved_at=None)
    claimed = set(open_findings.values_list("subject", flat=True))
    for customer, state in unknown:
        if customer in claimed:
            continue
        price = sold.get(state.price_id)
        if price is None or state.status not in LIVE:
            run.count("subscriptions of others" if price is None else "ended subscriptions of others")
            continue
        report(
            UNKNOWN,
            customer,
            office=None,
            severity="warning",
            detail=f"A customer at Stripe subscribes to {price.plan} but has no Office here. If it is a practice, "
            f"adopt it. If not, end its subscription at Stripe. {errors.without_stripe_ids(customer)}",
        )


def office_id(state: CustomerState) -> uuid.UUID | None:
    """Return the Office's id from the customer's metadata, or None. Do not trust it: anybody can type it at Stripe."""
    try:
        return uuid.UUID(state.office)
    except ValueError:
        return None
