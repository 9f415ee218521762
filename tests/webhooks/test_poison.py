"""The poison table: what may be thrown at the webhook address, over real HTTP, and what becomes of it.

Each row says what is sent, which answers it gets, which rows that leaves, and what they are after the worker.
``pytest -s`` prints the table with the times.
"""

import hashlib
import hmac
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings
from django.db import connection
from djstripe.models import Price, Product, WebhookEndpoint

from billing import clock, time_limits
from billing.models import AuditEntry, Finding, Invoice, Office, Payment, Plan, PlanPrice, ReceivedEvent
from billing.webhooks import inbox
from tests.conftest import LocalStripe, price, subscribed_office
from tests.other_connections import ON_SERVER, locked_by_another

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
SECRET = "whsec_only_for_tests"


class Stage:
    """A subscribed Office whose events were all applied, and the address to throw things at."""

    def __init__(self, stripe: LocalStripe, site: str, operator: Any, office: Office) -> None:
        self.stripe, self.operator = stripe, operator
        self.http = httpx.Client(base_url=site, timeout=30, trust_env=False)
        self.path = "/" + WebhookEndpoint.objects.get().url.split("/", 3)[3]
        subscribed_office(office, by=operator)
        stripe.deliver_and_apply()
        ReceivedEvent.objects.all().delete()
        stripe.forget_requests()
        self.office_id, self.entries = office.pk, AuditEntry.objects.count()

    @property
    def office(self) -> Office:
        return Office.objects.get(pk=self.office_id)

    @property
    def customer(self) -> str:
        return self.office.payment_provider_customer_id or ""

    def post(self, body: bytes | str, headers: dict[str, str]) -> int:
        given = {"Content-Type": "application/json", **headers}
        return self.http.post(self.path, content=body, headers=given).status_code

    def signed(self, body: bytes | str, *, at: int | None = None, secret: str = SECRET) -> int:
        raw = body.encode() if isinstance(body, str) else body
        stamp = at or int(time.time())
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha256).hexdigest()
        return self.post(raw, {"Stripe-Signature": f"t={stamp},v1={mac}"})

    def event(self, kind: str, about: Any, *, key: str = "evt_own", **more: Any) -> int:
        """An event of our own making, signed as Stripe signs."""
        body = {"object": "event", "id": key, "type": kind, "livemode": False, "created": 1_800_000_000}
        return self.signed(json.dumps(body | {"data": {"object": about}} | more))

    def taken(self, **how: Any) -> list[dict[str, Any]]:
        return self.stripe.taken(**how)

    def send(self, delivery: dict[str, Any]) -> int:
        return self.post(delivery["body"], {"Stripe-Signature": delivery["headers"]["Stripe-Signature"]})

    def send_all(self, **how: Any) -> list[int]:
        return [self.send(one) for one in self.taken(**how)]

    def at_stripe(self, path: str, **data: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {settings.STRIPE_API_KEY}"}
        return self.stripe.http.post(f"/v1/{path}", data=data, headers=headers).raise_for_status().json()

    def rename(self) -> None:
        self.at_stripe(f"customers/{self.customer}", name="Maple Street")

    def asked(self) -> list[str]:
        return [one["path"].removeprefix("/v1/").split("/")[0] for one in self.stripe.requests("GET")]


def work(stage: Stage) -> None:
    inbox.work_off()


def work_until_settled(stage: Stage) -> None:
    for _ in range(inbox.MOST_ATTEMPTS):
        ReceivedEvent.objects.filter(status="waiting").update(due_at=clock.wall())
        inbox.work_off()


def nothing(_: Stage) -> None:
    pass


@dataclass
class Row:
    sent: str
    send: Callable[[Stage], Any]
    answers: set[int]
    left: dict[str, int] = field(default_factory=dict)
    then: dict[str, int] = field(default_factory=dict)
    work: Callable[[Stage], None] = work
    check: Callable[[Stage], None] = nothing


# --- what is sent


def a_duplicate(stage: Stage) -> list[int]:
    stage.rename()
    (one,) = stage.taken()
    return [stage.send(one) for _ in range(3)]


def eight_at_once(stage: Stage) -> list[int]:
    for _ in range(8):
        stage.at_stripe("refunds", charge=Payment.objects.get().stripe_id, amount="100")
    several = [one for one in stage.taken() if one["type"] == "refund.created"]
    assert len(several) == 8
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(stage.send, several * 4))


