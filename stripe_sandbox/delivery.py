"""Webhooks: signed anew for each attempt, delivered at least once, in no fixed order.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import asyncio
import contextlib
import hashlib
import heapq
import hmac
import json
import random
import time
from collections import Counter, deque
from typing import Any

import httpx

from stripe_sandbox import answers, deliveries
from stripe_sandbox.dates import DAY
from stripe_sandbox.store import Row, Store
from stripe_sandbox.views import shown

MOST_ATTEMPTS = 15
LONGEST_WAIT = 60
MOST_AT_A_TIME = 8
"""To one endpoint, so that a slow endpoint delays no other."""
SECONDS_TO_ANSWER = 10
UNREACHABLE = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError, ExceptionGroup)
"""There was no answer, or no address. An impossible host is a ValueError, and an impossible port comes in a group."""
LONGEST_SLEEP = 300


def signature(endpoint: Row, body: str, stamp: int) -> str:
    """Return the Stripe-Signature header: one v1 for each valid secret, and a v0 that nobody may accept."""
    signed = [
        hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
        for secret in good_secrets(endpoint)
    ]
    return ",".join([f"t={stamp}", *(f"v1={one}" for one in signed), f"v0={'0' * 64}"])


def roll_secret(store: Store, endpoint: Row, *, secret: str = "", keep_seconds: float = DAY) -> str:
    """Give the endpoint a new secret, and return it. The old secret also signs for ``keep_seconds`` more.

    Source: https://docs.stripe.com/webhooks#roll-endpoint-secrets
    """
    now = time.time()
    old = [one | {"until": one["until"] or now + keep_seconds} for one in endpoint["_secrets"]]
    new = secret or f"whsec_{store.random.getrandbits(128):032x}"
    kept = [one for one in old if one["until"] > now]
    store.change(endpoint, _secrets=[{"secret": new, "until": None}, *kept])
    return new


def good_secrets(endpoint: Row) -> list[str]:
    """List the endpoint's secret, and the older secrets that were rolled and still sign."""
    now = time.time()
    return [one["secret"] for one in endpoint["_secrets"] if one["until"] is None or one["until"] > now]


def prepared(store: Store, delivery: Row) -> Row | None:
    """Prepare an attempt that is made now: address, headers, exact body. None if the endpoint is gone or disabled."""
    event, endpoint = store.get("event", delivery["event"]), store.get("webhook_endpoint", delivery["endpoint"])
    if event is None or endpoint is None or endpoint["status"] != "enabled":
        return None
    body = json.dumps(shown(store, event), indent=2)
    return {
        "delivery": delivery["id"],
        "event": event["id"],
        "type": event["type"],
        "endpoint": endpoint["id"],
        "url": endpoint["url"],
        "headers": {
            "Stripe-Signature": signature(endpoint, body, int(time.time())),
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (local sandbox)",
        },
        "body": body,
    }


def delivered(store: Store, delivery: Row) -> None:
    """End the delivery as delivered. The event waits for one endpoint fewer, unless this one had it before."""
    event = store.get("event", delivery["event"])
    if event:
        others = (store.deliveries[key] for key in event["_deliveries"] if key != delivery["id"])
        if not any((one["endpoint"], one["status"]) == (delivery["endpoint"], "delivered") for one in others):
            store.change(event, pending_webhooks=max(0, event["pending_webhooks"] - 1))
    deliveries.end(store, delivery, "delivered")


def held_back(store: Store, delivery: Row) -> bool:
    """Whether the planned trouble keeps this delivery from being sent now. A delivery meets the trouble only once."""
    if delivery.get("met"):
        return False
    delivery["met"] = True
    if _uses_up(store, "drop"):
        deliveries.end(store, delivery, "dropped")
        return True
    if _uses_up(store, "duplicate"):
        deliveries.plan(store, store.objects["event"][delivery["event"]], delivery["endpoint"])["met"] = True
    if _uses_up(store, "delay"):
        deliveries.wait_until(store, delivery, time.time() + store.trouble["seconds"])
        return True
    return False


def _uses_up(store: Store, trouble: str) -> bool:
    if not store.trouble[trouble]:
        return False
    store.set("trouble", {**store.trouble, trouble: store.trouble[trouble] - 1})
    return True


