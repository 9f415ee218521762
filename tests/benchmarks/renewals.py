"""Compares a month of renewals in one worker with dj-stripe's own view: ``python -m tests.benchmarks.renewals``.

A local Stripe has subscribed Offices, and its clock is moved by a month, three times. First, all events wait before
the worker begins. Second, they come as Stripe sends them: at the end of the period, and an hour later. Third, all
events wait, and the worker keeps Stripe's limit. Afterwards every row is compared with that Stripe, and the figures are
void if one differs. dj-stripe's view gets the same events of some of the Offices, one after the other in this process,
as one worker does. BENCH_OFFICES is the number of Offices, BENCH_LIBRARY_OFFICES the number for dj-stripe's view.
BENCH_POSTGRES_URL measures on PostgreSQL too.
"""

import contextlib
import hashlib
import hmac
import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import sandbox, stage

OFFICES = int(os.environ.get("BENCH_OFFICES", "1000"))
LIBRARY_OFFICES = min(OFFICES, int(os.environ.get("BENCH_LIBRARY_OFFICES", "100")))
LIMIT = 80
SEEDED_AT_ONCE = 250
HOUR, DAY = 3_600, 86_400
GOALS = {"requests": 3, "processor": 10.0, "rate": 5.0, "calls": 1 / 3}

Event = dict[str, Any]
"""An event as the local Stripe hands it over: type, body, headers."""


