"""Subscription schedules: phases of a subscription that follow one another by themselves.

Source: https://docs.stripe.com/api/subscription_schedules
"""

from typing import Any

from stripe_sandbox import timeline
from stripe_sandbox.dates import add_interval
from stripe_sandbox.errors import invalid, required, unsupported
from stripe_sandbox.handlers import Ids, Params, Routes, merged, page, reads
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import billing_currency, ends, renewals, subscriptions
from stripe_sandbox.subscribing import subscription_changes as changes
from stripe_sandbox.subscribing import subscription_rows as rows

RUNNING = ("not_started", "active")
OF_A_PHASE = {"currency", "duration", "end_date", "items", "metadata", "proration_behavior", "start_date"}
OF_AN_ITEM = {"price", "quantity"}
EVENT = "subscription_schedule"


def create(store: Store, params: Params, ids: Ids) -> Row:
    """Make a schedule from a running subscription, or one that makes a subscription at its start."""
    if "default_settings" in params:
        raise unsupported("default_settings of a subscription schedule")
    if params.get("from_subscription"):
        return _of_subscription(store, params)
    if not params.get("phases"):
        raise required("phases")
    customer = store.need("customer", params.get("customer"), "customer")
    start = params.get("start_date", "now")
    begins = store.now(customer["id"]) if start == "now" else int(start)
    schedule = _add(store, customer, params, _phases(store, params["phases"], begins))
    billing_currency.choose(store, customer, schedule["phases"][0]["currency"])
    store.emit(f"{EVENT}.created", schedule)
    if begins <= store.now(customer["id"]):
        advance(store, schedule)
    return schedule


def _of_subscription(store: Store, params: Params) -> Row:
    if strange := set(params) - {"billing_mode", "from_subscription", "metadata"}:
        raise invalid(f"You cannot set {min(strange)} if `from_subscription` is set.", param=min(strange))
    subscription = store.need("subscription", params["from_subscription"], "from_subscription")
    if subscription["schedule"] or subscription["status"] in rows.ENDED:
        raise invalid(
            "You cannot migrate a subscription that is already attached to a schedule or that has ended.",
            param="from_subscription",
        )
    if subscription["cancel_at"]:
        raise unsupported("a schedule of a subscription that is set to end")
    if len(rows.intervals_of(store, subscription)) > 1:
        raise unsupported("a schedule of a subscription with items of different intervals")
    items = [_item(store, one["price"], one["quantity"]) for one in rows.items_of(store, subscription)]
    start = min(one["current_period_start"] for one in rows.items_of(store, subscription))
    phase = _phase(items, subscription["currency"], start, rows.period_end(store, subscription))
    customer = store.objects["customer"][subscription["customer"]]
    schedule = _add(store, customer, params, [phase])
    _enter(store, schedule, 0, subscription=subscription["id"], status="active")
    store.change(subscription, rows.UPDATED, schedule=schedule["id"])
    store.emit(f"{EVENT}.created", schedule)
    return schedule


def _add(store: Store, customer: Row, params: Params, phases: list[Row]) -> Row:
    return store.add(
        "subscription_schedule",
        billing_mode={"type": "flexible", "flexible": None},
        current_phase=None,
        customer=customer["id"],
        default_settings={"billing_cycle_anchor": "automatic", "invoice_settings": {"issuer": {"type": "self"}}},
        end_behavior=_end_behaviour(params.get("end_behavior", "release")),
        metadata=merged(None, params.get("metadata")),
        phases=phases,
        status="not_started",
        test_clock=customer["test_clock"],
    )


def _end_behaviour(given: str) -> str:
    if given not in ("release", "cancel"):
        raise unsupported(f"the end_behavior {given} of a subscription schedule")
    return given


