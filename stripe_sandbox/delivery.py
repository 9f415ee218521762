"""Webhooks: signed afresh for each attempt, at least once, in no certain order.

Source: https://docs.stripe.com/webhooks#verify-manually
"""

import asyncio
import hashlib
import hmac
import json
import random
import time
from typing import Any

import httpx

from stripe_sandbox.store import Store, public

MOST_ATTEMPTS = 15
LONGEST_WAIT = 60


def prepared(store: Store, delivery: dict[str, Any]) -> dict[str, Any] | None:
    """Address, headers and exact body of an attempt made now; None where the endpoint is gone."""
    event, endpoint = store.get("event", delivery["event"]), store.get("webhook_endpoint", delivery["endpoint"])
    if event is None or endpoint is None:
        return None
    body = json.dumps(public(event), indent=2)
    stamp = int(time.time())
    signed = hmac.new(endpoint["_secret"].encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "delivery": delivery["id"],
        "event": event["id"],
        "type": event["type"],
        "endpoint": endpoint["id"],
        "url": endpoint["url"],
        "headers": {
            "Stripe-Signature": f"t={stamp},v1={signed},v0={'0' * 64}",
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (local sandbox)",
        },
        "body": body,
    }


def delivered(store: Store, delivery: dict[str, Any]) -> None:
    delivery["status"] = "delivered"
    event = store.get("event", delivery["event"])
    if event:
        event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
    store.changed = True


def take(store: Store, *, limit: int | None, shuffle_seed: int | None, duplicate: bool) -> list[dict[str, Any]]:
    """The pending deliveries, for a caller that delivers them itself; they count as delivered."""
    pending = [one for one in store.deliveries.values() if one["status"] == "pending"][:limit]
    taken = [found for one in pending if (found := prepared(store, one))]
    for one in pending:
        delivered(store, one)
    if duplicate:
        taken = taken + taken
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(taken)  # noqa: S311  repeatable on purpose
    return taken


async def deliver_forever(store: Store, mode: dict[str, str]) -> None:
    """In the mode ``auto``, what is pending is sent, and sent again after a growing wait."""
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        while True:
            now = time.monotonic()
            due = [one for one in store.deliveries.values() if one["status"] == "pending" and one["due"] <= now]
            if mode["mode"] != "auto" or not due:
                await asyncio.sleep(0.05)
                continue
            await asyncio.gather(*(_attempt(store, client, one) for one in due[:8]))


async def _attempt(store: Store, client: httpx.AsyncClient, delivery: dict[str, Any]) -> None:
    request = prepared(store, delivery)
    if request is None:
        delivery["status"] = "failed"
        return
    try:
        response = await client.post(request["url"], content=request["body"], headers=request["headers"])
        status, ok = response.status_code, 200 <= response.status_code < 300
    except httpx.HTTPError as error:
        status, ok = 0, False
        delivery["error"] = type(error).__name__
    delivery["attempts"].append({"at": int(time.time()), "status": status})
    store.changed = True
    if ok:
        delivered(store, delivery)
    elif len(delivery["attempts"]) >= MOST_ATTEMPTS:
        delivery["status"] = "failed"
    else:
        delivery["due"] = time.monotonic() + min(2 ** (len(delivery["attempts"]) - 1), LONGEST_WAIT)