def shuffled_and_twice(stage: Stage) -> list[int]:
    stage.stripe.advance(days=32)
    return stage.send_all(shuffle_seed=11, duplicate=True)


def bad_signatures(stage: Stage) -> list[int]:
    body = json.dumps({"object": "event", "id": "evt_forged", "type": "customer.deleted", "data": {}})
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda number: stage.signed(body, secret=f"whsec_guess_{number}"), range(200)))


def ten_megabytes(stage: Stage) -> int:
    try:
        return stage.signed(b"x" * 10_000_000)
    except (httpx.WriteError, httpx.ReadError):  # told so and hung up before all was sent
        return 413


def detached(stage: Stage) -> list[int]:
    card = stage.stripe.listed("payment_methods", customer=stage.customer)[0]["id"]
    stage.at_stripe(f"payment_methods/{card}/detach")
    return [stage.send(one) for one in stage.taken() if one["type"] == "payment_method.detached"]


def disputed(stage: Stage) -> int:
    return stage.event("charge.dispute.created", {"id": "du_1", "object": "dispute", "charge": charge()})


def warned(stage: Stage) -> int:
    about = {"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": charge()}
    return stage.event("radar.early_fraud_warning.created", about)


def disputed_unseen(stage: Stage) -> int:
    stage.stripe.advance(days=32)
    stage.taken()
    (unseen,) = {one["id"] for one in stage.stripe.listed("charges")} - {charge()}
    stage.stripe.forget_requests()
    return stage.event("charge.dispute.created", {"id": "du_1", "object": "dispute", "charge": unseen})


def refunded(stage: Stage) -> list[int]:
    stage.at_stripe("refunds", charge=charge(), amount="100")
    return [stage.send(one) for one in stage.taken() if one["type"] == "refund.created"]


def charge() -> str:
    return Payment.objects.get().stripe_id


def an_invoice_payment(stage: Stage) -> int:
    about = {"id": "inpay_1", "object": "invoice_payment", "invoice": Invoice.objects.get().stripe_id}
    return stage.event("invoice_payment.paid", about)


def a_credit_note(stage: Stage) -> int:
    about = {"id": "cn_1", "object": "credit_note", "customer": stage.customer, "invoice": "in_1"}
    return stage.event("credit_note.created", about)


def a_schedule(stage: Stage) -> list[int]:
    stage.at_stripe(
        "subscription_schedules",
        customer=stage.customer,
        start_date=str(int(clock.billing().timestamp()) + 2_000_000),
        **{"phases[0][items][0][price]": price("seats-monthly").stripe_price_id or ""},
        **{"phases[0][duration][interval]": "month"},
    )
    stage.stripe.forget_requests()
    return stage.send_all()


def a_price_of_ours(stage: Stage) -> int:
    return stage.event("price.updated", {"id": price("practice-yearly").stripe_price_id, "object": "price"})


def a_product_that_is_gone(stage: Stage) -> int:
    Plan.objects.filter(code="team").update(stripe_product_id="prod_gone")
    return stage.event("product.deleted", {"id": "prod_gone", "object": "product"})


def an_unknown_customer(stage: Stage) -> int:
    return stage.event("customer.updated", {"id": "cus_elsewhere", "object": "customer"})


def a_deleted_customer(stage: Stage) -> list[int]:
    stage.stripe.delete(f"customers/{stage.customer}")
    return stage.send_all()


def a_deleted_draft(stage: Stage) -> int:
    draft = Invoice.objects.get()
    draft.pk, draft.public_id, draft.stripe_id, draft.status = None, uuid.uuid4(), "in_deleted_draft", "draft"
    Invoice.objects.bulk_create([draft])
    return stage.event("invoice.deleted", {"id": "in_deleted_draft", "object": "invoice", "customer": stage.customer})


def a_change(stage: Stage) -> list[int]:
    stage.rename()
    return stage.send_all()


def eight_while_the_database_is_locked(stage: Stage) -> list[int]:
    body = {"object": "event", "type": "customer.updated", "data": {"object": {}}}
    with locked_by_another("billing_receivedevent"), ThreadPoolExecutor(8) as pool:
        began = time.monotonic()
        answers = list(pool.map(lambda n: stage.signed(json.dumps(body | {"id": f"evt_{n}"})), range(8)))
        assert time.monotonic() - began < 2.5  # eight handshakes and eight threads beside the limit itself
    return answers


