"""Subscriptions and their invoices: what starts, renews, fails and ends them."""

from typing import Any

from stripe_sandbox import payments
from stripe_sandbox.errors import StripeError, invalid
from stripe_sandbox.store import Store, add_interval, listed

HOUR, DAY = 3600, 86_400
ENDED = ("canceled", "incomplete_expired")


def create(store: Store, params: dict[str, Any]) -> dict[str, Any]:
    """Source: https://docs.stripe.com/api/subscriptions/create"""
    customer = store.need("customer", params["customer"], "customer")
    if not params.get("items"):
        raise invalid("Missing required param: items.", param="items", code="parameter_missing")
    behaviour = params.get("payment_behavior", "allow_incomplete")
    now = store.now()
    trial_end = _trial_end(store, params)
    prices = [store.need("price", one.get("price", ""), f"items[{n}][price]") for n, one in enumerate(params["items"])]
    if len({price["currency"] for price in prices} | {customer["currency"] or prices[0]["currency"]}) > 1:
        raise invalid("You cannot combine currencies on a single customer.")
    method = params.get("default_payment_method") or payments.usable_method(store, customer, None)
    amount = sum(p["unit_amount"] * one.get("quantity", 1) for p, one in zip(prices, params["items"], strict=True))
    if behaviour == "error_if_incomplete" and not trial_end and amount:
        _refuse_if_incomplete(store, method)
    subscription = store.add(
        "subscription",
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None},
        billing_cycle_anchor=trial_end or now,
        billing_mode={"type": "flexible", "flexible": None},
        collection_method=params.get("collection_method", "charge_automatically"),
        currency=prices[0]["currency"],
        customer=customer["id"],
        default_payment_method=params.get("default_payment_method"),
        cancel_at_period_end=params.get("cancel_at_period_end", False),
        cancel_at=params.get("cancel_at"),
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        discounts=[],
        invoice_settings={"issuer": {"type": "self"}},
        metadata=params.get("metadata", {}),
        start_date=now,
        status="trialing" if trial_end else "incomplete",
        trial_start=now if trial_end else None,
        trial_end=trial_end,
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
    )
    end = trial_end or add_interval(now, prices[0]["recurring"], 1)
    items = [_item(store, subscription, p, one, now, end) for p, one in zip(prices, params["items"], strict=True)]
    subscription["items"] = listed(items, f"/v1/subscription_items?subscription={subscription['id']}", more=False)
    if customer["currency"] is None:
        store.change(customer, "customer.updated", currency=subscription["currency"])
    store.emit("customer.subscription.created", subscription)
    invoice = draft_invoice(store, subscription, "subscription_create", free=bool(trial_end))
    finalise(store, invoice)
    if invoice["status"] == "open" and behaviour != "default_incomplete":
        try:
            payments.charge(store, invoice, method)
        except StripeError:
            return subscription
    settle(store, subscription, invoice)
    return subscription


def _refuse_if_incomplete(store: Store, method: str | None) -> None:
    if not method:
        raise invalid("This customer has no attached payment source or default payment method.")
    refusal = payments.card_of(store.need("payment_method", method)).on_charge
    if refusal:
        raise payments.declined(refusal)


def _trial_end(store: Store, params: dict[str, Any]) -> int | None:
    if params.get("trial_end") == "now":
        return None
    if params.get("trial_end"):
        return int(params["trial_end"])
    days = params.get("trial_period_days", 0)
    return store.now() + days * DAY if days else None


def _item(
    store: Store, subscription: dict[str, Any], price: dict[str, Any], given: dict[str, Any], start: int, end: int
) -> dict[str, Any]:
    return store.add(
        "subscription_item",
        billing_thresholds=None,
        current_period_start=start,
        current_period_end=end,
        discounts=[],
        metadata=given.get("metadata", {}),
        plan={
            "id": price["id"],
            "object": "plan",
            "active": price["active"],
            "amount": price["unit_amount"],
            "billing_scheme": "per_unit",
            "created": price["created"],
            "currency": price["currency"],
            "interval": price["recurring"]["interval"],
            "interval_count": price["recurring"]["interval_count"],
            "livemode": False,
            "metadata": {},
            "product": price["product"],
            "usage_type": "licensed",
        },
        price=price,
        quantity=given.get("quantity", 1),
        subscription=subscription["id"],
        tax_rates=[],
    )


