"""The API of subscriptions: create, read, change, resume and cancel.

Source: https://docs.stripe.com/api/subscriptions
"""

from typing import Any, NamedTuple

from stripe_sandbox import card_rules, discounts, search
from stripe_sandbox.dates import add_interval
from stripe_sandbox.errors import StripeError, invalid, missing, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, merged, page, reads, within
from stripe_sandbox.invoicing import collection, invoices
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import (
    billing_currency,
    cycle,  # noqa: F401  registers what time and its invoices do to a subscription
    drafts,
    ends,
    pending_updates,
    proration,
    resuming,
)
from stripe_sandbox.subscribing import subscription_changes as changes
from stripe_sandbox.subscribing import subscription_rows as rows
from stripe_sandbox.subscribing import subscription_terms as terms
from stripe_sandbox.subscribing.subscription_rows import ENDED, NO_DETAILS, UPDATED

EXPOSED = "subscription_exposed_id"
NO_METHOD = (
    "This customer has no attached payment source or default payment method. Please consider adding a default "
    "payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority."
)


def create(store: Store, params: Params) -> Row:
    """Create it, and treat its first invoice as ``payment_behavior`` says.

    Source: https://docs.stripe.com/api/subscriptions/create
    """
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "pending_if_incomplete":
        raise invalid("payment_behavior=pending_if_incomplete is for updates only.", param="payment_behavior")
    subscription, invoice = build(store, params)
    if behaviour == "default_incomplete" or subscription["collection_method"] == "send_invoice":
        _announce(store, subscription)
    if subscription["collection_method"] == "send_invoice" and invoice["total"] > 0:
        return subscription
    invoices.finalise(store, invoice)
    if invoice["status"] == "open" and behaviour != "default_incomplete":
        _pay_first(store, subscription, invoice, behaviour)
    _announce(store, subscription)
    return subscription


def build(store: Store, params: Params) -> tuple[Row, Row]:
    """Make the subscription and the draft of its first invoice. Nothing is charged, and it is not announced yet."""
    terms.refuse_unsupported(params)
    customer = store.need("customer", params.get("customer"), "customer")
    if not params.get("items"):
        raise invalid("Missing required param: items.", param="items", code="parameter_missing")
    items = [
        terms.item_of(store, given, customer["id"], f"items[{n}]", None) for n, given in enumerate(params["items"])
    ]
    mode = (params.get("billing_mode") or {}).get("type", "flexible")
    terms.check_together(items, mode)
    now, currency = store.now(customer["id"]), items[0].price["currency"]
    trial_end = terms.trial_end(store, params, now)
    start, prorates = terms.start_date(params, now), params.get("proration_behavior") != "none"
    firsts = [_first_period(params, item.price["recurring"], now, trial_end) for item in items]
    anchor, part = firsts[0].anchor, firsts[0].part
    if params.get("billing_cycle_anchor") and len({rows.interval_of(item.price) for item in items}) > 1:
        raise unsupported("an anchor of a subscription with items of different intervals")
    billing_currency.choose(store, customer, currency)
    sends = params.get("collection_method") == "send_invoice"
    subscription = store.add(
        "subscription",
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None},
        billing_cycle_anchor=anchor,
        billing_mode={"type": mode, "flexible": None},
        billing_schedules=[],
        cancel_at_period_end=False,
        cancellation_details=dict(NO_DETAILS),
        currency=currency,
        customer=customer["id"],
        discounts=[],
        metadata=merged(None, params.get("metadata")),
        start_date=start,
        status="trialing" if trial_end else "active" if sends else "incomplete",
        test_clock=customer["test_clock"],
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        _announced=False,
        _foretold=None,
        _pending=None,
        _period_before=None,
        _resumption=None,
        _warned=None,
        **{**_defaults(), **terms.plain(store, params, customer)},
    )
    for item, first in zip(items, firsts, strict=True):
        terms.add_item(store, subscription, item, now, first.end)
    if params.get("discounts"):
        made = discounts.create(store, params["discounts"], customer=customer["id"], subscription=subscription["id"])
        store.change(subscription, discounts=made)
    store.change(subscription, **terms.cancellation(store, params, subscription))
    changes.add_once(store, subscription, params)
    for row in rows.items_of(store, subscription) if prorates and start < now else ():
        proration.backdate(store, subscription, row, start, now)
    invoice = drafts.bill_period(
        store, subscription, "subscription_create", free=bool(trial_end), part=part, prorates=prorates
    )
    return subscription, invoice


