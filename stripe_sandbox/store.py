"""Everything the sandbox holds: flat rows with ids, indexes, events, clocks. One event loop, no locks.

A row is what Stripe calls an object, but flat: what is nested in Stripe's answer (a subscription's items, an
invoice's lines, an item's price) is a row of its own and put together in ``views``. Names that begin with an
underscore are the sandbox's own and are never shown.

Every write goes through ``add``, ``change``, ``remove`` and ``emit``; so each can be taken back.
"""

import asyncio
import contextlib
import heapq
import itertools
import json
import random
import secrets
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from stripe_sandbox import timeline, views
from stripe_sandbox.errors import StripeError, missing
from stripe_sandbox.schema.load import API_VERSION, OBJECTS, new

if TYPE_CHECKING:
    from stripe_sandbox.state import StateFile

Row = dict[str, Any]

PREFIXES = {
    "customer": "cus",
    "customer_balance_transaction": "cbtxn",
    "tax_id": "txi",
    "product": "prod",
    "price": "price",
    "coupon": "co",
    "promotion_code": "promo",
    "discount": "di",
    "tax_rate": "txr",
    "payment_method": "pm",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
    "invoice": "in",
    "line_item": "il",
    "invoiceitem": "ii",
    "invoice_payment": "inpay",
    "payment_intent": "pi",
    "charge": "ch",
    "refund": "re",
    "credit_note": "cn",
    "credit_note_line_item": "cnli",
    "dispute": "du",
    "balance_transaction": "txn",
    "checkout.session": "cs_test",
    "item": "li",
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "test_helpers.test_clock": "clock",
    "event": "evt",
    "webhook_endpoint": "we",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}

INDEXED: dict[str, tuple[str, ...]] = {
    "customer": ("email", "test_clock"),
    "customer_balance_transaction": ("customer",),
    "tax_id": ("customer",),
    "price": ("product", "lookup_key"),
    "promotion_code": ("code", "_coupon"),
    "payment_method": ("customer",),
    "setup_intent": ("customer",),
    "subscription": ("customer",),
    "subscription_item": ("subscription",),
    "invoice": ("customer", "_subscription"),
    "line_item": ("invoice",),
    "invoiceitem": ("customer", "invoice"),
    "invoice_payment": ("invoice", "_intent"),
    "payment_intent": ("customer",),
    "charge": ("customer", "payment_intent"),
    "refund": ("charge",),
    "credit_note": ("invoice", "customer"),
    "credit_note_line_item": ("_credit_note",),
    "dispute": ("charge",),
    "checkout.session": ("customer", "_waits"),
    "item": ("_session",),
    "event": ("type", "_customer"),
}
MOST_REQUESTS_KEPT = 10_000
ORDER = itertools.count()
NO_TROUBLE = {"drop": 0, "duplicate": 0, "delay": 0, "seconds": 0, "shuffle": False}
EVENTS_KEPT = 30 * 86_400
KEYS_KEPT = 86_400  # seconds for which an idempotency key is known


