"""Measures how much of Stripe's limit worker processes use: ``python -m tests.benchmarks.looks``.

A local Stripe answers each request after 150 ms and refuses what is above Stripe's limits in live mode: 100 requests in
any second, 25 to one endpoint. It has subscribed Offices, and its clock is moved by a month. The events are put into
the inbox as the receiver leaves them. The worker is the process that the Procfile starts. Afterwards each row is
compared with that Stripe, and the figures are void if one differs or if one request was refused.

BENCH_OFFICES is the number of Offices, BENCH_WORKERS the numbers of workers. WORKER_LOOKS_AT_ONCE=1 is one look at a
time. BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.benchmarks import renewals, sandbox, stage

OFFICES = int(os.environ.get("BENCH_OFFICES", "1000"))
WORKERS = [int(one) for one in os.environ.get("BENCH_WORKERS", "1,2,4").split(",")]
QUIET_EVENTS = int(os.environ.get("BENCH_QUIET_EVENTS", "60"))
LATENCY = 0.15
STRIPES, STRIPES_OF_ENDPOINT = 100, 25
OURS, OURS_OF_ENDPOINT = 80, 20
HOUR = 3_600
GOALS = {"share": 0.9, "looks": 18.0, "month": 60.0, "quiet": 1.0}


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as server:
        os.environ["STRIPE_REQUESTS_PER_SECOND"] = str(OURS)
        address = f"http://{server.address}"
        stage.set_up_beside(address)
        from tests.conftest import LocalStripe

        stripe = LocalStripe(address)
        renewals.OFFICES = OFFICES
        print(f"{stage.machine()}\n{OFFICES:,} Offices; {LATENCY * 1_000:.0f} ms for each request", flush=True)
        renewals.subscribed(stripe)
        for workers in WORKERS:
            backlog(stripe, workers)
        quiet(stripe)


def backlog(stripe: Any, workers: int) -> None:
    """Let a month of renewals wait, and measure until its last event is applied."""
    with running(workers), limited(stripe):
        told = renewed(stripe)
        began = time.perf_counter()
        looks = until_none_waits()
        seconds = time.perf_counter() - began
        asked = stripe.requests()
    renewals.check(stripe)
    if refused := sum(one["status"] == 429 for one in asked):
        stage.void(f"{refused} requests were answered 429")
    busiest = most_of_endpoint(asked)
    print(
        f"{workers} workers: {len(told):,} events in {seconds:,.1f} s, {len(told) / seconds:,.0f}/s; {looks:,} looks, "
        f"{len(asked) / looks:.2f} requests for a look; {len(asked) / seconds:,.1f} requests/s; in the busiest second "
        f"{most_in_a_second(asked)} of {OURS}, to one endpoint {busiest} of {OURS_OF_ENDPOINT}",
        flush=True,
    )
    if workers == 1:
        share = looks / seconds / OURS_OF_ENDPOINT
        stage.verdict("share of the limit that binds", share, GOALS["share"])
        stage.verdict("looks a second", looks / seconds, GOALS["looks"])
        stage.verdict("until the last is applied", seconds * 1_000 / OFFICES, GOALS["month"], least=False, unit=" s")


def renewed(stripe: Any) -> list[Any]:
    from django.db.models import Max

    from billing.models import Office
    from billing.stripe_api import sandbox_clock

    ends = int(Office.objects.aggregate(last=Max("current_period_end"))["last"].timestamp())
    stripe.control("clock", now=ends + 2 * HOUR)
    sandbox_clock.forget()
    told = [one for one in renewals.taken(stripe) if renewals.arrives(one)]
    stripe.forget_requests()
    renewals.arrive(told)
    return told


def quiet(stripe: Any) -> None:
    """Let single events come, one after the other, and measure from the receipt to the row."""
    from billing.models import Office, ReceivedEvent

    customers = list(Office.objects.values_list("payment_provider_customer_id", flat=True)[:QUIET_EVENTS])
    waits = []
    with running(1), limited(stripe):
        for number, customer in enumerate(customers):
            stripe.post(f"customers/{customer}", **{"metadata[round]": number})
            renewals.arrive([one for one in renewals.taken(stripe) if renewals.arrives(one)])
            began = time.perf_counter()
            while ReceivedEvent.objects.filter(status="waiting").exists():
                time.sleep(0.005)
            waits.append(time.perf_counter() - began)
            time.sleep(0.37)  # no multiple of the wait between two questions to the database
    waits.sort()
    p95 = statistics.quantiles(waits, n=20)[18]
    stage.verdict("an event of a quiet day, from receipt to row, p95", p95, GOALS["quiet"], least=False, unit=" s")


@contextlib.contextmanager
def limited(stripe: Any) -> Iterator[None]:
    kept = {"latency_seconds": LATENCY, "requests_per_second": STRIPES, "requests_per_endpoint": STRIPES_OF_ENDPOINT}
    stripe.control("settings", **kept)
    try:
        yield
    finally:
        stripe.control("settings", latency_seconds=0, requests_per_second=None, requests_per_endpoint=None)


@contextlib.contextmanager
def running(count: int) -> Iterator[None]:
    command = [sys.executable, "manage.py", "worker"]
    from billing.models import WorkerHeartbeat

    workers = [subprocess.Popen(command, cwd=stage.ROOT) for _ in range(count)]
    try:
        while WorkerHeartbeat.objects.count() < count or is_at_work():
            time.sleep(0.1)
            if any(one.poll() is not None for one in workers):
                stage.void("a worker ended")
        yield
    finally:
        for one in workers:
            one.terminate()
        if any(one.wait(15) for one in workers):
            stage.void(f"workers ended with {[one.returncode for one in workers]}")


def is_at_work() -> bool:
    """Return whether a job is due, as many are when a worker starts. One is a comparison, which makes looks too."""
    from billing import clock
    from billing.models import Job, Reconciliation

    compared = Reconciliation.objects.exclude(ended_at=None).exists()
    waits = Job.objects.filter(due_at__lte=clock.wall()).exists()
    return waits or not compared or Reconciliation.objects.filter(ended_at=None).exists()


def until_none_waits() -> int:
    """Wait until no event waits, and return how many looks that took: each has a claim of its own."""
    from billing.models import ReceivedEvent

    waiting = ReceivedEvent.objects.filter(status="waiting")
    mine = list(waiting.values_list("pk", flat=True))
    while waiting.exists():
        time.sleep(0.1)
    return ReceivedEvent.objects.filter(pk__gte=min(mine), attempts__gt=0).values("claim_id").distinct().count()


def most_in_a_second(asked: list[Any]) -> int:
    moments = sorted(one["came"] for one in asked)
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - 1:
            first += 1
        most = max(most, last - first + 1)
    return most


def most_of_endpoint(asked: list[Any]) -> int:
    lanes: dict[str, list[Any]] = {}
    for one in asked:
        lanes.setdefault(one["endpoint"], []).append(one)
    return max(most_in_a_second(of_lane) for of_lane in lanes.values())


if __name__ == "__main__":
    main()