def _phases(store: Store, given: list[Params], begins: int) -> list[Row]:
    """Read the phases. Each begins where the one before it ends."""
    found: list[Row] = []
    for n, one in enumerate(given):
        name = f"phases[{n}]"
        if strange := set(one) - OF_A_PHASE:
            raise unsupported(f"{min(strange)} of a phase")
        for item in one["items"]:
            if strange := set(item) - OF_AN_ITEM:
                raise unsupported(f"{min(strange)} of an item of a phase")
        start = found[-1]["end_date"] if found else begins
        prices = [
            store.need("price", item.get("price"), f"{name}[items][{m}][price]") for m, item in enumerate(one["items"])
        ]
        if ("end_date" in one) == ("duration" in one):
            raise invalid("You must pass exactly one of: duration, end_date.", param=f"{name}[end_date]")
        end = one["end_date"] if "end_date" in one else add_interval(start, {"interval_count": 1, **one["duration"]}, 1)
        if not isinstance(end, int) or end <= start:
            raise invalid("The end_date must be after the start of the phase.", param=f"{name}[end_date]")
        items = [
            _item(store, price["id"], item.get("quantity", 1)) for price, item in zip(prices, one["items"], strict=True)
        ]
        behaviour = one.get("proration_behavior", "create_prorations")
        found.append(_phase(items, prices[0]["currency"], start, end, behaviour))
    return found


def _item(store: Store, price: str, quantity: int) -> Row:
    values: Row = {"billing_thresholds": None, "discounts": [], "metadata": {}, "tax_rates": []}
    return {**values, "plan": price, "price": price, "quantity": quantity}


def _phase(items: list[Row], currency: str, start: int, end: int, behaviour: str = "create_prorations") -> Row:
    return {
        "add_invoice_items": [],
        "currency": currency,
        "discounts": [],
        "end_date": end,
        "items": items,
        "proration_behavior": behaviour,
        "start_date": start,
    }


def update(store: Store, params: Params, ids: Ids) -> Row:
    """Give the schedule other phases. What the present one changes is changed at the subscription now."""
    schedule = _running(store, ids)
    if "default_settings" in params:
        raise unsupported("default_settings of a subscription schedule")
    values: dict[str, Any] = {}
    if "end_behavior" in params:
        values["end_behavior"] = _end_behaviour(params["end_behavior"])
    if "metadata" in params:
        values["metadata"] = merged(schedule["metadata"], params["metadata"])
    if "phases" in params:
        values["phases"] = _phases(store, params["phases"], schedule["phases"][0]["start_date"])
    store.change(schedule, f"{EVENT}.updated", **values)
    if "phases" in params and schedule["status"] == "active":
        behaviour = params.get("proration_behavior", "create_prorations")
        _make(store, schedule, schedule["phases"][schedule["_phase"]], behaviour)
        _enter(store, schedule, schedule["_phase"])
    return schedule


@timeline.timed("subscription_schedule")
def due(store: Store, schedule: Row) -> timeline.Due | None:
    """Return when its next phase begins, or its last one ends."""
    if schedule["status"] == "not_started":
        return schedule["phases"][0]["start_date"], advance
    return (schedule["current_phase"]["end_date"], advance) if schedule["status"] == "active" else None


def advance(store: Store, schedule: Row) -> None:
    """Begin the schedule or its next phase, or let its subscription go after the last one."""
    if schedule["status"] == "not_started":
        _start(store, schedule)
        return
    n = schedule["_phase"] + 1
    if n < len(schedule["phases"]):
        phase = schedule["phases"][n]
        _enter(store, schedule, n, event=f"{EVENT}.updated")
        _make(store, schedule, phase, phase["proration_behavior"])
    elif schedule["end_behavior"] == "release":
        _release(store, schedule)
    else:
        subscription = store.objects["subscription"][schedule["subscription"]]
        _finish(store, schedule, "completed", completed_at=store.now(schedule["customer"]))
        ends.end(store, subscription, "cancellation_requested")


def _start(store: Store, schedule: Row) -> None:
    items = [{"price": one["price"], "quantity": one["quantity"]} for one in schedule["phases"][0]["items"]]
    made = subscriptions.begin(store, {"customer": schedule["customer"], "items": items}, schedule["id"])
    _enter(store, schedule, 0, event=f"{EVENT}.updated", subscription=made["id"], status="active")


def _enter(store: Store, schedule: Row, n: int, *, event: str = "", **values: Any) -> None:
    phase = schedule["phases"][n]
    current = {name: phase[name] for name in ("start_date", "end_date")}
    store.change(schedule, event, _phase=n, current_phase=current, **values)