def while_the_database_is_locked(stage: Stage) -> list[int]:
    stage.rename()
    (one,) = stage.taken()
    with locked_by_another("billing_receivedevent"):
        began = time.monotonic()
        refused = stage.send(one)
        assert time.monotonic() - began < 2
    time_limits.forget()  # a second later
    return [refused, stage.send(one)]


# --- what the worker meets


def stripe_answers(kind: str, **fault: Any) -> Callable[[Stage], None]:
    """At first Stripe fails so; the events wait and come again."""

    def meet(stage: Stage) -> None:
        stage.stripe.fail_next(kind, **fault)
        inbox.work_off()
        assert set(ReceivedEvent.objects.values_list("status", "attempts")) == {("waiting", 1)}
        assert ReceivedEvent.objects.filter(due_at__gt=clock.wall()).count() == ReceivedEvent.objects.count()
        work_until_settled(stage)

    return meet


def lose_the_lease(stage: Stage) -> None:
    mine, held = inbox.claim() or pytest.fail("nothing to claim")
    ReceivedEvent.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    theirs, _ = inbox.claim() or pytest.fail("not free")
    inbox.handle(mine, held)
    assert set(ReceivedEvent.objects.values_list("status", "claim_id")) == {("waiting", theirs)}
    ReceivedEvent.objects.update(lease_until=None)
    inbox.work_off()


def in_a_slow_look(stage: Stage, path: str, meanwhile: Callable[[], None]) -> None:
    """A look has read what is at ``path`` and is held there while other things happen."""

    def look() -> None:
        inbox.work_off(limit=1)
        connection.close()

    stage.stripe.fail_next("slow", method="GET", path_prefix=path, seconds=2)
    slow = threading.Thread(target=look)
    slow.start()
    while any(fault["path_prefix"] == path for fault in faults(stage)):
        threading.Event().wait(0.02)
    meanwhile()
    assert slow.is_alive()
    slow.join()


def faults(stage: Stage) -> list[dict[str, Any]]:
    return stage.stripe.control("faults", kind="slow", path_prefix="/never")["faults"]


def overtaken_by_a_newer_look(stage: Stage) -> None:
    def cancelled() -> None:
        stage.stripe.delete(f"subscriptions/{stage.office.payment_provider_subscription_id}")
        assert set(stage.send_all()) == {200}
        inbox.work_off()
        assert stage.office.subscription_status == "canceled"

    in_a_slow_look(stage, "/v1/subscriptions", cancelled)


def beside_a_look_at_another_invoice(stage: Stage) -> None:
    """The older look names the first invoice, the newer one the second: both are kept."""
    first, second = sorted(stage.stripe.listed("invoices"), key=lambda one: one["created"])
    Invoice.objects.filter(stripe_id=first["id"]).update(status="open", ticket=0)

    def another() -> None:
        about = {"id": second["id"], "object": "invoice", "customer": stage.customer}
        assert stage.event("invoice.paid", about, key="evt_second") == 200
        inbox.work_off()
        assert Invoice.objects.get(stripe_id=second["id"]).status == "paid"

    in_a_slow_look(stage, "/v1/invoices", another)
    assert set(Invoice.objects.values_list("stripe_id", "status")) == {(first["id"], "paid"), (second["id"], "paid")}


def about_the_first_invoice(stage: Stage) -> int:
    stage.stripe.advance(days=32)
    stage.taken()
    first = Invoice.objects.get().stripe_id
    return stage.event("invoice.updated", {"id": first, "object": "invoice", "customer": stage.customer})


# --- what must be true then


def nothing_is_recorded(stage: Stage) -> None:
    assert AuditEntry.objects.count() == stage.entries
    assert stage.stripe.requests() == []


def no_card(stage: Stage) -> None:
    assert not stage.office.has_payment_method


def resolved_by_our_own_rows(stage: Stage) -> None:
    assert stage.asked()[0] == "customers"


def resolved_by_one_question(stage: Stage) -> None:
    assert stage.asked()[:2] == ["charges", "customers"]
    assert Payment.objects.count() == 2


def renewed(stage: Stage) -> None:
    theirs = stage.stripe.listed("subscriptions")[0]["items"]["data"][0]["current_period_end"]
    assert stage.office.current_period_end.timestamp() == theirs
    assert (Invoice.objects.filter(status="paid").count(), Payment.objects.count()) == (2, 2)
    assert ReceivedEvent.objects.get(status="ignored").type == "invoice.upcoming"


