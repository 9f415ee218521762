"""Compares our webhook receiver with a bare view and with dj-stripe's own: ``python -m tests.benchmarks.receive``.

All three answer in turns from one web server, over eight kept connections. It is started as the Procfile says, with
production settings. The events are those that a local Stripe sends for new subscribers, each signed as Stripe does.
dj-stripe's view asks the same local Stripe. Events for which the local Stripe cannot answer it are sent to none of the
three. A figure is void if an event that was answered 200 has no row.
BENCH_EVENTS is the number of events in a round. BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import hashlib
import hmac
import itertools
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from demo.stack import web_command
from tests.benchmarks import sandbox, stage

CONNECTIONS = 8
EVENTS = int(os.environ.get("BENCH_EVENTS", "1000"))
LIBRARY_EVENTS = EVENTS // 8
ROUNDS = 4
WARM_UP = 200
GOALS = {"bare": 0.7, "dj-stripe": 10.0, "processor": 2.0}
ID = re.compile(r'"id": "evt_\w+"')
TYPE = re.compile(r'\n  "type": "([\w.]+)"')
NOT_ANSWERED = ("customer.created", "customer.updated", "price.created")
"""dj-stripe asks for these with ``sources`` and ``currency_options``, which the local Stripe does not have."""

Sent = tuple[str, bytes]
"""An event's id, and its body."""


@dataclass
class Receiver:
    """One of the three receivers, with its measurements."""

    path: str
    rows: Callable[[], Iterable[str]]  # the ids of the events that it has kept
    sent: set[str] = field(default_factory=set)
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by the event's type
    seconds: float = 0.0
    processor: float = 0.0
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.answered / self.seconds


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as stripe:
        stage.set_up_beside(f"http://{stripe.address}")
        stripe.connection.close()  # it was idle for longer than it is kept; the next request opens it again
        events = told(stripe)
        receivers = prepared()
        print(f"{stage.machine()}\n{' '.join(web_command(0))}; {CONNECTIONS} connections; rounds in turn")
        with stage.web() as (server, port):
            for name, receiver in receivers.items():  # each worker has loaded what it needs
                post(server, port, receiver, fresh(events, WARM_UP if name != "dj-stripe" else 2 * CONNECTIONS))
                receiver.waits.clear()
                receiver.refused.clear()
                receiver.answered = 0
                receiver.seconds = receiver.processor = 0.0
            for _ in range(ROUNDS):
                for name, receiver in receivers.items():
                    post(server, port, receiver, fresh(events, LIBRARY_EVENTS if name == "dj-stripe" else EVENTS))
        for name, receiver in receivers.items():
            show(name, receiver)
        ours, bare, library = receivers.values()
        stage.verdict("ours to bare", ours.rate / bare.rate, GOALS["bare"])
        stage.verdict("ours to dj-stripe", ours.rate / library.rate, GOALS["dj-stripe"])
        cost = ours.processor / ours.answered * 1_000
        stage.verdict("processor for an event of ours", cost, GOALS["processor"], least=False, unit=" ms")


def told(stripe: sandbox.Server) -> Iterable[Sent]:
    """Return events without end, each with a new id. Two events of one customer never follow closely."""
    stripe.control("seed", customers=200)
    deliveries = stripe.control("deliveries/take", shuffle_seed=1)["deliveries"]
    return renamed([one["body"] for one in deliveries if one["type"] not in NOT_ANSWERED])


def renamed(bodies: list[str]) -> Iterable[Sent]:
    for number, body in enumerate(itertools.cycle(bodies)):
        key = f"evt_{number:024}"
        yield key, ID.sub(f'"id": "{key}"', body, count=1).encode()


def fresh(events: Iterable[Sent], count: int) -> list[Sent]:
    return list(itertools.islice(events, count))


