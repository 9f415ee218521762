"""How the events of a life arrive: late, shuffled, twice, some never. Workers overlap, lose leases or die."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from billing import clock, jobs
from billing.audit import actor
from billing.models import Finding, Office, ReceivedEvent
from billing.reconciliation import reconcile
from billing.reconciliation.runs import RECENT
from billing.webhooks import inbox
from tests import equality
from tests.conftest import post_delivery
from tests.equality import Theirs
from tests.histories.worker import Worker

Delivery = dict[str, Any]
STOPS = ("claimed", "claimed", "asking", "asking", "fetched", "fetched", "fetched", "fetched", "applied", "applied")
MOST_WORKERS = 4
MOST_ROUNDS = 30
CALM = (
    "dispute dispute_lost refund_failed customer_deleted second_live_subscription unknown_price "
    "not_for_sale_at_stripe event_parked contact_differs drafts_wait schedule"
).split()
"""Findings that are explained by what happens at Stripe. Any other finding is a defect."""


BY = actor.job("tests")


class Order:
    """One order of a life's events, for an Office that has no rows of it yet."""

    def __init__(self, office: Office, chance: random.Random, counted: Counter[str]) -> None:
        self.office_id, self.chance, self.counted = office.pk, chance, counted
        self.heard: list[Delivery] = []
        self.loses = chance.choice([0, 0, 0.03, 0.3])
        self.kept: list[Delivery] = []
        self.lost: list[Delivery] = []
        self.again: dict[str, int] = {}
        self.told: set[str] = set()
        self.workers: list[Worker] = []
        self.acts = [
            (self.some_are_told, 6),
            (self.a_worker_begins, 8),
            (self.a_worker_goes_on, 4),
            (self.a_worker_ends, 2),
            (self.a_worker_is_killed, 1),
            (self.a_worker_loses_the_line, 1),
            (self.a_lease_runs_out, 1),
            (self.all_is_worked_off, 1),
        ]

    # --- what happens on the way

    def hears(self, deliveries: list[Delivery]) -> None:
        """Take these deliveries from Stripe. Each is on its way now, or lost."""
        self.heard += deliveries
        for one in deliveries:
            if self.chance.random() < self.loses:
                self.lost.append(one)
                self.counted["events lost"] += 1
            else:
                self.kept.append(one)

    def something_happens(self, *, up_to: int = 1) -> None:
        """Let up to ``up_to`` things happen. By default, one thing."""
        acts, weights = zip(*self.acts, strict=True)
        for act in self.chance.choices(acts, weights, k=self.chance.randint(0, up_to) if up_to > 1 else 1):
            act()

    def some_are_told(self) -> None:
        """Deliver some events in a random order."""
        self.chance.shuffle(self.kept)
        several = self.chance.choice([1, 1, 2, 5, 12, len(self.kept)])
        now, self.kept = self.kept[:several], self.kept[several:]
        for one in now:
            self._tell(one)
            if self.chance.random() < 0.1:
                self.kept.append(one)
                self.counted["events sent twice"] += 1

    def a_worker_begins(self) -> None:
        if len(self.workers) >= MOST_WORKERS or not ReceivedEvent.objects.filter(status="waiting").exists():
            return
        self.workers.append(Worker())
        self.counted["looks overlapped"] += len(self.workers) > 1
        self._let_go(self.workers[-1])

    def a_worker_goes_on(self) -> None:
        if self.workers:
            self._let_go(self.chance.choice(self.workers))

    def a_worker_ends(self) -> None:
        if worker := self._any_worker():
            self._end(worker)

    def a_worker_is_killed(self) -> None:
        """Kill a worker. Its lease ends later."""
        if worker := self._any_worker():
            self.counted[f"workers killed: {worker.place}"] += 1
            worker.be_killed()

    def a_worker_loses_the_line(self) -> None:
        if worker := self._any_worker():
            self.counted["lines cut"] += worker.place in ("begun", "claimed", "asking")
            worker.lose_the_line()

    def a_lease_runs_out(self) -> None:
        """End a lease, although its look is still running or its process is dead."""
        held = ReceivedEvent.objects.filter(status="waiting", lease_until__gt=clock.wall()).order_by("pk")
        claims = list(dict.fromkeys(held.values_list("claim_id", flat=True)))
        if claims:
            lost = ReceivedEvent.objects.filter(claim_id=self.chance.choice(claims), status="waiting")
            lost.update(lease_until=clock.wall() - timedelta(seconds=1))
            self.counted["leases lost"] += 1

    def all_is_worked_off(self) -> None:
        """Work off everything that nobody holds."""
        ReceivedEvent.objects.filter(status="waiting").update(due_at=clock.wall())
        self.counted["looks"] += inbox.work_off()

    def all_are_killed(self) -> None:
        while worker := self._any_worker():
            worker.be_killed()

    def _tell(self, delivery: Delivery) -> None:
        assert post_delivery(delivery).status_code == 200
        self.counted["events delivered"] += 1
        self.told.add(delivery["event"])

    def _let_go(self, worker: Worker) -> None:
        """Let the worker go on until it stops at a later place, later at the same place, or never."""
        stop, points = self.chance.choice(STOPS), self.chance.randint(1, 3)

        def meant(place: str) -> bool:
            nonlocal points
            points -= place == stop
            return place == stop and (points <= 0 or stop == "fetched")

        worker.go_on(meant)
        if worker.over:
            self.workers.remove(worker)
            self.counted["looks"] += worker.looked
        else:
            self.counted[f"looks stopped: {worker.place}"] += 1

    def _end(self, worker: Worker) -> None:
        worker.go_on()
        self.counted["looks"] += worker.looked

    def _any_worker(self) -> Worker | None:
        return self.workers.pop(self.chance.randrange(len(self.workers))) if self.workers else None

    # --- at rest

    def come_to_rest(self, theirs: Theirs) -> None:
        """Deliver what was sent, end or kill every worker, and check that our rows equal Stripe's state."""
        while self.kept:
            self.some_are_told()
            self.something_happens()
        if self.chance.random() < 0.7:  # free events are looked at first, what was fetched long ago is applied last
            self.all_is_worked_off()
        while self.workers:
            self.chance.choices([self.a_worker_ends, self.a_worker_is_killed, self.a_worker_goes_on], [4, 1, 1])[0]()
        self.work_until_settled()
        if self.lost:
            self.recover()
        self._check(theirs)

    def recover(self) -> None:
        """Find by a comparison what was lost for ever: of all the past, if the recent past is not enough.

        A second comparison must find nothing, but for events that are older than what the first one read.
        """
        old = clock.billing() - RECENT + timedelta(days=1)
        everything = any(_made(one) < old for one in self.lost) or self.chance.random() < 0.3
        self.counted["comparisons with Stripe's lists" + (": all of the past" if everything else "")] += 1
        found = reconcile(by=BY, reason="what was lost", everything=everything).counts
        self.counted["drifted"] += found.get("drifted", 0)
        self.counted["events found"] += found.get("events that had not arrived", 0)
        self.work_until_settled()
        found = reconcile(by=BY, reason="once more", everything=True).counts
        nothing = ("drifted",) if found.get("events that had not arrived") else ("drifted", "looks")
        self.again = {what: many for what, many in found.items() if what in nothing}
        self.work_until_settled()

    def work_until_settled(self) -> None:
        """End the leases of dead workers, and make everything due, until nothing waits."""
        waiting = ReceivedEvent.objects.filter(status="waiting")
        for _ in range(MOST_ROUNDS):
            if not waiting.exists():
                self.counted["looks left to the worker"] += jobs.run_due()
                return
            waiting.update(due_at=clock.wall(), lease_until=None)
            self.counted["looks"] += inbox.work_off()
        raise AssertionError(f"It does not come to rest: {list(waiting.values_list('type', 'last_error')[:3])}")

    def _check(self, theirs: Theirs) -> None:
        self.counted["comparisons"] += 1
        office = Office.objects.get(pk=self.office_id)
        wrong = equality.differences(office, theirs) + equality.broken_invariants(office)
        kept = set(ReceivedEvent.objects.values_list("stripe_id", flat=True))
        if any(_type(one).startswith("payment_method.") and one["event"] not in kept for one in self.lost):
            wrong = [one for one in wrong if not one.startswith("card ") or "is_default" in one]
        if self.again:
            wrong.append(f"compared once more: {self.again}")
        wrong += [f"event {one}: told, and not in the inbox" for one in sorted(self.told - kept)]
        parked = ReceivedEvent.objects.filter(status="parked")
        wrong += [f"event parked: {one.type}: {one.last_error}" for one in parked]
        calm = CALM + ["events_missed"] * bool(self.lost)
        found = Finding.objects.exclude(kind__in=calm).exclude(kind="drift", resolution__startswith="repaired")
        wrong += [f"a finding: {one.kind}: {one.detail}" for one in found]
        assert wrong == [], "\n".join(wrong)


def _type(delivery: Delivery) -> str:
    return json.loads(delivery["body"])["type"]


def _made(delivery: Delivery) -> datetime:
    """Return when the event's object was made."""
    event = json.loads(delivery["body"])
    return datetime.fromtimestamp(event["data"]["object"].get("created") or event["created"], UTC)