def canceled_with_a_finding(stage: Stage) -> None:
    assert stage.office.subscription_status == "canceled"
    assert Finding.objects.filter(kind="customer_deleted", office=stage.office).exists()


def the_schedule_is_shown(stage: Stage) -> None:
    found("schedule")(stage)
    assert stage.asked() == ["customers", "subscription_schedules", "subscriptions"]
    assert len(stage.office.coming_schedules or ()) == 1


def canceled(stage: Stage) -> None:
    assert stage.office.subscription_status == "canceled"


def found(kind: str) -> Callable[[Stage], None]:
    def check(_: Stage) -> None:
        assert Finding.objects.filter(kind=kind, resolved_at=None).count() == 1

    return check


def the_draft_is_marked(_: Stage) -> None:
    assert Invoice.objects.get(stripe_id="in_deleted_draft").deleted_at is not None


def the_price_was_looked_at(_: Stage) -> None:
    ours = PlanPrice.objects.get(code="practice-yearly")
    assert ours.ticket == 1
    assert Price.objects.get(id=ours.stripe_price_id).active


def the_product_is_not_for_sale(stage: Stage) -> None:
    found("not_for_sale_at_stripe")(stage)
    assert not Product.objects.get(id="prod_gone").active


def own(kind: str, about: Any, **more: Any) -> Callable[[Stage], int]:
    return lambda stage: stage.event(kind, about, **more)


def signed(body: bytes | str, **how: Any) -> Callable[[Stage], int]:
    return lambda stage: stage.signed(body, **how)


A_CUSTOMER = {"id": "cus_1", "object": "customer"}
AN_EVENT = json.dumps({"object": "event", "id": "evt_1", "type": "customer.updated", "data": {"object": A_CUSTOMER}})
ONE, TWO, SIX, EIGHT = {"waiting": 1}, {"applied": 2}, {"applied": 6}, {"waiting": 8}
APPLIED, IGNORED = {"applied": 1}, {"ignored": 1}

