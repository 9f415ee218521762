"""What the sandbox holds: rows by id and index, clocks, deliveries, answers. How it is read, and how it is taken back.

``Memory`` makes no rows and sends no events. Its subclass ``Store`` does that.
"""

import asyncio
import contextlib
import heapq
import operator
import pickle
import random
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from stripe_sandbox.errors import StripeError, missing
from stripe_sandbox.kinds import INDEXED, PREFIXES, Row

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_REQUESTS_KEPT = 10_000
NOT_KEPT = ("answering", "base_url", "check_event", "checked", "kept", "random", "save", "undo", "unsaved", "wake")
"""What ``keep`` leaves out: what belongs to the process and not to the account."""
NO_TROUBLE = {"drop": 0, "duplicate": 0, "delay": 0, "seconds": 0, "shuffle": False}


class Queue:
    """The moments at which something may be due, for each clock, earliest first."""

    def __init__(self) -> None:
        self.heaps: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
        self.count = 0

    def push(self, clock: str, when: int, row: Row) -> None:
        """Note that something may be due for the row. Of two entries for one moment, the first noted comes first."""
        self.count += 1
        heapq.heappush(self.heaps[clock], (when, self.count, row["_kind"], row["id"]))


class Memory:
    """Everything that one local Stripe holds."""

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
        self.first_mode = delivery  # "auto" or "manual": how deliveries go until somebody changes it
        self.wake = asyncio.Event()  # set when the loop that delivers has something to look at
        self.base_url = "http://127.0.0.1:12111"  # where the pages for people are
        self.save: Callable[[], None] | None = None  # writes what is unsaved to the file, if there is one
        self.check_event: Callable[[Row], None] | None = None  # raises an error for an event's object of a wrong shape
        self.checked: dict[str, Any] = {"checked": {}, "events": {}, "faults": []}  # what strict mode has seen
        self.kept = b""  # what ``keep`` has kept
        self.reset(seed)

    def reset(self, seed: int | None = None) -> None:
        """Forget everything, and use the machine's clock again. With a seed, ids and choices repeat."""
        self.seed = seed
        self.random = random.Random(seed if seed is not None else secrets.randbits(64))  # noqa: S311  repeatable
        self.objects: dict[str, dict[str, Row]] = {kind: {} for kind in PREFIXES}
        self.indexes: dict[tuple[str, str], dict[Any, dict[str, Row]]] = {
            (kind, name): defaultdict(dict) for kind, names in INDEXED.items() for name in names
        }
        self.deliveries: dict[str, Row] = {}
        self.pending: dict[str, Row] = {}  # the deliveries that wait, a part of the above
        self.due: dict[str, list[tuple[float, int, str]]] = defaultdict(list)  # by endpoint: when, order, delivery
        self.chosen_mode: str | None = None
        self.trouble: dict[str, Any] = dict(NO_TROUBLE)
        self.answers: dict[str, Row] = {}
        self.answering: dict[str, Request] = {}  # by idempotency key: what is being answered now
        self.previewed: dict[str, list[Row]] = {}  # the lines of the newest previews, to be read page by page
        self.requests: list[Row] = []
        self.faults: list[Row] = []
        self.next_charges: list[Row] = []  # how the next charges end; the first one that fits is used first
        self.settings: dict[str, Any] = {
            "retries_exhausted": "cancel",  # or unpaid, past_due
            "retry_days": [3, 5, 7],
            "retry_seconds": None,  # how long a failed delivery waits; None: longer each time
            "upcoming_days": 7,
            "requests_per_second": None,
            "requests_per_endpoint": None,  # a second
            "latency_seconds": 0,  # how long each answer takes
            "latency_spread_seconds": 0,  # and up to this much longer
            "search_lag_seconds": 0,  # a search does not find a change before this many seconds
            "date_seconds": 0,  # how far the header Date of each answer is off
        }
        self.lately: dict[str, deque[float]] = {}  # by endpoint, and "" for all: when requests came (monotonic)
        self.offset = 0
        self.sequence = 0
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.moments: dict[str, int] = {}  # the time of each clock inside a block of ``at``
        self.rehearsing = False
        self.caught_up = 0  # until this moment, everything due on the server's own clock has happened
        self.queue = Queue()
        self.undo: list[Callable[[], None]] | None = None
        self.unsaved: set[tuple[str, str]] = set()  # (kind, id); also ("delivery", id), ("answer", key), ("meta", name)
        self.all_unsaved = True  # the whole file, if there is one, must be written again

    def keep(self) -> None:
        """Remember everything as it is now, for ``put_back``. Only for a time at which no request is being answered."""
        self.kept = pickle.dumps({name: value for name, value in vars(self).items() if name not in NOT_KEPT})

    def put_back(self) -> None:
        """Forget everything, and be again as ``keep`` has kept it. What is made from now on has other ids than then."""
        self.reset(self.seed)
        vars(self).update(pickle.loads(self.kept))  # noqa: S301  our own
        self.all_unsaved = True

    @property
    def mode(self) -> str:
        """Return how deliveries go: "auto" or "manual"."""
        return self.chosen_mode or self.first_mode

    def persist(self) -> None:
        """Write the changes to the file, if there is one. So a crash cannot lose what an answer has shown."""
        if self.save and (self.unsaved or self.all_unsaved):
            self.save()

    def set(self, name: str, value: Any, *, for_good: bool = False) -> None:
        """Give one of ``state.METAS`` this value. With ``for_good``, keep it even if the request is refused later."""
        before = getattr(self, name)
        self._set_value(name, value)
        if self.undo is not None and not for_good:
            self.undo.append(lambda: self._set_value(name, before))

    def _set_value(self, name: str, value: Any) -> None:
        setattr(self, name, value)
        self.unsaved.add(("meta", name))

    # ── time ──────────────────────────────────────────────────────────────────────────────────────────────

    def clock_of(self, customer: str | None) -> str:
        """Return the id of the customer's test clock, or an empty text for the server's own clock."""
        row = self.objects["customer"].get(customer or "")
        return (row and row["test_clock"]) or ""

    def now(self, customer: str | None = None) -> int:
        """Return the customer's time, in seconds since 1970. During an advance, it is the moment being played."""
        return self.time_on(self.clock_of(customer))

    @contextlib.contextmanager
    def at(self, clock: str, when: int) -> Iterator[None]:
        """Set this clock to ``when`` inside the block."""
        outer = self.moments
        self.moments = {**outer, clock: when}
        try:
            yield
        finally:
            self.moments = outer

    def time_on(self, clock: str) -> int:
        if clock in self.moments:
            return self.moments[clock]
        row = self.objects["test_helpers.test_clock"].get(clock)
        return row["frozen_time"] if row else int(time.time()) + self.offset

    # ── rows ──────────────────────────────────────────────────────────────────────────────────────────────

    def new_id(self, kind: str) -> str:
        return f"{PREFIXES[kind]}_{self.random.getrandbits(96):024x}"

    def get(self, kind: str, key: str | None) -> Row | None:
        return self.objects[kind].get(key or "")

    def need(self, kind: str, key: str | None, param: str = "id") -> Row:
        """Find the row. A deleted row is found only by its own address (``param`` "id"). Raises: Stripe's 404."""
        found = self.objects[kind].get(key or "")
        if found is None or (found.get("deleted") and param != "id"):
            raise missing(kind, key or "", param)
        return found

    def all(self, kind: str, **wanted: Any) -> list[Row]:
        """List the rows with these values, oldest first. This is fast if the first name is indexed."""
        if wanted:
            name, value = next(iter(wanted.items()))
            if (kind, name) in self.indexes:
                found = list(self.indexes[kind, name].get(value, {}).values())
                del wanted[name]
                return self._chosen(found, wanted)
        return self._chosen(self.objects[kind].values(), wanted)

    def _chosen(self, found: Iterable[Row], wanted: Row) -> list[Row]:
        chosen = [row for row in found if all(row.get(k) == v for k, v in wanted.items())] if wanted else list(found)
        return sorted(chosen, key=operator.itemgetter("_seq"))  # a row that was put back is last in its dict

    def remove(self, row: Row) -> None:
        """Take the row out."""
        self._drop(row)
        if self.undo is not None:
            self.undo.append(lambda: self._put(row))

    def _put(self, row: Row) -> None:
        kind = row["_kind"]
        self.objects[kind][row["id"]] = row
        for name in INDEXED.get(kind, ()):
            self.indexes[kind, name][row.get(name)][row["id"]] = row
        self.unsaved.add((kind, row["id"]))

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
        self.unsaved.add((kind, row["id"]))

    # ── taking back ───────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def request_undone_on_error(self) -> Iterator[None]:
        """Take back the changes of a request that fails, unless the error says that they stay."""
        kept: StripeError | None = None
        with self.undo_on_error():
            try:
                yield
            except StripeError as error:
                if not error.keeps_changes:
                    raise
                kept = error
        if kept is not None:
            raise kept

    @contextlib.contextmanager
    def undo_on_error(self) -> Iterator[None]:
        """Take back the changes of the block, if it raises an error."""
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
        """Take back the changes of the block at its end, including ids."""
        outer, self.undo = self.undo, []
        state, sequence, rehearsing = self.random.getstate(), self.sequence, self.rehearsing
        self.rehearsing = True
        try:
            yield
        finally:
            for step in reversed(self.undo):
                step()
            self.undo, self.sequence, self.rehearsing = outer, sequence, rehearsing
            self.random.setstate(state)