@dataclass
class Cost:
    seconds: float = 0.0
    processor: float = 0.0
    calls: float = 0
    looks: float = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))

    def per(self, count: int) -> "Cost":
        return Cost(*(one / count for one in vars(self).values()))


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as server:
        stage.set_up_beside(f"http://{server.address}")
        from billing import worker
        from tests.conftest import LocalStripe

        worker.freeze_loaded()  # dj-stripe's view, in this process too, profits from it as well
        stripe = LocalStripe(f"http://{server.address}")
        print(f"{stage.machine()}\n{OFFICES:,} Offices; one worker, one process", flush=True)
        subscribed(stripe)
        backlog, told = month(stripe, "backlog", bursts=(2 * HOUR,))
        stage.verdict("requests for a look", backlog.calls / backlog.looks, GOALS["requests"], least=False)
        cost = backlog.processor / len(told) * 1_000
        stage.verdict("processor for an event", cost, GOALS["processor"], least=False, unit=" ms")
        sample = of_first_offices(told)
        compare(backlog.per(len(told)), receiving(sample).per(len(sample)), sample)
        month(stripe, "spaced", bursts=(HOUR // 4, 2 * HOUR))
        month(stripe, f"backlog, at most {LIMIT} requests/s", bursts=(2 * HOUR,), limited=True)


def subscribed(stripe: Any) -> None:
    """Make an Office for each customer at the local Stripe. Its rows come from events, as always."""
    from billing import projection
    from billing.audit import actor, trail
    from billing.models import Office, Plan, PlanPrice
    from billing.operations.catalogue import publish_plans

    by = actor.job("benchmark")
    with trail.acting(by, reason="benchmark"):
        plan = Plan.objects.create(code="practice", name="Practice")
        price = PlanPrice.objects.create(
            code="practice-monthly", plan=plan, currency="usd", unit_amount=19_900, interval="month"
        )
        publish_plans(by=by, reason="benchmark")
        price.refresh_from_db()
        made = 0
        while made < OFFICES:
            count = min(SEEDED_AT_ONCE, OFFICES - made)
            for customer in stripe.control("seed", customers=count, price=price.stripe_price_id)["customers"]:
                office = Office.objects.create(name=f"Practice {made}", billing_email="billing@practice.example")
                projection.link_customer(office.pk, customer)
                made += 1
    arrive(taken(stripe))
    show("first month", worked_off(), len(taken(stripe)) or 0)
    check(stripe)


def month(stripe: Any, name: str, *, bursts: tuple[int, ...], limited: bool = False) -> tuple[Cost, list[Event]]:
    """Move the time to the end of every Office's period, and further by the seconds of each burst of events."""
    from django.db.models import Max

    from billing.models import Office
    from billing.stripe_api import pace, sandbox_clock

    ends = int(Office.objects.aggregate(last=Max("current_period_end"))["last"].timestamp())
    cost, told = Cost(), []
    for burst in bursts:
        stripe.control("clock", now=ends + burst)
        sandbox_clock.forget()
        events = [one for one in taken(stripe) if arrives(one)]
        arrive(events)
        with pace.kept() if limited else contextlib.nullcontext():
            cost += worked_off()
        told += events
    check(stripe)
    show(name, cost, len(told))
    return cost, told


def taken(stripe: Any) -> list[Event]:
    """Return what the local Stripe sent since the last time, in its order."""
    found: list[Event] = []
    while more := stripe.taken(limit=1_000):
        found += more
    return found


def arrives(event: Event) -> bool:
    """Whether the event causes a look. Events that the receiver settles itself would only flatter us."""
    from billing.webhooks.routes import LookAt, route

    return route(event["type"]) is not LookAt.IGNORE


def arrive(events: list[Event]) -> None:
    """Put the events into the inbox, as the receiver leaves them."""
    from billing.models import ReceivedEvent
    from billing.webhooks.hints import hint_of

    rows = [hint_of(json.loads(one["body"])) for one in events]
    ReceivedEvent.objects.bulk_create(rows, batch_size=500)


def worked_off() -> Cost:
    """Work until nothing waits, and return the cost."""
    from django.conf import settings

    from billing.models import ReceivedEvent
    from billing.webhooks import inbox

    settings.STRIPE_REQUESTS_PER_SECOND = LIMIT
    with counted() as cost:
        cost.looks = inbox.work_off(limit=10**9)
    if left := ReceivedEvent.objects.filter(status__in=["waiting", "parked"]):
        stage.void(f"{len(left)} events were not applied: {left[0].last_error}")
    return cost


@contextlib.contextmanager
def counted() -> Iterator[Cost]:
    """Measure the cost of the block. Requests to Stripe are counted where both clients pass."""
    import stripe

    through, cost = stripe.RequestsClient.request, Cost()

    def counting(*args: Any, **kwargs: Any) -> Any:
        cost.calls += 1
        return through(*args, **kwargs)

    stripe.RequestsClient.request = counting  # type: ignore[method-assign]
    began, spent = time.perf_counter(), time.process_time()
    try:
        yield cost
    finally:
        cost.seconds, cost.processor = time.perf_counter() - began, time.process_time() - spent
        stripe.RequestsClient.request = through  # type: ignore[method-assign]


def check(stripe: Any) -> None:
    """Check that every row is what that Stripe shows."""
    from billing.models import Office
    from tests import equality

    for office in Office.objects.all():
        theirs = equality.read(stripe, office.payment_provider_customer_id)
        if found := equality.differences(office, theirs):
            stage.void(f"a row differs from Stripe's: {found[0]}")


def receiving(events: list[Event]) -> Cost:
    """Return the cost of receiving these events again, in this process."""
    from billing.models import ReceivedEvent

    ReceivedEvent.objects.filter(stripe_id__in=[one["event"] for one in events]).delete()
    with counted() as cost:
        answers = posted("stripe", events)
    waiting = ReceivedEvent.objects.filter(status="waiting")
    if not answers[200] == len(events) == waiting.count():
        stage.void(f"not every event was received: {answers}")
    waiting.delete()
    return cost


def posted(to: str, events: list[Event], refused: Counter[str] | None = None) -> Counter[int]:
    """Give each event to the handler of web requests, without a server. Returns how often it answered what."""
    from django.core.handlers.base import BaseHandler
    from django.test import RequestFactory
    from djstripe.models import WebhookEndpoint

    path = f"/{to}/webhook/{WebhookEndpoint.objects.get().djstripe_uuid}/"
    handler, factory, answers = BaseHandler(), RequestFactory(headers={"Host": stage.HOST}), Counter[int]()
    handler.load_middleware()
    for one in events:
        stamp, body = int(time.time()), one["body"]
        signed = hmac.new(stage.SECRET.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={stamp},v1={signed}"}
        request = factory.post(path, body, content_type="application/json", headers=headers, secure=True)
        status = handler.get_response(request).status_code
        answers[status] += 1
        if refused is not None and status != 200:
            refused[one["type"]] += 1
    return answers


def of_first_offices(told: list[Event]) -> list[Event]:
    from billing.models import Office

    first = set(Office.objects.order_by("pk").values_list("payment_provider_customer_id", flat=True)[:LIBRARY_OFFICES])
    named = [(one, json.loads(one["body"])["data"]["object"]) for one in told]
    invoices = {about["id"] for _, about in named if about["object"] == "invoice" and about["customer"] in first}
    return [one for one, about in named if about.get("customer") in first or about.get("invoice") in invoices]


def compare(ours: Cost, received: Cost, events: list[Event]) -> None:
    """Give dj-stripe's view these events, and compare both. Our costs are those of one event."""
    from djstripe.models import WebhookEndpoint
    from djstripe.signals import WEBHOOK_SIGNALS

    WebhookEndpoint.objects.update(secret=stage.SECRET)  # dj-stripe's view knows no other secret
    refused = Counter[str]()
    with counted() as cost:
        answers = posted("library", events, refused)
    dropped = sum(not getattr(WEBHOOK_SIGNALS.get(one["type"]), "receivers", None) for one in events)
    library = cost.per(len(events))
    rate = answers[200] / cost.seconds
    print(
        f"dj-stripe's view, {len(events):,} events of {LIBRARY_OFFICES:,} Offices: {rate:,.1f} answered 200/s; "
        f"{library.calls:.2f} Stripe calls and {library.processor * 1_000:.1f} ms of processor for an event; "
        f"{refused.total():,} answered 500 {dict(refused) or ''}; {dropped:,} are of types that it does nothing with"
    )
    both = ours + received
    print(
        f"ours with receiving, which is {received.processor * 1_000:.2f} ms of processor in this process: "
        f"{1 / both.seconds:,.1f} events/s, {both.processor * 1_000:.2f} ms of processor for an event"
    )
    stage.verdict("backlog, ours to dj-stripe: events/s", 1 / ours.seconds / rate, GOALS["rate"])
    stage.verdict("… with receiving", 1 / both.seconds / rate, GOALS["rate"])
    stage.verdict("… processor for an event, dj-stripe to ours", library.processor / ours.processor, GOALS["rate"])
    stage.verdict("… calls for an event", ours.calls / library.calls, GOALS["calls"], least=False)


def show(name: str, cost: Cost, events: int) -> None:
    if not events:
        print(f"{name}: {cost.looks:,} looks in {cost.seconds:,.1f} s", flush=True)
        return
    print(
        f"{name}: {events:,} events in {cost.seconds:,.1f} s, {events / cost.seconds:,.0f}/s; "
        f"{cost.looks / OFFICES:.2f} looks for a customer, {cost.calls / cost.looks:.2f} requests for a look, "
        f"{cost.calls / events:.2f} for an event; processor {cost.processor / cost.looks * 1_000:.1f} ms for a look, "
        f"{cost.processor / events * 1_000:.2f} ms for an event",
        flush=True,
    )


if __name__ == "__main__":
    main()