def _make(store: Store, schedule: Row, phase: Row, behaviour: str) -> None:
    """Give the subscription the items of this phase. Where a period ends now, nothing is left to prorate."""
    subscription = store.objects["subscription"][schedule["subscription"]]
    wanted = {one["price"]: one["quantity"] for one in phase["items"]}
    items: list[Row] = []
    for item in rows.items_of(store, subscription):
        if item["price"] not in wanted:
            items.append({"id": item["id"], "deleted": True})
        elif (quantity := wanted.pop(item["price"])) != item["quantity"]:
            items.append({"id": item["id"], "quantity": quantity})
    items += [{"price": price, "quantity": quantity} for price, quantity in wanted.items()]
    if items:
        at_the_end = rows.period_end(store, subscription) <= store.now(schedule["customer"])
        given = {"items": items, "proration_behavior": "none" if at_the_end else behaviour}
        changes.change_and_charge(store, subscription, given, "allow_incomplete")


def before_renewal(store: Store, subscription: Row) -> None:
    """Begin the phase that begins with this period before it is billed."""
    schedule = store.get("subscription_schedule", subscription["schedule"])
    if schedule and schedule["current_phase"]["end_date"] <= rows.period_end(store, subscription):
        advance(store, schedule)


def release(store: Store, params: Params, ids: Ids) -> Row:
    """Let the subscription go on by itself. Source: https://docs.stripe.com/api/subscription_schedules/release"""
    schedule = _running(store, ids)
    _release(store, schedule)
    return schedule


def _release(store: Store, schedule: Row) -> None:
    key, now = schedule["subscription"], store.now(schedule["customer"])
    _finish(store, schedule, "released", released_at=now, released_subscription=key, subscription=None)


def cancel(store: Store, params: Params, ids: Ids) -> Row:
    """Cancel the schedule and its subscription. Source: https://docs.stripe.com/api/subscription_schedules/cancel"""
    schedule = _running(store, ids)
    subscription = store.get("subscription", schedule["subscription"])
    if subscription:
        subscriptions.cancel(store, subscription, params=params)  # its end cancels the schedule
    else:
        _finish(store, schedule, "canceled", canceled_at=store.now(schedule["customer"]))
    return schedule


def cancel_waiting(store: Store, customer: Row) -> None:
    """Cancel the schedules of a customer that have not started: the customer is being deleted."""
    for schedule in store.all("subscription_schedule", customer=customer["id"]):
        if schedule["status"] == "not_started":
            _finish(store, schedule, "canceled", canceled_at=store.now(customer["id"]))


def list_schedules(store: Store, params: Params, ids: Ids) -> Row:
    """List schedules, newest first. With ``scheduled``, only those that have not started.

    Source: https://docs.stripe.com/api/subscription_schedules/list
    """
    wanted = {"customer": params["customer"]} if "customer" in params else {}
    found = store.all("subscription_schedule", **wanted)
    if params.get("scheduled"):
        found = [one for one in found if one["status"] == "not_started"]
    return page(store, found, params, "/v1/subscription_schedules")


def ended(store: Store, subscription: Row) -> None:
    """Cancel the schedule of a subscription that has ended."""
    schedule = store.get("subscription_schedule", subscription["schedule"])
    if schedule:
        _finish(store, schedule, "canceled", canceled_at=store.now(schedule["customer"]))


def _finish(store: Store, schedule: Row, status: str, **values: Any) -> None:
    subscription = store.get("subscription", schedule["subscription"])
    store.change(schedule, status=status, current_phase=None, **values)
    if subscription:
        store.change(subscription, rows.UPDATED if subscription["status"] not in rows.ENDED else "", schedule=None)
    store.emit(f"{EVENT}.{status}", schedule)


def _running(store: Store, ids: Ids) -> Row:
    schedule = store.need("subscription_schedule", ids["schedule"])
    if schedule["status"] not in RUNNING:
        raise invalid(f"This subscription schedule is {schedule['status']} and can no longer be changed.")
    return schedule


renewals.BEFORE.append(before_renewal)
ends.ENDED.append(ended)

ROUTES: Routes = {
    ("get", "/v1/subscription_schedules"): list_schedules,
    ("post", "/v1/subscription_schedules"): create,
    ("get", "/v1/subscription_schedules/{schedule}"): reads(EVENT, "schedule"),
    ("post", "/v1/subscription_schedules/{schedule}"): update,
    ("post", "/v1/subscription_schedules/{schedule}/cancel"): cancel,
    ("post", "/v1/subscription_schedules/{schedule}/release"): release,
}
