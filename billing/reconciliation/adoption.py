"""Adoption: making an Office of each subscribed customer that has none, from the pages of Stripe's lists.

The database may be empty or not. Pages are read without a ticket, so what they show is written with a ticket that is
older than every look's. After its first look, an Office is written only by looks. Only customers with a subscription
to one of our plans are adopted, because nothing else says that a customer is a practice.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from billing import clock, errors, stored_texts
from billing.findings import report, resolve
from billing.look import queue_look
from billing.models import (
    Adjustment,
    Invoice,
    Office,
    Payment,
    Plan,
    PlanPrice,
    ReceivedEvent,
    Reconciliation,
    Subscription,
)
from billing.models.office import LOCALE, NAMELESS
from billing.projection import OLDEST, apply
from billing.reconciliation.compare import NOT_HERE
from billing.reconciliation.suspects import Suspect, offices_of
from billing.reconciliation.unknown_customers import office_id
from billing.stripe_api import mirror
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import Contact, CustomerState, PriceState, Snapshot, SubscriptionState
from billing.text import gate
from billing.text.gate import Typed


def adopt_prices(run: Reconciliation, prices: Iterable[PriceState]) -> None:
    """Make a plan price of each price that can be one: it has an interval and a fixed amount for each unit.

    If the comparison names products, only their prices are adopted. Repeating is safe: known prices are left out.
    """
    prices = [one for one in prices if not run.products or one.product_id in run.products]
    named = [one.id for one in prices]
    known = set(PlanPrice.objects.filter(stripe_price_id__in=named).values_list("stripe_price_id", flat=True))
    for state in prices:
        if state.id in known:
            continue
        if not state.is_plain:
            run.count("prices that cannot be plans")
            continue
        with transaction.atomic(durable=True):
            _adopt_price(state)
        run.count("prices adopted")


def adopt(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Make an Office of each subscribed customer that has none, from what the page shows of it.

    A customer whose metadata names an Office of ours is not adopted. A finding asks a person about it instead.
    """
    listed = list(listed)
    known, sold = set(offices_of(listed)), _sold(listed, run.products)
    strange = [one for one in listed if one.customer not in known]
    named = {office_id(one.owner) for one in strange if one.owner} - {None}
    claimed = set(Office.objects.filter(public_id__in=named).values_list("public_id", flat=True))
    of_customer: defaultdict[str, list[Listed]] = defaultdict(list)
    for one in strange:
        if one.owner is None or one.owner.deleted or office_id(one.owner) in claimed:
            continue
        if isinstance(one.state, SubscriptionState) and _sells(one.state, sold):
            of_customer[one.customer].append(one)
        else:
            run.count("subscriptions of others")
    for group in of_customer.values():
        adopt_one(group)
        run.count("Offices adopted")
    _look_at_what_was_told(run, list(of_customer))


def _look_at_what_was_told(run: Reconciliation, customers: list[str]) -> None:
    """Queue a look at the Offices whose events came before they were adopted.

    Such an event was ignored, because its customer had no Office. The page may be older than the event.
    """
    reported = ReceivedEvent.objects.filter(
        customer_id__in=customers, status=ReceivedEvent.Status.IGNORED, received_at__gte=run.began_at
    )
    named = set(reported.values_list("customer_id", flat=True))
    for office in Office.objects.filter(payment_provider_customer_id__in=named):
        queue_look(office)


def of_ours(listed: Iterable[Listed]) -> list[Listed]:
    """Return the subscriptions to our plans whose customers are not deleted."""
    listed = list(listed)
    sold = _sold(listed)
    return [
        one
        for one in listed
        if isinstance(one.state, SubscriptionState)
        and one.owner is not None
        and not one.owner.deleted
        and _sells(one.state, sold)
    ]


def adopt_one(subscriptions: list[Listed]) -> Office:
    """Make an Office of the customer that has these subscriptions, and return it.

    If the customer's metadata has the id of an Office and no Office has that id now, the new Office gets it back.
    """
    customer, contact = subscriptions[0].owner, subscriptions[0].contact
    states = tuple(one.state for one in subscriptions if isinstance(one.state, SubscriptionState))
    assert customer is not None
    office = _office(customer, contact or Contact("", "", ""))
    for item in (item for state in states for item in state.items):
        if item.quantity > 1:
            _is_per_seat(item.price_id)
    return apply(Snapshot(office.pk, OLDEST, clock.billing(), customer, states))


def adopt_customer(one: Listed) -> Office:
    """Make an Office of a customer that this software made for one that is lost, also if it subscribes to nothing.

    ``one`` is of the list of customers. The Office gets its id back, and a comparison brings the rest.
    """
    assert isinstance(one.state, CustomerState)
    office = _office(one.state, one.contact or Contact("", "", ""))
    return apply(Snapshot(office.pk, OLDEST, clock.billing(), one.state))