def begin(store: Store, params: Params, schedule: str) -> Row:
    """Create it for its schedule: active, with a first invoice that is collected by itself."""
    subscription, _ = build(store, params)
    store.change(subscription, status="active", schedule=schedule)
    _announce(store, subscription)
    return subscription


def _defaults() -> Row:
    return {
        "collection_method": "charge_automatically",
        "default_tax_rates": [],
        "invoice_settings": dict(terms.NO_INVOICE_SETTINGS),
        "payment_settings": dict(terms.NO_PAYMENT_SETTINGS),
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
    }


class _First(NamedTuple):
    """The anchor, the end of an item's first period, and its share of a whole period as numerator and denominator."""

    anchor: int
    end: int
    part: tuple[int, int]


def _first_period(params: Params, recurring: Row, now: int, trial_end: int | None) -> _First:
    if trial_end:
        return _First(trial_end, trial_end, (1, 1))
    anchor = params.get("billing_cycle_anchor")
    if not anchor:
        return _First(now, add_interval(now, recurring, 1), (1, 1))
    whole = add_interval(now, recurring, 1)
    if not now < anchor <= whole:
        raise invalid(
            "billing_cycle_anchor must be in the future and no later than the next natural billing date.",
            param="billing_cycle_anchor",
        )
    length = anchor - add_interval(anchor, recurring, -1)
    free = params.get("proration_behavior") == "none"
    return _First(anchor, anchor, (0 if free else anchor - now, length))


def _announce(store: Store, subscription: Row) -> None:
    if not subscription["_announced"]:
        store.change(subscription, _announced=True)
        store.emit("customer.subscription.created", subscription)


def _pay_first(store: Store, subscription: Row, invoice: Row, behaviour: str) -> None:
    customer = store.need("customer", subscription["customer"])
    method = card_rules.usable_method(store, customer, subscription)
    if not method:
        raise invalid(NO_METHOD, code="resource_missing")
    try:
        collection.pay(store, invoice, method_id=method)
    except StripeError as error:
        if error.status != 402 or behaviour == "error_if_incomplete":
            raise


