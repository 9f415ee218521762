"""What happens by itself: a queue of moments for each clock, played in order when the clock moves.

A kind of row takes part by ``@timed(kind)``: a function that says when something next happens to a row, and
what. An entry of the queue that is no longer true is passed over, so a row is only noted, never searched for.
"""

import heapq
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stripe_sandbox.errors import invalid

if TYPE_CHECKING:
    from stripe_sandbox.store import Store

Row = dict[str, Any]
Due = tuple[int, Callable[["Store", Row], object]]
"""When, and the function that then makes it happen."""
TIMED: dict[str, Callable[["Store", Row], Due | None]] = {}


def timed(kind: str) -> Callable[[Callable[["Store", Row], Due | None]], Callable[["Store", Row], Due | None]]:
    """Registers what says when something next happens to a row of this kind by itself."""

    def register(due: Callable[["Store", Row], Due | None]) -> Callable[["Store", Row], Due | None]:
        TIMED[kind] = due
        return due

    return register


class Queue:
    """For each clock, the moments at which something may be due, earliest first."""

    def __init__(self) -> None:
        self.heaps: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
        self.count = 0

    def note(self, store: "Store", row: Row) -> None:
        """The row changed: when something is next due for it is in the queue."""
        due_of = TIMED.get(row["_kind"])
        if due_of is None:
            return
        due = due_of(store, row)
        if due is None or row.get("_noted") == due[0]:
            return
        row["_noted"] = due[0]
        self.count += 1
        clock = store.clock_of(row.get("customer") or row.get("_customer"))
        heapq.heappush(self.heaps[clock], (due[0], self.count, row["_kind"], row["id"]))


def play(store: "Store", clock: str, until: int) -> int:
    """Everything due on this clock until then has happened, in order of time. Returns how many things."""
    heap, happened = store.queue.heaps[clock], 0
    try:
        while heap and heap[0][0] <= until:
            when, _, kind, key = heapq.heappop(heap)
            row = store.get(kind, key)
            if row is None:
                continue
            if row.get("_noted") == when:
                row["_noted"] = None
            due = TIMED[kind](store, row)
            if due is None or due[0] != when:
                store.queue.note(store, row)
                continue
            store.moments[clock] = max(when, store.moments.get(clock, when))
            due[1](store, row)
            happened += 1
            if store.get(kind, key) is row:
                store.queue.note(store, row)
    finally:
        store.moments.pop(clock, None)
    return happened


def catch_up(store: "Store") -> None:
    """What fell due on the server's own clock while nobody asked has happened."""
    play(store, "", store.time_on(""))


def advance_server(store: "Store", to: int) -> None:
    """The server's clock stands at ``to``, and what fell due until then has happened in order."""
    if to < store.time_on(""):
        raise invalid("The clock only runs forward.", param="now")
    play(store, "", to)
    store.offset += to - store.time_on("")
    store.unsaved.add(("meta", "offset"))


def rebuild(store: "Store") -> None:
    """The queue again, from the rows alone."""
    store.queue = Queue()
    for kind in TIMED:
        for row in store.objects[kind].values():
            row["_noted"] = None
            store.queue.note(store, row)