def draft_invoice(store: Store, subscription: dict[str, Any], reason: str, *, free: bool) -> dict[str, Any]:
    invoice = store.add("invoice", customer=subscription["customer"], currency=subscription["currency"])
    lines = []
    for item in subscription["items"]["data"]:
        amount = 0 if free else item["price"]["unit_amount"] * item["quantity"]
        lines.append(
            store.add(
                "line_item",
                amount=amount,
                subtotal=amount,
                currency=invoice["currency"],
                discountable=True,
                discounts=[],
                invoice=invoice["id"],
                metadata={},
                quantity=item["quantity"],
                period={"start": item["current_period_start"], "end": item["current_period_end"]},
                pricing={
                    "type": "price_details",
                    "price_details": {"price": item["price"]["id"], "product": item["price"]["product"]},
                    "unit_amount_decimal": str(item["price"]["unit_amount"]),
                },
                parent={
                    "type": "subscription_item_details",
                    "invoice_item_details": None,
                    "subscription_item_details": {
                        "subscription": subscription["id"],
                        "subscription_item": item["id"],
                        "proration": False,
                        "invoice_item": None,
                        "proration_details": None,
                    },
                },
                taxes=[],
            )
        )
    total = sum(line["amount"] for line in lines)
    invoice.update(
        amount_due=total,
        amount_remaining=total,
        subtotal=total,
        total=total,
        auto_advance=True,
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None, "status": None},
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        issuer={"type": "self"},
        payment_settings={"payment_method_options": None, "payment_method_types": None},
        lines=listed(lines, f"/v1/invoices/{invoice['id']}/lines", more=False),
        metadata={},
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"subscription": subscription["id"], "metadata": subscription["metadata"]},
        },
        period_start=store.now(),
        period_end=store.now(),
        status="draft",
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        total_discount_amounts=[],
        total_taxes=[],
        _subscription=subscription["id"],
    )
    store.emit("invoice.created", invoice)
    store.change(subscription, "customer.subscription.updated", latest_invoice=invoice["id"])
    return invoice


def finalise(store: Store, invoice: dict[str, Any]) -> None:
    customer = store.need("customer", invoice["customer"])
    subscription = store.get("subscription", invoice["_subscription"])
    store.numbers[customer["id"]] = store.numbers.get(customer["id"], 0) + 1
    times = {**invoice["status_transitions"], "finalized_at": store.now()}
    number = f"{customer['id'][-8:].upper()}-{store.numbers[customer['id']]:04}"
    store.change(invoice, status="open", number=number, status_transitions=times, effective_at=store.now())
    if invoice["total"]:
        payments.open_intent(store, invoice, payments.usable_method(store, customer, subscription))
    store.emit("invoice.finalized", invoice)
    if not invoice["total"]:
        payments.mark_paid(store, invoice)


def pay(store: Store, invoice: dict[str, Any], method: str | None) -> None:
    """Source: https://docs.stripe.com/api/invoices/pay"""
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    if invoice["status"] not in ("open", "uncollectible"):
        raise invalid(f"This invoice is {invoice['status']} and cannot be paid.")
    subscription = store.get("subscription", invoice["_subscription"])
    customer = store.need("customer", invoice["customer"])
    payments.charge(store, invoice, method or payments.usable_method(store, customer, subscription))
    if subscription:
        settle(store, subscription, invoice)


def settle(store: Store, subscription: dict[str, Any], invoice: dict[str, Any]) -> None:
    """A paid invoice brings its subscription to life, or back to it."""
    if invoice["status"] == "paid" and subscription["status"] in ("incomplete", "past_due", "unpaid"):
        store.change(subscription, "customer.subscription.updated", status="active")