def update(store: Store, subscription: Row, params: Params) -> Row:
    """Give the subscription new terms. What they cost at once is charged as ``payment_behavior`` says.

    Source: https://docs.stripe.com/api/subscriptions/update
    """
    terms.refuse_unsupported(params)
    _refuse_if_scheduled(subscription, params)
    if subscription["status"] in ENDED and set(params) - {"metadata", "cancellation_details"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "pending_if_incomplete":
        return pending_updates.update(store, subscription, params)
    if behaviour != "error_if_incomplete":
        return changes.change_and_charge(store, subscription, params, behaviour)
    with store.undo_on_error():
        return changes.change_and_charge(store, subscription, params, behaviour)


def _refuse_if_scheduled(subscription: Row, params: Params) -> None:
    """Refuse to change the end of a subscription that a schedule manages. Raises: Stripe's 400.

    The sentence is Stripe's, from https://github.com/dust-tt/dust/pull/32051
    """
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise invalid(
            f"The subscription is managed by the subscription schedule `{subscription['schedule']}`, and updating any "
            "cancelation behavior directly is not allowed. Please update the schedule instead."
        )


def cancel(
    store: Store, subscription: Row, reason: str = "cancellation_requested", params: Params | None = None
) -> Row:
    """End it now. Source: https://docs.stripe.com/api/subscriptions/cancel"""
    given = params or {}
    if subscription["status"] in ENDED:
        raise missing("subscription", subscription["id"])
    if given.get("prorate"):
        for item in rows.items_of(store, subscription):
            proration.credit(store, subscription, item, store.now(subscription["customer"]))
    details = {name: value or None for name, value in (given.get("cancellation_details") or {}).items()}
    ends.end(store, subscription, reason, **details)
    if not given.get("prorate") and not given.get("invoice_now"):
        proration.remove_waiting(store, subscription)
    if given.get("invoice_now"):
        invoice = drafts.bill_waiting(store, subscription, "subscription_update")
        if invoice:
            collection.advance(store, invoice)
    return subscription


# ── addresses ─────────────────────────────────────────────────────────────────────────────────────────────


def _create(store: Store, params: Params, ids: Ids) -> Row:
    if params.get("payment_behavior") != "error_if_incomplete":
        return create(store, params)
    with store.undo_on_error():
        return create(store, params)


def _update(store: Store, params: Params, ids: Ids) -> Row:
    return update(store, store.need("subscription", ids[EXPOSED]), params)


def _cancel(store: Store, params: Params, ids: Ids) -> Row:
    return cancel(store, store.need("subscription", ids[EXPOSED]), params=params)


def _list(store: Store, params: Params, ids: Ids) -> Row:
    """List subscriptions. Ended ones and those on test clocks are listed only if the request asks for them."""
    status, wanted = params.get("status"), {}
    if params.get("customer"):
        wanted["customer"] = params["customer"]
    found = store.all("subscription", **wanted)
    if params.get("test_clock"):
        found = [one for one in found if one["test_clock"] == params["test_clock"]]
    elif not wanted:
        found = [one for one in found if not one["test_clock"]]
    if status is None:
        found = [one for one in found if one["status"] not in ENDED]
    elif status == "ended":
        found = [one for one in found if one["status"] in ENDED]
    elif status != "all":
        found = [one for one in found if one["status"] == status]
    if "collection_method" in params:
        found = [one for one in found if one["collection_method"] == params["collection_method"]]
    if params.get("price"):
        found = [one for one in found if any(i["price"] == params["price"] for i in rows.items_of(store, one))]
    for name in ("current_period_start", "current_period_end"):
        if name in params:
            found = [one for one in found if _item_within(store, one, name, params[name])]
    return page(store, found, params, "/v1/subscriptions")


def _item_within(store: Store, subscription: Row, name: str, wanted: Any) -> bool:
    return any(within(item[name], wanted) for item in rows.items_of(store, subscription))


def _migrate(store: Store, params: Params, ids: Ids) -> Row:
    subscription = store.need("subscription", ids["subscription"])
    mode = {"type": params["billing_mode"]["type"], "flexible": None, "updated_at": store.now(subscription["customer"])}
    store.change(subscription, UPDATED, billing_mode=mode)
    return subscription


def _drop_discounts(store: Store, params: Params, ids: Ids) -> Row:
    subscription = store.need("subscription", ids[EXPOSED])
    if not subscription["discounts"]:
        raise missing("discount", "")
    discount = store.objects["discount"][subscription["discounts"][-1]]
    discounts.end(store, discount)
    return discounts.deleted(store, discount)


ROUTES: Routes = {
    ("get", "/v1/subscriptions"): _list,
    ("post", "/v1/subscriptions"): _create,
    ("get", "/v1/subscriptions/search"): search.searches("subscription", "/v1/subscriptions/search"),
    ("get", "/v1/subscriptions/{subscription_exposed_id}"): reads("subscription", EXPOSED),
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): _update,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): _cancel,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}/discount"): _drop_discounts,
    ("post", "/v1/subscriptions/{subscription}/resume"): resuming.resume,
    ("post", "/v1/subscriptions/{subscription}/migrate"): _migrate,
}
