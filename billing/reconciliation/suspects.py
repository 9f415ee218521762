"""Comparing pages of Stripe's lists with our rows. What differs is a suspect: it may have drifted.

A page is read without a ticket, so it changes nothing. Each page needs a few queries, however many objects it has.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from billing import invoice_lines, method_names
from billing.models import (
    Adjustment,
    Invoice,
    Office,
    Payment,
    PaymentMethod,
    ReceivedEvent,
    Subscription,
    SubscriptionItem,
)
from billing.models.statuses import FINAL
from billing.projection import columns, rows
from billing.projection.objects import invoices_paid
from billing.reconciliation.compare import Difference, Values, differences
from billing.schedules import Schedule
from billing.stripe_api.gateway.lists import Listed
from billing.stripe_api.inbound.states import (
    AdjustmentState,
    CustomerState,
    InvoiceState,
    PaymentState,
    SubscriptionState,
)

Row = Subscription | Invoice | Payment | Adjustment
OWN = {"id", "stripe_id", "ticket", "office_id", "operation_id", "payment_id", "reconciled_at"}
"""The columns of those rows that copy nothing of Stripe's."""
ITEMS_OWN = {"id", "stripe_id", "subscription_id"}


@dataclass(frozen=True, slots=True)
class Suspect:
    """One object whose row is missing, or differs from what a page showed.

    ``named`` is what a look must fetch to see it, as ``billing.look.look`` takes it. ``model`` is the model of its row,
    or None for the Office's own columns. ``is_guess`` means that no page showed it: a look comes before any finding.
    ``missed`` is the event that had not arrived, if that is the only reason for the guess.
    """

    office: Office
    kind: str
    stripe_id: str
    found: tuple[Difference, ...]
    model: type[Row] | None = None
    named: dict[str, set[str]] = field(default_factory=dict)
    state: Any = None
    is_guess: bool = False
    missed: ReceivedEvent | None = None

    def now(self) -> Values | None:
        """Return the row's present values, or None if there is no row."""
        if self.model is None:
            office = Office.objects.get(pk=self.office.pk)
            return _of_office(office, office.payment_methods.filter(is_default=True).first())
        row = self.model._default_manager.filter(stripe_id=self.stripe_id).first()
        return _values([row])[row.stripe_id] if row else None


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of one object at Stripe: what kind it is, its values, and the currency of its amounts."""

    kind: str
    values: Values
    currency: str


def held(office: Office) -> dict[str, Held]:
    """Return what we hold of the Office's customer and of each of its objects, by their ids at Stripe.

    Seven queries.
    """
    office = Office.objects.get(pk=office.pk)
    card = office.payment_methods.filter(is_default=True).first()
    found = {
        office.payment_provider_customer_id or "": Held("customer", _of_office(office, card), office.credit.currency)
    }
    for model in (Subscription, Invoice, Payment, Adjustment):
        ours: list[Any] = list(model._default_manager.filter(office=office).order_by("pk"))
        all_values = _values(ours)
        for row in ours:
            kind = row.kind.replace("_", " ") if isinstance(row, Adjustment) else row._meta.verbose_name
            values = {name: value for name, value in all_values[row.stripe_id].items() if name not in OWN}
            found[row.stripe_id] = Held(str(kind), values, row.currency)
    return found


def offices_of(listed: Iterable[Listed]) -> dict[str, Office]:
    """Return the Offices of the listed objects, by their customers' ids at Stripe."""
    named = {one.customer for one in listed if one.customer}
    found = Office.objects.filter(payment_provider_customer_id__in=named)
    return {str(office.payment_provider_customer_id): office for office in found}


def customers(listed: Iterable[Listed]) -> Iterator[Suspect]:
    listed = list(listed)
    ours = offices_of(listed)
    cards = PaymentMethod.objects.filter(office__in=ours.values(), is_default=True)
    default = {card.office_id: card for card in cards}
    for one in listed:
        office = ours.get(one.customer)
        if office is None or not isinstance(one.state, CustomerState):
            continue
        found = differences(_of_office(office, default.get(office.pk)), _of_customer(one.state))
        if found:
            yield Suspect(office, "customer", one.customer, found)


