"""Measures the comparison with a local Stripe, for few and for many Offices: ``python -m tests.benchmarks.reconcile``.

Each number of subscribed Offices is first adopted on an empty database. Then everything is compared while nothing
differs, and again after one customer in a hundred, which had been looked at, was changed without an event. The
baseline is the cost of the lists: each object at Stripe once, in pages of a hundred, fetched by the same client and
thrown away. Afterwards some of the Offices are compared with that Stripe field by field, and the figures are void if a
row differs. BENCH_RECONCILED is the numbers of Offices, first few and then many. BENCH_POSTGRES_URL measures on
PostgreSQL too.
"""

import contextlib
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks import renewals, sandbox, stage

OFFICES = [int(one) for one in os.environ.get("BENCH_RECONCILED", "1000,10000").split(",")]
SEEDED_AT_ONCE = 250
CHANGED_EVERY = 100
HELD_AGAINST_STRIPE = 50
LISTS = "/v1/customers /v1/subscriptions /v1/invoices /v1/charges /v1/refunds /v1/credit_notes /v1/disputes".split()
GOAL = 1.1
"""The ratio of requests to one request for each hundred objects of each list."""


def main() -> None:
    for offices in OFFICES:
        os.environ["BENCH_RECONCILED"] = str(offices)
        stage.on_each_database(measure)


def measure() -> None:
    (offices,) = OFFICES
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as server:
        stage.set_up_beside(f"http://{server.address}")
        from tests.conftest import LocalStripe

        print(f"{stage.machine()}\n{offices:,} subscribed customers", flush=True)
        stripe = LocalStripe(f"http://{server.address}")
        customers = seeded(stripe, offices)
        lists = listed()
        run_of("adopted, as a backfill", lists, adopts=True)
        run_of("compared, nothing differs", lists)
        changed = random.Random(7).sample(customers, offices // CHANGED_EVERY)
        looked_at(changed)
        for customer in changed:
            stripe.post(f"customers/{customer}", balance=-1_000)
        run_of(f"compared, {len(changed)} had drifted", lists, drifted=len(changed))
        check(stripe, offices, [*changed[:HELD_AGAINST_STRIPE], *customers[:HELD_AGAINST_STRIPE]])


def seeded(stripe: Any, offices: int) -> list[str]:
    """Make subscribed customers, of which no event reaches us."""
    for endpoint in stripe.listed("webhook_endpoints"):
        stripe.delete(f"webhook_endpoints/{endpoint['id']}")
    customers: list[str] = []
    given: dict[str, Any] = {}
    while len(customers) < offices:
        made = stripe.control("seed", customers=min(SEEDED_AT_ONCE, offices - len(customers)), **given)
        given = {"price": made["price"]}
        customers += made["customers"]
    return customers


def looked_at(customers: list[str]) -> None:
    """Look at the Offices of these customers. A change of one that was adopted and never looked at is no drift."""
    from billing.look import look
    from billing.models import Office

    for office in Office.objects.filter(payment_provider_customer_id__in=customers):
        look(office)


def listed() -> renewals.Cost:
    """Measure the lists alone."""
    from billing.stripe_api.gateway import answers

    with renewals.counted() as cost, peak() as memory:
        for path in LISTS:
            cursor, more = "", True
            while more:
                _, cursor = answers.after(path, {"status": "all"} if path.endswith("subscriptions") else {}, cursor)
                more = bool(cursor)
    show("the lists, thrown away", cost, memory[0])
    return cost


def run_of(name: str, lists: renewals.Cost, *, drifted: int = 0, **how: bool) -> None:
    from billing.audit import actor
    from billing.models import Reconciliation
    from billing.reconciliation import reconcile

    Reconciliation.objects.all().delete()
    with renewals.counted() as cost, peak() as memory:
        run = reconcile(by=actor.job("benchmark"), reason="benchmark", **how)
    found = run.counts.get("drifted", 0)
    if found != drifted:
        stage.void(f"{found} had drifted instead of {drifted}: {run.counts}")
    show(name, cost, memory[0])
    print(f"  {cost.seconds / lists.seconds:.1f} × the lists' time", flush=True)
    if not drifted:
        stage.verdict("  requests beside the lists'", cost.calls / lists.calls, GOAL, least=False)


def show(name: str, cost: renewals.Cost, megabytes: float) -> None:
    print(
        f"{name}: {cost.calls:,.0f} requests, {cost.seconds:,.1f} s, {cost.processor:,.1f} s of processor, "
        f"at most {megabytes:,.0f} MB in memory",
        flush=True,
    )


@contextlib.contextmanager
def peak() -> Iterator[list[float]]:
    """Yield the most memory that this process uses inside the block, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    found = [0.0]
    yield found
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    found[0] = int(told[1]) / 1_024 if told else 0.0


def check(stripe: Any, offices: int, customers: list[str]) -> None:
    from billing.models import Office
    from tests import equality

    if Office.objects.count() != offices:
        stage.void(f"there are {Office.objects.count()} Offices instead of {offices}")
    for office in Office.objects.filter(payment_provider_customer_id__in=customers):
        if found := equality.differences(office, equality.read(stripe, office.payment_provider_customer_id or "")):
            stage.void(f"a row differs from Stripe's: {found[0]}")


if __name__ == "__main__":
    main()