TABLE = [
    Row("a duplicate, three times", a_duplicate, {200}, ONE, APPLIED),
    Row("8 at once, each 4 times", eight_at_once, {200}, EIGHT, {"applied": 8}),
    Row(
        "a renewal, shuffled, each twice",
        shuffled_and_twice,
        {200},
        {"waiting": -1, "ignored": 1},
        {"applied": -1, "ignored": 1},
        check=renewed,
    ),
    Row("a slow older look", a_change, {200}, ONE, TWO, overtaken_by_a_newer_look, canceled),
    Row("two overlapping looks", about_the_first_invoice, {200}, ONE, TWO, beside_a_look_at_another_invoice),
    Row("no signature", lambda stage: stage.post(AN_EVENT, {}), {400}, check=nothing_is_recorded),
    Row("200 bad signatures", bad_signatures, {400}, check=nothing_is_recorded),
    Row("5 minutes and a second old", lambda s: s.signed(AN_EVENT, at=int(time.time()) - 301), {400}),
    Row("from the future", lambda s: s.signed(AN_EVENT, at=int(time.time()) + 400), {400}),
    Row("10 MB", ten_megabytes, {413}),
    Row("not UTF-8", signed(b"\xff\xfe\xff"), {400}),
    Row("NUL in every text", own("a\0b", {"id": "c\0d", "customer": "\0"}, key="evt_\0"), {200}, IGNORED, IGNORED),
    Row("half a surrogate pair", own("\ud800", {"id": "\udfff"}, key="evt_\ud800"), {200}, IGNORED, IGNORED),
    Row("nested 200,000 deep", signed("[" * 200_000), {400}),
    Row("null", signed("null"), {200}),
    Row("no data", signed('{"object":"event","id":"evt_1","type":"customer.updated"}'), {200}, ONE, IGNORED),
    Row("a thin event", signed('{"object":"v2.core.event","id":"evt_1","type":"v1.billing.meter.x"}'), {200}),
    Row("of live mode", own("customer.updated", A_CUSTOMER, livemode=True), {400}),
    Row("of another account", own("customer.updated", A_CUSTOMER, account="acct_other"), {400}),
    Row("an unknown type", own("moon.landed", {"id": "moon_1"}), {200}, IGNORED, IGNORED),
    Row("payment_method.detached", detached, {200}, ONE, APPLIED, check=no_card),
    Row("a dispute of our charge", disputed, {200}, ONE, APPLIED, check=resolved_by_our_own_rows),
    Row("a dispute, charge not seen yet", disputed_unseen, {200}, ONE, APPLIED, check=resolved_by_one_question),
    Row("a fraud warning of our charge", warned, {200}, ONE, APPLIED, check=resolved_by_our_own_rows),
    Row("a warning of nobody's", own("radar.early_fraud_warning.updated", {"charge": "ch_no"}), {200}, ONE, IGNORED),
    Row("a dispute of nobody's charge", own("charge.dispute.closed", {"charge": "ch_no"}), {200}, ONE, IGNORED),
    Row("a refund", refunded, {200}, ONE, APPLIED, check=resolved_by_our_own_rows),
    Row("a payment of our invoice", an_invoice_payment, {200}, ONE, APPLIED, check=resolved_by_our_own_rows),
    Row("a credit note", a_credit_note, {200}, ONE, APPLIED),
    Row("a schedule of our customer", a_schedule, {200}, ONE, APPLIED, check=the_schedule_is_shown),
    Row("a price of ours", a_price_of_ours, {200}, ONE, APPLIED, check=the_price_was_looked_at),
    Row("a product that is gone", a_product_that_is_gone, {200}, ONE, APPLIED, check=the_product_is_not_for_sale),
    Row("a product of others", own("product.updated", {"id": "prod_x"}), {200}, ONE, IGNORED),
    Row("an unknown customer", an_unknown_customer, {200}, ONE, IGNORED, work_until_settled, found("unknown_customer")),
    Row(
        "a deleted customer", a_deleted_customer, {200}, {"waiting": -1}, {"applied": -1}, check=canceled_with_a_finding
    ),
    Row("a deleted draft invoice", a_deleted_draft, {200}, ONE, APPLIED, check=the_draft_is_marked),
    Row("Stripe answers 429", a_change, {200}, ONE, APPLIED, stripe_answers("429")),
    Row("Stripe answers 500", a_change, {200}, ONE, APPLIED, stripe_answers("500")),
    Row("Stripe hangs", a_change, {200}, ONE, APPLIED, stripe_answers("timeout_before")),
    Row("the database is locked", while_the_database_is_locked, {503, 200}, ONE, APPLIED),
    # a libSQL server goes on with what was asked of it: events that were answered 503 may be kept, and come again
    *([] if ON_SERVER else [Row("8 while it is locked", eight_while_the_database_is_locked, {503})]),
    Row("a lost lease", a_change, {200}, ONE, APPLIED, lose_the_lease),
]


@pytest.fixture(scope="module")
def printed():
    """The table, as far as it was run, is printed at the end."""
    lines: list[tuple[str, ...]] = [("sent", "answers", "rows left", "after the worker", "answer ms", "work ms")]
    yield lines
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    print()  # noqa: T201
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))  # noqa: T201


def left() -> dict[str, int]:
    return dict(Counter(ReceivedEvent.objects.values_list("status", flat=True)))


def matches(seen: dict[str, int], expected: dict[str, int]) -> bool:
    """-1 stands for some."""
    return set(seen) == set(expected) and all(count in (-1, seen[status]) for status, count in expected.items())


@pytest.mark.parametrize("row", [pytest.param(row, id=row.sent) for row in TABLE])
def test_poison(stripe, operator, office, live_server, printed, row):
    stage = Stage(stripe, live_server.url, operator, office)

    began = time.monotonic()
    answers = row.send(stage)
    answers = answers if isinstance(answers, list) else [answers]
    answered, rows = time.monotonic() - began, left()
    began = time.monotonic()
    row.work(stage)
    worked, after = time.monotonic() - began, left()

    shown = [" ".join(f"{count} {status}" for status, count in sorted(some.items())) or "–" for some in (rows, after)]
    counted = " ".join(f"{status}×{count}" for status, count in sorted(Counter(answers).items()))
    printed.append((row.sent, counted, *shown, f"{answered * 1000:.0f}", f"{worked * 1000:.0f}"))
    assert set(answers) == row.answers
    assert matches(rows, row.left), rows
    assert matches(after, row.then), after
    row.check(stage)