def subscriptions(listed: Iterable[Listed]) -> Iterator[Suspect]:
    """Yield the suspects among subscriptions.

    Subscriptions of a deleted customer are left out: they have all ended, and a look does not see them.
    """
    listed = list(listed)
    ours, seen = offices_of(listed), _rows(Subscription, listed)
    states = [one.state for one in listed if isinstance(one.state, SubscriptionState)]
    prices = invoice_lines.prices_of(item.price_id for state in states for item in state.items)
    held_values = _values(seen.values())
    for one in listed:
        office, state = ours.get(one.customer), one.state
        if office is None or office.customer_deleted_at or not isinstance(state, SubscriptionState):
            continue
        values = columns.of_subscription(state, prices) | {"items": columns.of_items(state, prices)}
        found = differences(held_values.get(state.id), values)
        if found:
            yield Suspect(office, "subscription", state.id, found, Subscription, {}, state)
        elif state.status not in FINAL and not held_values[state.id]["items"]:  # last seen before items were kept
            yield Suspect(office, "subscription", state.id, (), Subscription, {}, state, is_guess=True)


def schedules(listed: Iterable[Listed]) -> Iterator[Suspect]:
    """Yield a guess for each Office that a listed schedule belongs to and that does not show it like this.

    It is a guess because it may start at any moment. A look finds out.
    """
    listed = list(listed)
    ours = offices_of(listed)
    for one in listed:
        office, state = ours.get(one.customer), one.state
        if office and isinstance(state, Schedule) and state.stored() not in (office.coming_schedules or ()):
            yield _of_schedules(office, state.id)


def gone_schedules(office: Office, listed: Iterable[Listed]) -> Iterator[Suspect]:
    """Yield a guess if the Office's row has a schedule that is not among all those that are listed of its customer."""
    shown = {one.state.id for one in listed}
    if gone := [one["id"] for one in office.coming_schedules or () if one["id"] not in shown]:
        yield _of_schedules(office, *gone)


def _of_schedules(office: Office, *named: str) -> Suspect:
    customer = office.payment_provider_customer_id or ""
    return Suspect(office, "customer", customer, (), named={"schedules": set(named)}, is_guess=True)


def invoices(listed: Iterable[Listed]) -> Iterator[Suspect]:
    listed = list(listed)
    ours, seen = offices_of(listed), _rows(Invoice, listed)
    states = [one.state for one in listed if isinstance(one.state, InvoiceState)]
    prices = invoice_lines.prices_of(line["price"] for state in states for line in state.lines)
    named = {state.subscription_id for state in states if state.subscription_id}
    subscribed = dict(Subscription.objects.filter(stripe_id__in=named).values_list("stripe_id", "pk"))
    for one in listed:
        office = ours.get(one.customer)
        if office is None or not isinstance(one.state, InvoiceState):
            continue
        values = columns.of_invoice(one.state, prices, subscription_id=subscribed.get(one.state.subscription_id))
        yield from _suspect(office, "invoice", one.state, Invoice, seen, values, {"invoices": {one.state.id}})


def payments(listed: Iterable[Listed]) -> Iterator[Suspect]:
    listed = list(listed)
    ours, seen = offices_of(listed), _rows(Payment, listed)
    paid = invoices_paid(one.state for one in listed if isinstance(one.state, PaymentState))
    for one in listed:
        office = ours.get(one.customer)
        if office is None or not isinstance(one.state, PaymentState):
            continue
        values, named = columns.of_payment(one.state, invoice_id=paid.get(one.state.id)), {"payments": {one.state.id}}
        found = list(_suspect(office, "payment", one.state, Payment, seen, values, named))
        yield from found
        if not found and seen[one.state.id].returned_at != one.state.returned_at:  # last seen before it was kept
            yield Suspect(office, "payment", one.state.id, (), Payment, named, one.state, is_guess=True)