def _sold(listed: Iterable[Listed], products: list[str] | None = None) -> set[str | None]:
    """Return the ids of those of their prices that are our plan prices. If products are named, only of those."""
    states = [one.state for one in listed if isinstance(one.state, SubscriptionState)]
    prices = PlanPrice.objects.filter(stripe_price_id__in={item.price_id for state in states for item in state.items})
    prices = prices.filter(plan__stripe_product_id__in=products) if products else prices
    return set(prices.values_list("stripe_price_id", flat=True))


def _sells(state: SubscriptionState, sold: set[str | None]) -> bool:
    return any(item.price_id in sold for item in state.items)


def build(found: list[Suspect]) -> list[Suspect]:
    """Write missing rows from the page for Offices that no look has seen yet, and return all other suspects."""
    parts: defaultdict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    left = []
    kinds = {Subscription: "subscriptions", Invoice: "invoices", Payment: "payments", Adjustment: "adjustments"}
    for one in found:
        has_own_card = isinstance(one.state, SubscriptionState) and one.state.card.is_known
        is_new = one.state is not None and one.found == NOT_HERE
        if _is_built_from_pages(one.office) and is_new and one.model in kinds and not has_own_card:
            parts[one.office.pk][kinds[one.model]].append(one.state)
        else:
            left.append(one)
    for pk, states in parts.items():
        apply(Snapshot(pk, OLDEST, clock.billing(), None, **{name: tuple(some) for name, some in states.items()}))
    return left


def _is_built_from_pages(office: Office) -> bool:
    """Return whether the Office was adopted and no look has seen it yet."""
    return office.customer_ticket == OLDEST and office.confirmed_at is not None


def _office(customer: CustomerState, contact: Contact) -> Office:
    old = office_id(customer)
    given = {"public_id": old} if old and not Office.objects.filter(public_id=old).exists() else {}
    name, email = " ".join(contact.name.split())[:200], contact.email
    office = Office(
        name=name or f"{NAMELESS}, …{customer.id[-4:]}",
        billing_email=email if _is_address(email) else "",
        locale=contact.locale if _is_locale(contact.locale) else "en",
        payment_provider_customer_id=customer.id,
        **given,
    )
    try:
        with transaction.atomic(durable=True):
            office.save()
    except IntegrityError:  # another process adopted it just now
        return Office.objects.get(payment_provider_customer_id=customer.id)
    resolve("unknown_customer", customer.id, resolution="it was adopted")
    stored_texts.tell(office)
    if not (name and office.billing_email):
        report(
            "contact_missing",
            str(office.public_id),
            office=office,
            detail="The customer was adopted without a name or an e-mail address. Change the contact.",
        )
    return office


def _adopt_price(state: PriceState) -> None:
    plan = Plan.objects.filter(stripe_product_id=state.product_id).first()
    if plan is None:
        name = " ".join(state.product_name.split())[:100]
        plan = Plan.objects.create(
            code=_free(Plan, name or "plan"),
            name=name or "Plan",
            stripe_product_id=state.product_id,
            archived_at=None if state.product_active else clock.wall(),
        )
        mirror.product(plan, active=state.product_active)
        stored_texts.tell(plan)
    price = PlanPrice.objects.create(
        plan=plan,
        code=_free(PlanPrice, _neutral(state.lookup_key or "") or f"{plan.code}-{state.interval}"),
        stripe_price_id=state.id,
        currency=state.currency,
        unit_amount=state.unit_amount,
        interval=state.interval,
        interval_count=state.interval_count,
        active_until=None if state.active else clock.billing(),
    )
    mirror.price(price, active=state.active)


def _is_per_seat(price_id: str) -> None:
    """Mark the price as charged per seat. A subscription with a quantity above 1 shows that it is."""
    for price in PlanPrice.objects.filter(stripe_price_id=price_id, per_seat=False):
        price.per_seat = True
        price.save(update_fields=["per_seat"])


def _free(model: type[Plan] | type[PlanPrice], wanted: str) -> str:
    """Return a code like ``wanted`` that no row has yet."""
    base = slugify(wanted)[:40] or "plan"
    code, number = base, 1
    while model._default_manager.filter(code=code).exists():
        number += 1
        code = f"{base}-{number}"
    return code


def _neutral(code: str) -> str:
    """Return the code, or nothing if the gate would refuse it: a code of ours can take its place."""
    try:
        return gate.checked(code, Typed.CODE)[:100]
    except errors.TextNotNeutral:
        return ""


def _is_address(email: str) -> bool:
    try:
        validate_email(email)
    except ValidationError:
        return False
    return True


def _is_locale(locale: str) -> bool:
    try:
        LOCALE(locale)
    except ValidationError:
        return False
    return True
