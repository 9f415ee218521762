"""How fast requests are taken, and how long an answer is on its way. Both are off until a setting asks for them.

Stripe counts the requests of an account in all and those of each endpoint. A named operation is one endpoint: all
requests for ``GET /v1/customers/{customer}`` count together. No second, wherever it begins, has more than the limit.
Source: https://docs.stripe.com/rate-limits
"""

import asyncio
import time
from collections import deque

from stripe_sandbox import faults
from stripe_sandbox.store import Store

REASON = "Stripe-Rate-Limited-Reason"
IN_ALL = ""


def count(store: Store, endpoint: str) -> None:
    """Count one request, such as of "GET /v1/customers/{customer}". One that is refused does not count. Raises: 429."""
    now, counted = time.monotonic(), []
    for name, setting, reason in (
        (IN_ALL, "requests_per_second", "global-rate"),
        (endpoint, "requests_per_endpoint", "endpoint-rate"),
    ):
        most = store.settings.get(setting)
        if not most:
            continue
        lately = store.lately.setdefault(name, deque())
        while lately and lately[0] <= now - 1:
            lately.popleft()
        if len(lately) >= most:
            raise faults.refused("429", **{REASON: reason})
        counted.append(lately)
    for lately in counted:
        lately.append(now)


async def travel(store: Store) -> None:
    """Wait for as long as the request and its answer are on their way, by the settings."""
    fixed, spread = store.settings.get("latency_seconds", 0), store.settings.get("latency_spread_seconds", 0)
    if spread:
        fixed += spread * store.random.random()
    if fixed:
        await asyncio.sleep(fixed)
