"""Measures how soon Stripe is told to come again while the database is locked: ``python -m tests.benchmarks.locked``.

The web server is started as the Procfile says, with production settings. Another connection holds the database file
locked. 8, 16 and 64 connections send deliveries at the same time, each one after the other, for some seconds.
"""

import threading
import time
from collections import Counter
from itertools import count

from demo.stack import web_command
from tests.benchmarks import receive, sandbox, stage

CONNECTIONS = (8, 16, 64)
SECONDS = 12.0
MOST = 2.0


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as stripe:
        stage.set_up_beside(f"http://{stripe.address}")
        from djstripe.models import WebhookEndpoint

        path = f"/stripe/webhook/{WebhookEndpoint.objects.get().djstripe_uuid}/"
        print(f"{stage.machine()}\n{' '.join(web_command(0))}; database locked by another connection")
        with stage.web() as (_, port):
            for connections in CONNECTIONS:
                with locked():
                    waits, answers = sent(port, path, connections)
                print(
                    f"{connections:3} connections: {len(waits):6} answers {dict(answers)}; {stage.percentiles(waits)}"
                )
                stage.verdict("longest", max(waits), MOST, least=False, unit=" s")


def locked():  # type: ignore[no-untyped-def]
    from tests.other_connections import locked_by_another

    return locked_by_another("billing_receivedevent")


def sent(port: int, path: str, connections: int) -> tuple[list[float], Counter[int]]:
    """Send deliveries over so many connections. Return how long each answer took, in seconds, and the statuses."""
    waits: list[float] = []
    answers: Counter[int] = Counter()
    lock, numbers, end = threading.Lock(), count(), time.monotonic() + SECONDS

    def sender() -> None:
        with receive.Line(port) as line:
            while time.monotonic() < end:
                body = '{"object": "event", "id": "evt_%024d", "type": "customer.updated", "livemode": false, '
                body += '"data": {"object": {"id": "cus_1", "object": "customer"}}}'
                request = receive.request_of(path, (body % next(numbers)).encode())
                began = time.perf_counter()
                status = line.status_of(request)
                took = time.perf_counter() - began
                with lock:
                    waits.append(took)
                    answers[status] += 1
                time.sleep(0.2)  # Stripe does not send the next one at once

    threads = [threading.Thread(target=sender) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, answers


if __name__ == "__main__":
    main()