def prepared() -> dict[str, Receiver]:
    """Return the three receivers, and prepare what they need in the database."""
    from django.db import connections
    from djstripe.models import Event, WebhookEndpoint

    from billing.models import ReceivedEvent
    from tests.benchmarks.urls import BARE_TABLE

    with connections["default"].cursor() as cursor:
        cursor.execute(BARE_TABLE)
    endpoint = WebhookEndpoint.objects.get()
    WebhookEndpoint.objects.update(secret=stage.SECRET)  # dj-stripe's view knows no other secret
    return {
        "ours": Receiver(
            f"/stripe/webhook/{endpoint.djstripe_uuid}/",
            lambda: ReceivedEvent.objects.values_list("stripe_id", flat=True),
        ),
        "bare": Receiver("/bare/", bare_rows),
        "dj-stripe": Receiver(
            f"/library/webhook/{endpoint.djstripe_uuid}/", lambda: Event.objects.values_list("id", flat=1)
        ),
    }


def bare_rows() -> list[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT stripe_id FROM bare_event")
        return [one for (one,) in cursor.fetchall()]


def post(server: int, port: int, receiver: Receiver, events: list[Sent]) -> None:
    """Send the events over all connections at once. Every event that was answered 200 must have a row."""
    from django.db import connections

    connections.close_all()  # no connection of ours keeps the database open
    requests = [(key, request_of(receiver.path, body)) for key, body in events]
    todo, lock, kept = iter(requests), threading.Lock(), set[str]()

    def sender() -> None:
        with Line(port) as line:
            while True:
                with lock:
                    key, request = next(todo, ("", b""))
                if not key:
                    return
                began = time.perf_counter()
                status = line.status_of(request)
                took = time.perf_counter() - began
                with lock:
                    receiver.waits.append(took)
                    if status == 200:
                        receiver.answered += 1
                        kept.add(key)
                    else:
                        receiver.refused[TYPE.findall(request.decode())[-1]] += 1

    threads = [threading.Thread(target=sender) for _ in range(CONNECTIONS)]
    spent, began = stage.processor(server), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receiver.seconds += time.perf_counter() - began
    receiver.processor += stage.processor(server) - spent
    receiver.sent |= kept
    if lost := receiver.sent - set(receiver.rows()):
        stage.void(f"{len(lost)} events were answered 200 at {receiver.path} and have no row")


def request_of(path: str, body: bytes) -> bytes:
    stamp = int(time.time())
    signed = hmac.new(stage.SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {stage.HOST}\r\nX-Forwarded-Proto: https\r\nUser-Agent: Stripe/1.0\r\n"
        f"Content-Type: application/json; charset=utf-8\r\nStripe-Signature: t={stamp},v1={signed}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Line:
    """One kept connection, opened again if the server closed it. It uses as little time as possible."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)

    def __enter__(self) -> "Line":
        self.open()
        return self

    def __exit__(self, *_: Any) -> None:
        self.socket.close()

    def open(self) -> None:
        self.socket = socket.create_connection(self.address, timeout=120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def status_of(self, request: bytes) -> int:
        try:
            self.socket.sendall(request)
            answer = self._answer()
        except OSError:
            answer = b""
        if not answer:  # it was idle for longer than the server keeps it
            self.socket.close()
            self.open()
            self.socket.sendall(request)
            answer = self._answer()
        if b"\r\nconnection: close" in answer.lower():
            self.socket.close()
            self.open()
        return int(answer.split(b" ", 2)[1]) if answer else 0

    def _answer(self) -> bytes:
        """Read head and body. Returns the head."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            if not (more := self.socket.recv(65_536)):
                return b""
            answer += more
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        while len(rest) < length:
            rest += self.socket.recv(65_536)
        return head


def show(name: str, receiver: Receiver) -> None:
    refused = receiver.refused.total()
    told = f"; {refused:,} of {receiver.answered + refused:,} refused: {dict(receiver.refused)}" if refused else ""
    cost = receiver.processor / (receiver.answered + refused) * 1_000
    print(
        f"{name + ':':11}{receiver.rate:7,.0f} events/s kept; {stage.percentiles(receiver.waits)}; "
        f"server's processor {cost:.2f} ms each{told}"
    )


if __name__ == "__main__":
    main()
