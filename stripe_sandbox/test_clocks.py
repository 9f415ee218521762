"""Test clocks: a time of its own for a few customers. Source: https://docs.stripe.com/billing/testing/test-clocks"""

from datetime import UTC, datetime

from stripe_sandbox import customers, timeline
from stripe_sandbox.dates import add_interval
from stripe_sandbox.errors import invalid
from stripe_sandbox.handlers import Ids, Params, Routes, gone, lists, reads
from stripe_sandbox.store import Row, Store
from stripe_sandbox.subscribing import subscription_rows as rows

KIND = "test_helpers.test_clock"
DAY = 86_400
LONGEST_WITHOUT = 2 * 365 * DAY
LIFE = 30 * DAY
EARLIEST, LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2000, 2100))
"""So no later moment, of a period or a due date, is outside the calendar."""


def create(store: Store, params: Params, ids: Ids) -> Row:
    _check(params["frozen_time"])
    clock = store.add(
        KIND,
        created=store.now(),
        deletes_after=store.now() + LIFE,
        frozen_time=params["frozen_time"],
        name=params.get("name"),
        status="ready",
        status_details={},
    )
    store.emit("test_helpers.test_clock.created", clock)
    return clock


def advance(store: Store, params: Params, ids: Ids) -> Row:
    """Start to advance the clock. It is ready when everything due until then has happened: by the next request."""
    clock, to = store.need(KIND, ids["test_clock"]), params["frozen_time"]
    if clock["status"] != "ready":
        raise invalid("The test clock is advancing; wait until it is ready.", code="test_clock_under_advancement")
    _check(to)
    if to <= clock["frozen_time"]:
        raise invalid("frozen_time must be after the clock's present time.", param="frozen_time")
    if to > furthest(store, clock):
        raise invalid("A clock can advance at most two intervals of its shortest subscription.", param="frozen_time")
    store.change(clock, status="advancing", status_details={"advancing": {"target_frozen_time": to}})
    store.emit("test_helpers.test_clock.advancing", clock)
    return clock


def _check(moment: int) -> None:
    if not EARLIEST <= moment < LATEST:
        raise invalid("frozen_time must lie in the years from 2000 to 2099.", param="frozen_time")


def furthest(store: Store, clock: Row) -> int:
    """Return the latest time to which the clock may be advanced in one step."""
    now, limits = clock["frozen_time"], []
    for customer in store.all("customer", test_clock=clock["id"]):
        for subscription in store.all("subscription", customer=customer["id"]):
            if subscription["status"] not in rows.ENDED:
                items = rows.items_of(store, subscription)
                limits += [add_interval(now, rows.recurring_of(store, item), 2) for item in items]
    return min(limits, default=now + LONGEST_WITHOUT)


def settle(store: Store) -> None:
    """Play everything that became due since the last request, and finish the advance of each clock."""
    timeline.catch_up(store)
    for clock in store.all(KIND):
        if clock["status"] == "advancing":
            to = clock["status_details"]["advancing"]["target_frozen_time"]
            timeline.play(store, clock["id"], to)
            store.change(clock, status="ready", frozen_time=to, status_details={})
            store.emit("test_helpers.test_clock.ready", clock)


def delete(store: Store, params: Params, ids: Ids) -> Row:
    """Delete the clock and its customers."""
    clock = store.need(KIND, ids["test_clock"])
    for customer in store.all("customer", test_clock=clock["id"]):
        if not customer.get("deleted"):
            customers.delete(store, customer)
    store.emit("test_helpers.test_clock.deleted", clock)
    store.remove(clock)
    return gone(KIND, clock["id"])


ROUTES: Routes = {
    ("get", "/v1/test_helpers/test_clocks"): lists(KIND, "/v1/test_helpers/test_clocks"),
    ("post", "/v1/test_helpers/test_clocks"): create,
    ("get", "/v1/test_helpers/test_clocks/{test_clock}"): reads(KIND, "test_clock"),
    ("post", "/v1/test_helpers/test_clocks/{test_clock}/advance"): advance,
    ("delete", "/v1/test_helpers/test_clocks/{test_clock}"): delete,
}
