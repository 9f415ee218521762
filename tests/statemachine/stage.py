"""What a run uses: a local Stripe, its Offices, what was lost on the way, and what must be true at rest."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.contrib.contenttypes.models import ContentType

from billing import clock, errors, jobs
from billing.audit import actor, trail
from billing.look import look
from billing.models import AuditEntry, Finding, Job, Office, Operation, OperationStep, ReceivedEvent, RefusalCount
from billing.operations.engine.settle import resume_unsettled
from billing.webhooks import inbox
from tests import equality
from tests.at_stripe import a_coupon
from tests.conftest import OPERATOR, LocalStripe, a_person, an_office, post_delivery, price, stocked

OFFICES = 2
COUPONS: dict[str, dict[str, Any]] = {
    "FIFTH": {"percent_off": 20, "duration": "forever"},
    "ONCE": {"percent_off": 12.5, "duration": "once"},
    "FIVER": {"amount_off": 500, "currency": "usd", "duration": "repeating", "duration_in_months": 2},
}
SPECIAL = {
    "currency": "usd",
    "unit_amount": 7_500,
    "recurring[interval]": "month",
    "product_data[name]": "Typed by somebody",
}
"""A price that somebody made at Stripe, and that is none of our plans."""
MOST_ROUNDS = 30
DEFECTS = (errors.CallInsideTransaction, errors.FieldNotAllowed, errors.StripeKeyRefused, errors.WrongStripeAccount)
NOT_DONE = (400, 402, 404, 429, 503)
A_FAULT = "An unknown error occurred."
CREATED, UPDATED = "customer.subscription.created", "customer.subscription.updated"
MARKED = (
    "change_subscription resume_renewal cancel_on_date pause_collection resume_collection move_trial_end "
    "restart_period apply_discount make_discount remove_discount"
)
EFFECTS = dict.fromkeys(MARKED.split(), UPDATED) | {
    "subscribe": CREATED,
    "charge_office": "invoice.created",
    "refund_payment": "refund.created",
    "issue_credit_note": "credit_note.created",
    "adjust_credit": "a change of the credit",
}
"""What an operation of each kind does at Stripe, exactly once."""
UNCOLLECTIBLE = ("void", "gone")
UNSETTLED = ("open", "unknown")
ENDED = ("canceled", "incomplete_expired")
CALM = (
    *("operation_abandoned", "customer_deleted", "unknown_customer", "unknown_price", "not_for_sale_at_stripe"),
    "drafts_wait",
)
"""Findings that the run itself explains. Any other finding is a defect."""


class NoneThere(Exception):
    """There is nothing for the rule to act on."""


class Stage:
    """One run. ``counted`` outlives it and counts what happened over all examples."""

    def __init__(self, stripe: LocalStripe, counted: Counter[str], *, seed: int) -> None:
        stripe.control("reset", seed=seed)
        stocked(stripe)
        for key, terms in COUPONS.items():
            a_coupon(stripe, key, **terms)
        self.special_price = stripe.post("prices", **SPECIAL)["id"]
        self.stripe, self.counted = stripe, counted
        self.operator = actor.person(a_person("operator@vendor.example", group=OPERATOR))
        self.office_ids = [an_office(f"Practice {number}").pk for number in range(OFFICES)]
        self.late: list[dict[str, Any]] = []
        self.something_was_lost = False
        self.effects: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
        self.refusals = 0

    @property
    def offices(self) -> list[Office]:
        return [Office.objects.get(pk=key) for key in self.office_ids]

    def price_at_stripe(self, code: str) -> tuple[str, str]:
        """Return the id at Stripe and the interval of one of our prices, or of the special price."""
        if code == "special":
            return self.special_price, "month"
        ours = price(code)
        return ours.stripe_price_id or "", ours.interval

    # --- Stripe, without our own code

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        try:
            return equality.everything(self.stripe, path, **params)
        except httpx.HTTPError:  # a fault that was meant for us, or a deleted customer
            return []

    def posted(self, path: str, **given: Any) -> dict[str, Any]:
        """Return Stripe's answer, or nothing if Stripe refused."""
        return self._answer("POST", path, given)

    def deleted(self, path: str) -> dict[str, Any]:
        return self._answer("DELETE", path, {})

    def is_deleted(self, customer: str) -> bool:
        return not any(one["id"] == customer for one in self.listed("customers"))  # or Stripe fails at this moment

    def _answer(self, method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        try:
            answer = self.stripe.http.request(method, f"/v1/{path}", data=given, headers=headers)
        except httpx.RemoteProtocolError:  # a fault that was meant for us
            return {}
        if answer.status_code in NOT_DONE or A_FAULT in answer.text:
            return {}
        answer.raise_for_status()
        return answer.json()

    # --- what happens

    def ask(self, act: Callable[..., None], office: Office, given: dict[str, Any]) -> None:
        """Ask for the operation. Then our rows must show it, or the error says what happened."""
        operations = Operation.objects.count()
        outcome = "done"
        try:
            act(office, self.operator, **given)
        except DEFECTS:
            raise
        except NoneThere:
            outcome = "none there"
        except errors.BillingError as error:
            outcome = type(error).__name__
            self.refusals += Operation.objects.count() == operations
        self.counted[f"{act.__name__}: {outcome}"] += 1
        if outcome == "done" and not self.has_trouble:
            office = Office.objects.get(pk=office.pk)
            if (customer := office.payment_provider_customer_id) and Operation.objects.count() > operations:
                theirs = equality.read(self.stripe, customer, invoices_too=False)
                assert theirs.customer.get("deleted") or equality.differences_of_subscriptions(office, theirs) == []

    @property
    def has_trouble(self) -> bool:
        return bool(self.stripe.http.get("/_sandbox/faults").json()["faults"])

    def happens(self, act: Callable[..., None], office: Office, given: dict[str, Any]) -> None:
        """Let somebody do this at Stripe."""
        if customer := office.payment_provider_customer_id:
            act(self, customer, **given)
            self.counted[f"{act.__name__}"] += 1

    def passes(self, time: timedelta) -> None:
        self._end_trouble()
        self.note_effects()
        self.stripe.advance(seconds=int(time.total_seconds()))

    def deliver(self, deliveries: list[dict[str, Any]]) -> None:
        for delivery in deliveries:
            assert post_delivery(delivery).status_code == 200

    def all_is_told(self) -> None:
        self.deliver(self.stripe.taken())
        self.work()

    def work(self) -> None:
        """Make everything that waits due, and let a worker take it up."""
        ReceivedEvent.objects.filter(status="waiting").update(due_at=clock.wall())
        inbox.work_off()
        Job.objects.update(due_at=clock.wall())
        jobs.run_due()

    def resume(self) -> None:
        """End the leases of unsettled operations, and let a worker take them up."""
        Operation.objects.filter(status__in=UNSETTLED).update(lease_until=clock.wall())
        resume_unsettled()

    def a_day_without_worker(self) -> None:
        """Let everything that was asked of Stripe be a day old, so that Stripe has forgotten the keys."""
        OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(days=1, hours=1))
        self.stripe.http.delete("/_sandbox/idempotency_keys").raise_for_status()

    # --- at rest

    def come_to_rest(self) -> None:
        """End all faults, deliver all events, settle all operations, and check that everything is as it must be."""
        self._end_trouble()
        for _ in range(MOST_ROUNDS):
            self.resume()
            told, self.late = self.late + self.stripe.taken(), []
            self.deliver(told)
            self.work()
            waits = ReceivedEvent.objects.filter(status="waiting")
            if not (told or waits.exists() or Operation.objects.filter(status__in=UNSETTLED).exists()):
                break
        else:
            unsettled = Operation.objects.filter(status__in=UNSETTLED)
            left = [f"{event.type}: {event.last_error}" for event in waits[:3]]
            left += [f"{one.kind} is {one.status}: {one.error_message}" for one in unsettled]
            raise AssertionError(f"It does not come to rest: {left}")
        if self.something_was_lost:
            self.look_at_everything()
        self.counted["compared at rest"] += 1
        self.check()

    def _end_trouble(self) -> None:
        self.stripe.http.delete("/_sandbox/faults").raise_for_status()

    def look_at_everything(self) -> None:
        """Find what was lost, by a look at each Office and everything that it has at Stripe."""
        for office in self.offices:
            if customer := office.payment_provider_customer_id:
                theirs = equality.read(self.stripe, customer)
                ids = {one["id"] for one in theirs.invoices} | set(office.invoices.values_list("stripe_id", flat=True))
                with trail.acting(self.operator, office=office, reason="events were lost"):
                    look(
                        office,
                        invoices=ids,
                        payments={one["id"] for one in theirs.charges},
                        disputes={one["id"] for one in theirs.charges if one["disputed"]},
                        credit_notes=ids,
                        payment_methods=True,
                    )
        self.something_was_lost = False

    def check(self) -> None:
        wrong = []
        self.note_effects()
        for office in self.offices:
            wrong += equality.broken_invariants(office)
            if customer := office.payment_provider_customer_id:
                theirs = equality.read(self.stripe, customer)
                wrong += equality.differences(office, theirs)
                live = [one["id"] for one in theirs.subscriptions if one["status"] in equality.LIVE]
                wrong += [f"{office} has two live subscriptions"] if len(live) > 1 else []
        wrong += self._wrong_effects() + self._wrong_records()
        assert wrong == [], "\n".join(wrong)

    def note_effects(self) -> None:
        """Note what was done at Stripe in an operation's name. Stripe forgets events after 30 days."""
        kinds = ["customer.created", CREATED, UPDATED, "invoice.created", "refund.created", "credit_note.created"]
        for event in equality.everything(self.stripe, "events", **{"types[]": kinds}):
            before = event["data"].get("previous_attributes") or {}
            if event["type"].endswith(".created") or "operation" in (before.get("metadata") or {}):
                about = event["data"]["object"]
                operation = about["metadata"].get("operation", "")
                self.effects[operation].add((event["id"], event["type"], about["id"]))
        for customer in equality.everything(self.stripe, "customers"):
            for change in equality.everything(self.stripe, f"customers/{customer['id']}/balance_transactions"):
                if operation := change["metadata"].get("operation"):
                    self.effects[operation].add((change["id"], EFFECTS["adjust_credit"], customer["id"]))

    def _wrong_effects(self) -> list[str]:
        """List the wrong effects. Each operation must have had its effect once, or never."""
        wrong = []
        for operation in Operation.objects.all():
            done = Counter(kind for _, kind, _ in self.effects[str(operation.public_id)])
            subject = f"{operation.kind} that is {operation.status}"
            wrong += [f"{subject}: {kind} {times} times" for kind, times in done.items() if times > 1]
            kind = EFFECTS.get(operation.kind)
            if kind and operation.status == "succeeded" and not done[kind]:
                wrong.append(f"{subject}: no {kind}")
            if done[UPDATED] and operation.status != "succeeded":
                wrong.append(f"{subject}: {UPDATED}")
            if operation.status != "succeeded":
                wrong += self._left_behind(operation, subject)
        owners = Counter(one["metadata"].get("office") for one in equality.everything(self.stripe, "customers"))
        wrong += [f"an Office has {count} customers" for count in owners.values() if count > 1]
        known = set(map(str, Operation.objects.values_list("public_id", flat=True)))
        return wrong + [f"an operation that we do not know: {key}" for key in set(self.effects) - known - {""}]

    def _left_behind(self, operation: Operation, subject: str) -> list[str]:
        """List what an unsuccessful operation left: a live subscription, a collectible invoice, moved money."""
        made = [(kind, key) for _, kind, key in self.effects[str(operation.public_id)]]
        status = [self._status("subscriptions", key) for kind, key in made if kind == CREATED]
        wrong = [f"{subject}: a subscription is {one}" for one in status if one not in ENDED]
        status = [self._status("invoices", key) for kind, key in made if kind == "invoice.created"]
        wrong += [f"{subject}: an invoice is {one}" for one in status if one not in UNCOLLECTIBLE]
        for_good = (EFFECTS["refund_payment"], EFFECTS["issue_credit_note"], EFFECTS["adjust_credit"])
        return wrong + [f"{subject}: {kind}" for kind, _ in made if kind in for_good]

    def _status(self, path: str, key: str) -> str:
        return next((one["status"] for one in [equality.one_or_none(self.stripe, f"{path}/{key}")] if one), "gone")

    def _wrong_records(self) -> list[str]:
        entries = AuditEntry.objects.filter(content_type=ContentType.objects.get_for_model(Operation))
        recorded = Counter(entries.values_list("object_pk", flat=True))
        wrong = [f"{one}: not in the audit trail" for one in Operation.objects.all() if recorded[str(one.pk)] < 2]
        refusals = AuditEntry.objects.filter(kind="refusal").count()
        refusals += sum(RefusalCount.objects.values_list("times", flat=True))
        if refusals != self.refusals:
            wrong.append(f"{self.refusals} refusals, of which {refusals} are in the audit trail")
        wrong += [f"a finding: {one.kind}: {one.detail}" for one in Finding.objects.exclude(kind__in=CALM)]
        abandoned = Operation.objects.filter(status="abandoned").count()
        if abandoned != Finding.objects.filter(kind="operation_abandoned").count():
            wrong.append("an operation was abandoned and nobody was told")
        parked = ReceivedEvent.objects.filter(status="parked")
        return wrong + [f"parked: {one.type}: {one.last_error}" for one in parked]
