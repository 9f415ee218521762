"""The deliveries that wait for an endpoint, and how long events are kept for them."""

import heapq
import itertools

from stripe_sandbox.dates import DAY
from stripe_sandbox.kinds import Row
from stripe_sandbox.memory import Memory

EVENTS_KEPT = 30 * DAY
ORDER = itertools.count()


def plan(store: Memory, event: Row, endpoint: str) -> Row:
    """Plan to deliver the event to this endpoint."""
    delivery: Row = {
        "id": f"dlv_{store.random.getrandbits(64):016x}",
        "event": event["id"],
        "endpoint": endpoint,
        "status": "pending",
        "attempts": [],
        "due": 0.0,
    }
    store.deliveries[delivery["id"]] = delivery
    event["_deliveries"].append(delivery["id"])
    wait_until(store, delivery, 0.0)
    if store.undo is not None:
        store.undo.append(lambda: _take_back(store, event, delivery))
    return delivery


def wait_until(store: Memory, delivery: Row, when: float) -> None:
    """Let the delivery wait for this moment of the machine's clock. The delivery that waited longest is sent first."""
    delivery["due"] = when
    store.pending[delivery["id"]] = delivery
    heapq.heappush(store.due[delivery["endpoint"]], (when, next(ORDER), delivery["id"]))
    store.unsaved.add(("delivery", delivery["id"]))
    store.wake.set()


def end(store: Memory, delivery: Row, status: str) -> None:
    """End the delivery, so that it does not wait any more."""
    delivery["status"] = status
    store.pending.pop(delivery["id"], None)
    store.unsaved.add(("delivery", delivery["id"]))


def forget_old_events(store: Memory) -> None:
    """Forget events older than 30 days by the server's clock, with their deliveries. An event that still waits is kept.

    Called before the server's clock is moved, so that an advance never removes events before anybody could see them.
    """
    horizon = store.now() - EVENTS_KEPT
    old = itertools.takewhile(lambda one: one["_at"] < horizon, store.objects["event"].values())
    for event in [one for one in old if not any(key in store.pending for key in one["_deliveries"])]:
        store.remove(event)
        for key in event["_deliveries"]:
            _forget(store, key)


def _take_back(store: Memory, event: Row, delivery: Row) -> None:
    event["_deliveries"].remove(delivery["id"])
    _forget(store, delivery["id"])


def _forget(store: Memory, key: str) -> None:
    store.deliveries.pop(key, None)
    store.pending.pop(key, None)
    store.unsaved.add(("delivery", key))