def take(store: Store, *, limit: int | None, shuffle_seed: int | None, duplicate: bool) -> list[Row]:
    """Take the waiting deliveries for a caller that delivers them itself. They count as delivered."""
    now = time.time()
    taken: list[Row] = []
    waiting = deque(store.pending.values())
    while waiting and (limit is None or len(taken) < limit):
        delivery = waiting.popleft()
        known = len(store.deliveries)
        delayed = not delivery["attempts"] and delivery["due"] > now
        if delayed or held_back(store, delivery):
            continue
        if len(store.deliveries) > known:  # the delivery was duplicated
            waiting.appendleft(store.deliveries[next(reversed(store.deliveries))])
        request = prepared(store, delivery)
        if request is None:
            deliveries.end(store, delivery, "ended")
            continue
        delivered(store, delivery)
        taken.append(request)
    if not store.pending:
        store.due.clear()
    if duplicate:
        taken = taken + taken
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(taken)  # noqa: S311  repeatable on purpose
    elif store.trouble["shuffle"]:
        store.random.shuffle(taken)
    return taken


async def deliver_forever(store: Store) -> None:
    """Send what waits, in the mode ``auto``, and repeat it after a growing wait. Sleeps while nothing is due."""
    sending: Counter[str] = Counter()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=2 * MOST_AT_A_TIME)
    async with (
        httpx.AsyncClient(timeout=SECONDS_TO_ANSWER, trust_env=False, limits=limits) as client,
        asyncio.TaskGroup() as attempts,
    ):
        while True:
            store.wake.clear()
            for endpoint in list(store.due) if store.mode == "auto" else ():
                while sending[endpoint] < MOST_AT_A_TIME and (delivery := _next(store, endpoint)):
                    if not held_back(store, delivery):
                        sending[endpoint] += 1
                        attempts.create_task(_attempt(store, client, delivery, sending))
            answers.forget_old(store)
            store.persist()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(store.wake.wait(), _pause(store, sending))


def _next(store: Store, endpoint: str) -> Row | None:
    """Take out the due delivery to this endpoint that waited longest. With shuffling, take any that is due."""
    heap, now = store.due[endpoint], time.time()
    if store.trouble["shuffle"] and (due := [place for place, one in enumerate(heap) if one[0] <= now]):
        place = store.random.choice(due)
        heap[place] = (-1.0, *heap[place][1:])
        heapq.heapify(heap)
    while heap and heap[0][0] <= now:
        delivery = store.pending.get(heapq.heappop(heap)[2])
        if delivery and delivery["due"] <= now:
            return delivery
    return None


def _pause(store: Store, sending: Counter[str]) -> float:
    """Return the seconds until something that could be sent is due."""
    if store.mode != "auto":
        return LONGEST_SLEEP
    free = [heap[0][0] for endpoint, heap in store.due.items() if heap and sending[endpoint] < MOST_AT_A_TIME]
    return max(0, min([LONGEST_SLEEP, *(when - time.time() for when in free)]))


async def _attempt(store: Store, client: httpx.AsyncClient, delivery: Row, sending: Counter[str]) -> None:
    """Send the event once more, and note the outcome."""
    try:
        request = prepared(store, delivery)
        if request is None:
            deliveries.end(store, delivery, "ended")
            return
        outcome = await _sent(client, request)
        if store.pending.get(delivery["id"]) is delivery:  # it was not reset or taken in the meantime
            _note(store, delivery, outcome)
    finally:
        sending[delivery["endpoint"]] -= 1
        store.wake.set()


async def _sent(client: httpx.AsyncClient, request: Row) -> dict[str, Any]:
    """Return the ``status`` of an answer that came in time, or ``error``. A redirect is not followed."""
    try:
        async with asyncio.timeout(SECONDS_TO_ANSWER):
            answer = await client.post(request["url"], content=request["body"], headers=request["headers"])
    except UNREACHABLE as error:
        return {"status": 0, "error": type(error).__name__}
    return {"status": answer.status_code}


def _note(store: Store, delivery: Row, outcome: dict[str, Any]) -> None:
    delivery["attempts"].append({"at": int(time.time()), **outcome})
    tried = len(delivery["attempts"])
    if 200 <= outcome["status"] < 300:
        delivered(store, delivery)
    elif tried >= MOST_ATTEMPTS:
        deliveries.end(store, delivery, "failed")
    else:
        wanted = store.settings["retry_seconds"]
        wait = min(2 ** (tried - 1), LONGEST_WAIT) if wanted is None else wanted
        deliveries.wait_until(store, delivery, time.time() + wait)


def try_again_after(store: Store, seconds: float) -> None:
    """Let every failed delivery that waits for another attempt wait ``seconds`` from now."""
    for delivery in [one for one in store.pending.values() if one["attempts"]]:
        deliveries.wait_until(store, delivery, time.time() + seconds)