def adjustments(listed: Iterable[Listed]) -> Iterator[Suspect]:
    """Yield the suspects among refunds, disputes and credit notes.

    Refunds and disputes name a payment. Credit notes name an invoice and a customer.
    """
    listed = list(listed)
    ours, seen = offices_of(listed), _rows(Adjustment, listed)
    states = [one.state for one in listed if isinstance(one.state, AdjustmentState)]
    charges = {state.payment_id for state in states if state.payment_id}
    paid = Payment.objects.filter(stripe_id__in=charges).select_related("office")
    offices = {payment.stripe_id: payment.office for payment in paid}
    for one in listed:
        state = one.state
        if not isinstance(state, AdjustmentState):
            continue
        office = ours.get(one.customer) or offices.get(state.payment_id)
        if office is None:
            continue
        named = {"payments": {state.payment_id}} if state.payment_id else {"invoices": {state.invoice_id}}
        if state.kind == Adjustment.Kind.DISPUTE:
            named["disputes"] = {state.payment_id}
        elif state.kind == Adjustment.Kind.CREDIT_NOTE:
            named["credit_notes"] = {state.invoice_id}
        words = state.kind.replace("_", " ")
        yield from _suspect(office, words, state, Adjustment, seen, columns.of_adjustment(state), named)


def named_by(row: Invoice | Adjustment) -> dict[str, set[str]]:
    """Return what a look must fetch to see this row's object, as ``billing.look.look`` takes it."""
    if isinstance(row, Invoice):
        return {"invoices": {row.stripe_id}}
    charge = row.payment.stripe_id if row.payment else ""
    return {"payments": {charge}} | ({"disputes": {charge}} if row.kind == Adjustment.Kind.DISPUTE else {})


def _suspect(
    office: Office,
    kind: str,
    state: Any,
    model: type[Row],
    seen: dict[str, Any],
    values: Values,
    named: dict[str, set[str]],
) -> Iterator[Suspect]:
    row = seen.get(state.id)
    found = differences(rows.values_of(row) if row else None, values)
    if found:
        yield Suspect(office, kind, state.id, found, model, named, state)


def _values(of: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Return the values of the rows, by their ids at Stripe. Those of subscriptions have their items, by one query."""
    of = list(of)
    found = {row.stripe_id: rows.values_of(row) for row in of}
    subscriptions = {row.pk: found[row.stripe_id] for row in of if isinstance(row, Subscription)}
    for values in subscriptions.values():
        values["items"] = {}
    items = SubscriptionItem.objects.filter(subscription__in=subscriptions, removed_at=None).order_by()
    for item in items if subscriptions else ():
        mirrored = {name: value for name, value in rows.values_of(item).items() if name not in ITEMS_OWN}
        subscriptions[item.subscription_id]["items"][item.stripe_id] = mirrored
    return found


def _rows(model: type[Row], listed: Iterable[Listed]) -> dict[str, Any]:
    return {row.stripe_id: row for row in model._default_manager.filter(stripe_id__in=[one.state.id for one in listed])}


def _of_office(office: Office, card: PaymentMethod | None) -> Values:
    return {
        "customer exists": office.customer_deleted_at is None,
        "credit_balance": office.credit_balance,
        "other_credits": office.other_credits or {},
        "schedules": office.coming_schedules or [],
        "test_clock": office.test_clock,
        "default card": _card(card),
        "default_card_id": card.stripe_id if card else "",
    }


def _of_customer(state: CustomerState) -> Values:
    default = state.default_payment_method
    return {
        "customer exists": not state.deleted,
        "credit_balance": state.credit,
        "other_credits": state.other_credits,
        "test_clock": state.test_clock,
        "default card": _card(default.card if default else None),
        "default_card_id": default.id if default else "",
    }


def _card(card: Any) -> str:
    return f"{method_names.called(card.brand, card.last4)} {card.expires}".strip() if card else ""
