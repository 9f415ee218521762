"""An Office of each subscribed customer that has none: built from Stripe's pages, on an empty database or another.

Pages are seen without a ticket, so what they show is written with one that is older than every look's. An Office that
was looked at even once is left to looks. Only customers with a subscription to one of our plans are adopted: nothing
else says that a customer is a practice, and none that is not may enter.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from billing import clock, errors, neutral_text
from billing.findings import report
from billing.models import Adjustment, Invoice, Office, Payment, Plan, PlanPrice, Reconciliation
from billing.models.office import LOCALE
from billing.projection import OLDEST, apply
from billing.reconciliation.strangers import office_id
from billing.reconciliation.suspects import Suspect, offices_of
from billing.stripe_api import mirror
from billing.stripe_api.gateway.lists import Listed, PriceState
from billing.stripe_api.inbound import Contact, CustomerState, Snapshot, SubscriptionState


def adopt_prices(run: Reconciliation, prices: Iterable[PriceState]) -> None:
    """Each price that can be a plan price of ours is one: by its interval, and so much for each unit."""
    for state in prices:
        if run.products and state.product_id not in run.products:
            continue
        if PlanPrice.objects.filter(stripe_price_id=state.id).exists():
            continue
        if not state.is_plain:
            _count(run, "prices that cannot be plans")
            continue
        with transaction.atomic(durable=True):
            _adopt_price(state)
        _count(run, "prices adopted")


def adopt(run: Reconciliation, listed: Iterable[Listed]) -> None:
    """Each subscribed customer that no Office has is one now, with what the page shows of it."""
    listed = list(listed)
    known = set(offices_of(listed))
    for one in listed:
        if one.customer in known or not isinstance(one.state, SubscriptionState) or one.owner is None:
            continue
        if not is_ours(one):
            _count(run, "subscriptions of others")
            continue
        known.add(one.customer)
        adopt_one(one.owner, one.contact, one.state)
        _count(run, "Offices adopted")


def is_ours(one: Listed) -> bool:
    """It is a subscription to a plan of ours, of a customer that is there."""
    if not isinstance(one.state, SubscriptionState) or one.owner is None or one.owner.deleted:
        return False
    return PlanPrice.objects.filter(stripe_price_id=one.state.price_id).exists()


def adopt_one(customer: CustomerState, contact: Contact | None, subscription: SubscriptionState) -> Office:
    """The customer has an Office. One that says which it is gets its old id back, where no Office has that."""
    office = _office(customer, contact or Contact("", "", ""))
    snapshot = Snapshot(office.pk, OLDEST, clock.billing(), customer, (subscription,))
    if subscription.quantity > 1:
        _is_per_seat(subscription.price_id)
    return apply(snapshot)


def build(found: list[Suspect]) -> list[Suspect]:
    """What an Office that no look has seen yet lacks is written from the page; the rest is returned."""
    parts: defaultdict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    left = []
    kinds = {Invoice: "invoices", Payment: "payments", Adjustment: "adjustments"}
    for one in found:
        if one.office.customer_ticket == OLDEST and one.state is not None and one.model in kinds:
            parts[one.office.pk][kinds[one.model]].append(one.state)
        else:
            left.append(one)
    for pk, states in parts.items():
        apply(Snapshot(pk, OLDEST, clock.billing(), None, **{name: tuple(some) for name, some in states.items()}))
    return left


def _office(customer: CustomerState, contact: Contact) -> Office:
    old = office_id(customer)
    given = {"public_id": old} if old and not Office.objects.filter(public_id=old).exists() else {}
    name, email = " ".join(contact.name.split())[:200], contact.email
    office = Office(
        name=name or f"Office without a name, …{customer.id[-4:]}",
        billing_email=email if _is_address(email) else "",
        locale=contact.locale if _is_locale(contact.locale) else "en",
        payment_provider_customer_id=customer.id,
        **given,
    )
    with transaction.atomic(durable=True):
        office.save()
    if not (name and office.billing_email):
        report(
            "contact_missing",
            str(office.public_id),
            office=office,
            severity="notice",
            detail="The customer was adopted without a name or an e-mail address. Change the contact.",
        )
    return office


def _adopt_price(state: PriceState) -> None:
    plan = Plan.objects.filter(stripe_product_id=state.product_id).first()
    if plan is None:
        name = _neutral(state.product_name)
        plan = Plan.objects.create(
            code=_free(Plan, name or "plan"),
            name=name or "Plan",
            stripe_product_id=state.product_id,
            archived_at=None if state.product_active else clock.wall(),
        )
        mirror.product(plan, active=state.product_active)
    price = PlanPrice.objects.create(
        plan=plan,
        code=_free(PlanPrice, state.lookup_key or f"{plan.code}-{state.interval}"),
        stripe_price_id=state.id,
        currency=state.currency,
        unit_amount=state.unit_amount,
        interval=state.interval,
        interval_count=state.interval_count,
        active_until=None if state.active else clock.wall(),
    )
    mirror.price(price, active=state.active)


def _is_per_seat(price_id: str) -> None:
    """A subscription to several of it shows that it is."""
    for price in PlanPrice.objects.filter(stripe_price_id=price_id, per_seat=False):
        price.per_seat = True
        price.save(update_fields=["per_seat"])


def _free(model: type[Plan] | type[PlanPrice], wanted: str) -> str:
    """A code that none has yet."""
    base = slugify(wanted)[:40] or "plan"
    code, number = base, 1
    while model._default_manager.filter(code=code).exists():
        number += 1
        code = f"{base}-{number}"
    return code


def _neutral(name: str) -> str:
    try:
        return neutral_text.checked(name)[:100]
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


def _count(run: Reconciliation, what: str) -> None:
    run.counts[what] = run.counts.get(what, 0) + 1
