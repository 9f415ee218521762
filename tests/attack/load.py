"""What goes on while the product is attacked: Stripe sends events, and people ask for charges."""

import itertools
import json
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

AGAIN = {"operation_in_progress", "request_in_progress", "stripe_unavailable"}
"""Refusals after which the same request is sent again, under the same key."""
FIRST_AMOUNT = 5_000
SENDERS = 4


@dataclass
class Load:
    """Sends until it is ended. What was answered is counted by status; "cut" is a connection that was lost."""

    site: str
    stripe: str
    token: str
    offices: list[str]
    events: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    charged: dict[int, bool] = field(default_factory=dict)
    """By amount: whether the API said that it was charged. Each amount is asked for under one key."""
    refused: Counter[str] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)
    no_more: threading.Event = field(default_factory=threading.Event)

    def start(self) -> list[threading.Thread]:
        amounts = itertools.count(FIRST_AMOUNT)
        threads = [threading.Thread(target=self._send_events, daemon=True)]
        threads += [threading.Thread(target=self._ask, args=(office, amounts), daemon=True) for office in self.offices]
        threads.append(threading.Thread(target=self._change_at_stripe, daemon=True))
        for thread in threads:
            thread.start()
        return threads

    def _send_events(self) -> None:
        """Send what waits, as Stripe does: again and again until it is answered 200."""
        stripe, waiting = httpx.Client(base_url=self.stripe, timeout=20), list[dict[str, Any]]()
        site, pool = self._client(), ThreadPoolExecutor(SENDERS)
        while True:
            waiting += stripe.post("/_sandbox/deliveries/take", json={}).json()["deliveries"]
            if not waiting and self.ended.is_set():
                return
            random.shuffle(waiting)
            left = []
            for one, status in zip(waiting, pool.map(lambda one: self._sent(site, one), waiting), strict=True):
                self.events[status] += 1
                if status == "200":
                    self.acknowledged.add(json.loads(one["body"])["id"])
                else:
                    left.append(one)
            waiting = left
            time.sleep(0.2)

    def _sent(self, site: httpx.Client, one: dict[str, Any]) -> str:
        path = "/" + one["url"].split("/", 3)[3]
        try:
            answer = site.post(path, content=one["body"], headers=one["headers"])
        except httpx.HTTPError:
            return "cut"
        return str(answer.status_code)

    def _client(self) -> httpx.Client:
        """Return a client that opens a connection for each request, so that each may meet another web server."""
        return httpx.Client(base_url=self.site, timeout=60, limits=httpx.Limits(max_keepalive_connections=0))

    def _ask(self, office: str, amounts: "itertools.count[int]") -> None:
        """Ask for one charge after the other, each until it is answered for good."""
        site = self._client()
        while not self.no_more.is_set():
            amount, key = next(amounts), str(uuid.uuid4())
            self.charged[amount] = False
            while not self._answered(site, office, amount, key):
                time.sleep(random.uniform(0.2, 1))

    def _answered(self, site: httpx.Client, office: str, amount: int, key: str) -> bool:
        headers = {"Authorization": f"Token {self.token}", "Idempotency-Key": key}
        body = {"charge": "training", "amount": amount, "reason": "agreed"}
        try:
            answer = site.post(f"/api/v1/offices/{office}/charges/", json=body, headers=headers)
        except httpx.HTTPError:
            self.requests["cut"] += 1
            return False
        self.requests[str(answer.status_code)] += 1
        if answer.status_code == 201:
            self.charged[amount] = True
            return True
        if answer.status_code >= 500 or answer.status_code == 429:
            return False
        code = answer.json().get("code", "")
        if code in AGAIN:
            return False
        self.refused[code] += 1
        return True

    def _change_at_stripe(self) -> None:
        """Let a day pass at Stripe now and then, so that it renews and tells of it."""
        stripe = httpx.Client(base_url=self.stripe, timeout=60)
        while not self.no_more.is_set():
            stripe.post("/_sandbox/clock", json={"advance": 3 * 24 * 3600}).raise_for_status()
            self.no_more.wait(10)
