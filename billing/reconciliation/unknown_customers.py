"""Findings about customers at Stripe that no Office has. A person decides about them."""

import uuid
from collections.abc import Iterable

from django.db.models import Q

from billing import errors, invoice_lines
from billing.findings import (
    NOT_LINKED,
    OF_UNKNOWN_CUSTOMERS,
    SECOND_CUSTOMER,
    UNKNOWN_CUSTOMER,
    end,
    report,
    resolve,
)
from billing.models import Finding, Office, Operation, Reconciliation
from billing.models.statuses import LIVE
from billing.reconciliation.suspects import offices_of
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import CustomerState, SubscriptionState

CLAIMS = (SECOND_CUSTOMER, NOT_LINKED)


def tell_of_customers(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Report a finding for each customer whose metadata names an Office that has no customer, or has another.

    Findings about customers that an Office has by now, or that name no Office of ours any more, are resolved.
    """
    listed = list(listed)
    ours = offices_of(listed)
    end(
        Finding.objects.filter(kind__in=OF_UNKNOWN_CUSTOMERS, subject__in=ours),
        resolution="an Office has this customer",
    )
    others = [one.state for one in listed if isinstance(one.state, CustomerState) and one.customer not in ours]
    named = [(state, number) for state in others if (number := office_id(state))]
    offices = Office.objects.in_bulk({number for _, number in named}, field_name="public_id")
    claims = [(state, offices[number]) for state, number in named if number in offices]
    unclaimed = {state.id for state in others} - {state.id for state, _ in claims}
    no_more = Finding.objects.filter(kind__in=CLAIMS, subject__in=unclaimed)
    end(no_more, resolution="the customer does not have the Office's id any more")
    for state, office in claims:
        _tell_of_claim(run, office, state)


def _tell_of_claim(run: Reconciliation, office: Office, state: CustomerState) -> None:
    """Report that the customer's metadata names this Office. A finding with the other claim is over."""
    if office.payment_provider_customer_id:
        resolve(NOT_LINKED, state.id, resolution="the Office has another customer")
        report(
            SECOND_CUSTOMER,
            state.id,
            office=office,
            facts=str(office.public_id),
            comparison=run,
            detail="A second customer at Stripe has this Office's id. What is charged to it does not show here. "
            "Delete it at Stripe, or remove the Office's id from its metadata.",
        )
    elif not office.operations.filter(status__in=Operation.UNSETTLED).exists():
        report(
            NOT_LINKED,
            state.id,
            office=office,
            facts=str(office.public_id),
            comparison=run,
            detail="A customer at Stripe has this Office's id, but the Office has no customer here. If it is the "
            "right one, link it.",
        )


def tell_of_subscriptions(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Report a finding for each customer without an Office that has a live subscription to one of our plans.

    A customer with an Office's id has a finding of its own, open or closed by a person, and gets no other one.
    """
    listed = list(listed)
    ours = offices_of(listed)
    unknown = [
        (one.customer, one.state)
        for one in listed
        if one.customer not in ours and isinstance(one.state, SubscriptionState)
    ]
    if not unknown:
        return
    sold = invoice_lines.prices_of(item.price_id for _, state in unknown for item in state.items)
    named = {customer for customer, _ in unknown}
    told = Finding.objects.filter(Q(resolved_at=None) | Q(decision_holds=True), kind__in=CLAIMS, subject__in=named)
    claimed = set(told.values_list("subject", flat=True))
    for customer, state in unknown:
        if customer in claimed:
            continue
        plans = sorted({str(sold[item.price_id].plan) for item in state.items if item.price_id in sold})
        if not plans or state.status not in LIVE:
            run.count("ended subscriptions of others" if plans else "subscriptions of others")
            continue
        report(
            UNKNOWN_CUSTOMER,
            customer,
            office=None,
            facts=f"subscribes to {', '.join(plans)}",
            comparison=run,
            detail=f"A customer at Stripe subscribes to {' and '.join(plans)} but has no Office here. If the customer "
            "is a practice, adopt it. If not, end its subscription at Stripe, or close this finding. "
            f"The customer is {errors.without_stripe_ids(customer)}.",
        )


def office_id(state: CustomerState) -> uuid.UUID | None:
    """Return the Office's id from the customer's metadata, or None. Do not trust it: anybody can type it at Stripe."""
    try:
        return uuid.UUID(state.office)
    except ValueError:
        return None