def update(store: Store, subscription: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Source: https://docs.stripe.com/api/subscriptions/update"""
    if subscription["status"] in ENDED:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    changes: dict[str, Any] = {name: params[name] for name in ("default_payment_method", "cancel_at") if name in params}
    if "metadata" in params:
        changes["metadata"] = {**subscription["metadata"], **params["metadata"]}
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        changes["cancel_at_period_end"] = ends
        changes["cancel_at"] = period_end(subscription) if ends else None
        changes["canceled_at"] = store.now() if ends else None
        reason = "cancellation_requested" if ends else None
        changes["cancellation_details"] = {"comment": None, "feedback": None, "reason": reason}
    store.change(subscription, "customer.subscription.updated", **changes)
    return subscription


def cancel(store: Store, subscription: dict[str, Any], reason: str = "cancellation_requested") -> dict[str, Any]:
    """Source: https://docs.stripe.com/api/subscriptions/cancel"""
    if subscription["status"] in ENDED:
        raise invalid(f"No such subscription: '{subscription['id']}'", status=404, code="resource_missing", param="id")
    was_incomplete = subscription["status"] == "incomplete"
    store.change(
        subscription,
        status="canceled",
        canceled_at=subscription["canceled_at"] or store.now(),
        ended_at=store.now(),
        cancellation_details={"comment": None, "feedback": None, "reason": reason},
    )
    store.emit("customer.subscription.deleted", subscription)
    for invoice in store.all("invoice", _subscription=subscription["id"]):
        if invoice["status"] == "open" and was_incomplete:
            payments.void(store, invoice)
        elif invoice["status"] in ("draft", "open"):
            store.change(invoice, "invoice.updated", auto_advance=False, next_payment_attempt=None)
    return subscription


def period_end(subscription: dict[str, Any]) -> int:
    return min(item["current_period_end"] for item in subscription["items"]["data"])


def due(store: Store, subscription: dict[str, Any]) -> tuple[int, str] | None:
    """When something next happens to it by itself, and what."""
    status = subscription["status"]
    if status in ENDED:
        return None
    if status == "incomplete":
        return subscription["created"] + 23 * HOUR, "expire"
    found = [(period_end(subscription), "renew")]
    if subscription["cancel_at"]:
        found.append((subscription["cancel_at"], "end"))
    if status == "trialing" and not subscription.get("_warned"):
        found.append((max(subscription["trial_end"] - 3 * DAY, subscription["created"]), "warn"))
    return min(found)


def happen(store: Store, subscription: dict[str, Any], what: str) -> None:
    if what == "expire":
        store.change(subscription, "customer.subscription.updated", status="incomplete_expired", ended_at=store.now())
        for invoice in store.all("invoice", _subscription=subscription["id"], status="open"):
            payments.void(store, invoice)
    elif what == "warn":
        subscription["_warned"] = True
        store.emit("customer.subscription.trial_will_end", subscription)
    elif what == "end":
        cancel(store, subscription, (subscription["cancellation_details"] or {}).get("reason") or "")
    else:
        _renew(store, subscription)


def _renew(store: Store, subscription: dict[str, Any]) -> None:
    start = period_end(subscription)
    anchor = subscription["billing_cycle_anchor"]
    for item in subscription["items"]["data"]:
        times = 1
        while add_interval(anchor, item["price"]["recurring"], times) <= start:
            times += 1
        item["current_period_start"] = start
        item["current_period_end"] = add_interval(anchor, item["price"]["recurring"], times)
    before = {"items": {"data": [{"current_period_start": None, "current_period_end": start}]}}
    if subscription["status"] == "trialing":
        before["status"] = "trialing"  # type: ignore[assignment]  # mixed values, as Stripe has them
        subscription["status"] = "active"
    store.emit("customer.subscription.updated", subscription, before)
    draft_invoice(store, subscription, "subscription_cycle", free=False)


def invoice_due(invoice: dict[str, Any]) -> int | None:
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        return invoice["created"] + HOUR
    if invoice["status"] == "open" and invoice["auto_advance"]:
        return invoice["next_payment_attempt"]
    return None


def collect(store: Store, invoice: dict[str, Any]) -> None:
    """A draft is finalised and charged; an open one is charged again, until the retries are used up."""
    subscription = store.need("subscription", invoice["_subscription"])
    customer = store.need("customer", invoice["customer"])
    if invoice["status"] == "draft":
        finalise(store, invoice)
    if invoice["status"] == "open":
        try:
            payments.charge(store, invoice, payments.usable_method(store, customer, subscription))
        except StripeError:
            _after_failure(store, subscription, invoice)
            return
    settle(store, subscription, invoice)


def _after_failure(store: Store, subscription: dict[str, Any], invoice: dict[str, Any]) -> None:
    tried = max(invoice["attempt_count"], 1)
    if tried == invoice["attempt_count"] and tried <= len(payments.RETRY_DAYS):
        wait = payments.RETRY_DAYS[tried - 1] * DAY
        store.change(invoice, "invoice.updated", next_payment_attempt=store.now() + wait)
        store.change(subscription, "customer.subscription.updated", status="past_due")
        return
    store.change(invoice, "invoice.updated", next_payment_attempt=None, auto_advance=False)
    cancel(store, subscription, "payment_failed")


def advance(store: Store, to: int) -> None:
    """The clock stands at ``to``, and what fell due until then has happened in order."""
    if to < store.now():
        raise invalid("The clock only runs forward.", param="now")
    while True:
        waiting: list[tuple[int, str, str]] = []
        for one in store.objects["subscription"].values():
            if found := due(store, one):
                waiting.append((found[0], found[1], one["id"]))
        for one in store.objects["invoice"].values():
            if (when := invoice_due(one)) is not None:
                waiting.append((when, "collect", one["id"]))
        waiting = [one for one in waiting if one[0] <= to]
        if not waiting:
            break
        when, what, key = min(waiting)
        store.at = max(when, store.at or when)
        if what == "collect":
            collect(store, store.objects["invoice"][key])
        else:
            happen(store, store.objects["subscription"][key], what)
    store.at = None
    store.offset += to - store.now()
    store.changed = True