class Store:
    """The state of one local Stripe."""

    def __init__(
        self,
        *,
        account: str = "acct_sandbox0000000001",
        webhook_secret: str = "",
        seed: int | None = None,
        delivery: str = "auto",
    ) -> None:
        self.account = account
        self.webhook_secret = webhook_secret
        self.first_mode = delivery  # "auto" or "manual": how deliveries go until somebody says otherwise
        self.wake = asyncio.Event()  # set where the loop that delivers has something to look at
        self.base_url = "http://127.0.0.1:12111"  # where the pages for people are
        self.file: StateFile | None = None
        self.check_event: Callable[[Row], None] | None = None  # raises for an event object of a wrong shape
        self.checked: dict[str, Any] = {"checked": {}, "events": {}, "faults": []}  # what strict mode saw, ever
        self.reset(seed)

    def reset(self, seed: int | None = None) -> None:
        """Nothing is held any more, and the clock is the machine's. With a seed, ids and choices repeat."""
        self.seed = seed
        self.random = random.Random(seed if seed is not None else secrets.randbits(64))  # noqa: S311  repeatable
        self.objects: dict[str, dict[str, Row]] = {kind: {} for kind in PREFIXES}
        self.indexes: dict[tuple[str, str], dict[Any, dict[str, Row]]] = {
            (kind, name): defaultdict(dict) for kind, names in INDEXED.items() for name in names
        }
        self.deliveries: dict[str, Row] = {}
        self.pending: dict[str, Row] = {}  # the deliveries that wait, a part of the above
        self.due: dict[str, list[tuple[float, int, str]]] = defaultdict(list)  # by endpoint: when, order, delivery
        self.mode = self.first_mode
        self.trouble: dict[str, Any] = dict(NO_TROUBLE)
        self.answers: dict[str, Row] = {}
        self.requests: list[Row] = []
        self.faults: list[Row] = []
        self.next_charges: list[Row] = []  # how the next charges end; the first that fits is used up first
        self.settings: dict[str, Any] = {
            "retries_exhausted": "cancel",  # or unpaid, past_due
            "retry_days": [3, 5, 7],
            "upcoming_days": 7,
            "requests_per_second": None,
            "search_lag_seconds": 0,  # for so long a search does not find what changed
        }
        self.this_second = (0, 0)  # a second, and how many requests came in it
        self.offset = 0
        self.sequence = 0
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.moments: dict[str, int] = {}  # by clock, while an advance plays: the moment that is played
        self.queue = timeline.Queue()
        self.undo: list[Callable[[], None]] | None = None
        self.unsaved: set[tuple[str, str]] = set()  # (kind, id); also ("delivery", id), ("answer", key), ("meta", name)
        self.all_unsaved = True  # the file, if there is one, must be written anew

    def persist(self) -> None:
        """What changed is in the file, if there is one: an answer never tells what a crash could lose."""
        if self.file and (self.unsaved or self.all_unsaved):
            self.file.save(self)

    def keep_answer(self, key: str, fingerprint: str, status: int, body: bytes) -> None:
        """A repeated request with this idempotency key gets this answer."""
        self.answers.pop(key, None)  # so that they stand in the order in which they were given
        self.answers[key] = {"fingerprint": fingerprint, "status": status, "body": body, "at": time.time()}
        self.unsaved.add(("answer", key))

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────

    def clock_of(self, customer: str | None) -> str:
        """The id of the customer's test clock, or empty for the server's own clock."""
        row = self.objects["customer"].get(customer or "")
        return (row and row["test_clock"]) or ""

    def now(self, customer: str | None = None) -> int:
        """The customer's time, in seconds since 1970; within an advance, the moment that is being played."""
        return self.time_on(self.clock_of(customer))

    def time_on(self, clock: str) -> int:
        if clock in self.moments:
            return self.moments[clock]
        row = self.objects["test_helpers.test_clock"].get(clock)
        return row["frozen_time"] if row else int(time.time()) + self.offset

    # ── rows ──────────────────────────────────────────────────────────────────────────────────────────────

    def new_id(self, kind: str) -> str:
        return f"{PREFIXES[kind]}_{self.random.getrandbits(96):024x}"

    def add(self, kind: str, **values: Any) -> Row:
        """A row of this kind, with an id and its customer's time; what is not given is null or empty."""
        self.sequence += 1
        values.setdefault("id", self.new_id(kind))
        if "created" in OBJECTS[kind]["properties"]:
            values.setdefault("created", self.now(values.get("customer") or values.get("_customer")))
        row = new(kind, **values, _seq=self.sequence, _kind=kind)
        self._put(row)
        if self.undo is not None:
            self.undo.append(lambda: self._drop(row))
        return row

    def get(self, kind: str, key: str | None) -> Row | None:
        return self.objects[kind].get(key or "")

    def need(self, kind: str, key: str | None, param: str = "id") -> Row:
        """The row, or Stripe's 404. A deleted one is found only by its own address (``param`` "id")."""
        found = self.objects[kind].get(key or "")
        if found is None or (found.get("deleted") and param != "id"):
            raise missing(kind, key or "", param)
        return found

    def all(self, kind: str, **wanted: Any) -> list[Row]:
        """The rows with these values, oldest first; fast where the first name is indexed."""
        if wanted:
            name, value = next(iter(wanted.items()))
            if (kind, name) in self.indexes:
                found = list(self.indexes[kind, name].get(value, {}).values())
                del wanted[name]
                return [row for row in found if all(row.get(k) == v for k, v in wanted.items())]
        return [row for row in self.objects[kind].values() if all(row.get(k) == v for k, v in wanted.items())]

    def change(self, row: Row, event: str = "", **values: Any) -> None:
        """The row has these values. The event tells which ones it had before; without a difference there is none."""
        before = {name: row.get(name) for name, value in values.items() if name not in row or row[name] != value}
        if not before:
            return
        shown_before = {k: views.of_field(self, row, k, v) for k, v in before.items()} if event else {}
        absent = [name for name in before if name not in row]
        self._set(row, {name: values[name] for name in before})
        if self.undo is not None:
            self.undo.append(lambda: self._set(row, before, absent))
        if event:
            self.emit(event, row, {k: v for k, v in shown_before.items() if not k.startswith("_")})

    def remove(self, row: Row) -> None:
        """The row is gone."""
        self._drop(row)
        if self.undo is not None:
            self.undo.append(lambda: self._put(row))

    def _put(self, row: Row) -> None:
        kind = row["_kind"]
        self.objects[kind][row["id"]] = row
        for name in INDEXED.get(kind, ()):
            self.indexes[kind, name][row.get(name)][row["id"]] = row
        self._touched(row)

    def _drop(self, row: Row) -> None:
        kind = row["_kind"]
        self.objects[kind].pop(row["id"], None)
        for name in INDEXED.get(kind, ()):
            self.indexes[kind, name][row.get(name)].pop(row["id"], None)
        self.unsaved.add((kind, row["id"]))

    def _set(self, row: Row, values: Row, absent: list[str] | None = None) -> None:
        kind = row["_kind"]
        for name in INDEXED.get(kind, ()):
            if name in values and row.get(name) != values[name]:
                self.indexes[kind, name][row.get(name)].pop(row["id"], None)
                self.indexes[kind, name][values[name]][row["id"]] = row
        row.update(values)
        for name in absent or ():
            row.pop(name, None)
        self._touched(row)

    def _touched(self, row: Row) -> None:
        row["_changed"] = self.time_on("")
        self.unsaved.add((row["_kind"], row["id"]))
        self.queue.note(self, row)

    # ── taking back ───────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def request_undone_on_error(self) -> Iterator[None]:
        """A refused request, or a defect, leaves nothing behind; a declined card's attempt (402) stays."""
        declined: StripeError | None = None
        with self.undo_on_error():
            try:
                yield
            except StripeError as error:
                if error.status != 402:
                    raise
                declined = error
        if declined is not None:
            raise declined

    @contextlib.contextmanager
    def undo_on_error(self) -> Iterator[None]:
        """What the block did is taken back if it raises."""
        outer, self.undo = self.undo, []
        try:
            yield
        except BaseException:
            for step in reversed(self.undo):
                step()
            self.undo = outer
            raise
        done, self.undo = self.undo, outer
        if outer is not None:
            outer.extend(done)

    @contextlib.contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What the block does is taken back at its end, ids and all."""
        outer, self.undo = self.undo, []
        state, sequence, moments = self.random.getstate(), self.sequence, dict(self.moments)
        try:
            yield
        finally:
            for step in reversed(self.undo):
                step()
            self.undo = outer
            self.sequence, self.moments = sequence, moments
            self.random.setstate(state)

    # ── events ────────────────────────────────────────────────────────────────────────────────────────────

    def emit(self, kind: str, about: Row, before: Row | None = None, *, view: Row | None = None) -> Row:
        """The event exists, with a picture of the row as it is now, and waits for each endpoint that wants it.

        ``view`` is shown in the row's place: of what is announced and not there yet.
        """
        data: Row = {"object": view or views.shown(self, about)}
        if self.check_event:
            self.check_event(data["object"])
        if before and kind.endswith((".updated", ".detached")):
            data["previous_attributes"] = before
        customer = about["id"] if about["_kind"] == "customer" else about.get("customer") or about.get("_customer")
        endpoints = [
            one
            for one in self.objects["webhook_endpoint"].values()
            if one["status"] == "enabled" and ("*" in one["enabled_events"] or kind in one["enabled_events"])
        ]
        event = self.add(
            "event",
            type=kind,
            data={},
            api_version=API_VERSION,
            pending_webhooks=len(endpoints),
            request=dict(self.request),
            created=self.now(customer),
            _customer=customer,
            _at=self.now(),
            _deliveries=[],
            _data=zlib.compress(json.dumps(data).encode(), 1),
        )
        for endpoint in endpoints:
            self.plan_delivery(event["id"], endpoint["id"])
        return event

    def plan_delivery(self, event: str, endpoint: str) -> Row:
        """The event waits to be delivered to this endpoint."""
        delivery: Row = {
            "id": f"dlv_{self.random.getrandbits(64):016x}",
            "event": event,
            "endpoint": endpoint,
            "status": "pending",
            "attempts": [],
            "due": 0.0,
        }
        key = delivery["id"]
        self.deliveries[key] = delivery
        self.wait_until(delivery, 0.0)
        self.objects["event"][event]["_deliveries"].append(key)
        if self.undo is not None:
            self.undo.append(lambda: self._forget_delivery(key))
        return delivery

    def wait_until(self, delivery: Row, when: float) -> None:
        """The delivery waits for this moment of the machine's clock; what waited longer goes first."""
        delivery["due"] = when
        self.pending[delivery["id"]] = delivery
        heapq.heappush(self.due[delivery["endpoint"]], (when, next(ORDER), delivery["id"]))
        self.unsaved.add(("delivery", delivery["id"]))
        self.wake.set()

    def end_delivery(self, delivery: Row, status: str) -> None:
        """The delivery waits no more."""
        delivery["status"] = status
        self.pending.pop(delivery["id"], None)
        self.unsaved.add(("delivery", delivery["id"]))

    def _forget_delivery(self, key: str) -> None:
        self.deliveries.pop(key, None)
        self.pending.pop(key, None)
        self.unsaved.add(("delivery", key))

    def forget_old_events(self) -> None:
        """Events older than 30 days by the server's clock are gone, with their deliveries, unless one still waits.

        Called where that clock is moved, before it moves: so nothing that an advance brought is gone unseen.
        """
        horizon = self.now() - EVENTS_KEPT

        def done(row: Row) -> bool:
            return row["_at"] < horizon and not any(key in self.pending for key in row["_deliveries"])

        old: list[Row] = [*itertools.takewhile(done, self.objects["event"].values())]
        for row in old:
            self.remove(row)
            for key in row["_deliveries"]:
                self._forget_delivery(key)

    def forget_old_answers(self) -> None:
        """Idempotency keys that Stripe would no longer know are gone."""
        horizon = time.time() - KEYS_KEPT
        for key in [*itertools.takewhile(lambda one: self.answers[one]["at"] < horizon, self.answers)]:
            del self.answers[key]
            self.unsaved.add(("answer", key))
