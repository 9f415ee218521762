"""What happens by itself: a queue of moments for each clock, played in order when the clock moves.

``@timed(kind)`` registers a kind of row: a function that says when something next happens to a row, and what. An
entry of the queue that is no longer true is skipped. So a change only adds an entry, and never searches for old ones.
"""

import heapq
import logging
from collections.abc import Callable

from stripe_sandbox.errors import invalid
from stripe_sandbox.memory import Queue
from stripe_sandbox.store import TOUCHED, Row, Store

Due = tuple[int, Callable[[Store, Row], object]]
"""The time, and the function that is called then."""
log = logging.getLogger(__name__)
MOST_FAULTS_KEPT = 1_000
TIMED: dict[str, Callable[[Store, Row], Due | None]] = {}


def timed(kind: str) -> Callable[[Callable[[Store, Row], Due | None]], Callable[[Store, Row], Due | None]]:
    """Register the function that says when something next happens by itself to a row of this kind."""

    def register(due: Callable[[Store, Row], Due | None]) -> Callable[[Store, Row], Due | None]:
        TIMED[kind] = due
        return due

    return register


def note(store: Store, row: Row) -> None:
    """Put the next moment at which something is due for the row into the queue."""
    due_of = TIMED.get(row["_kind"])
    if due_of is None:
        return
    due = due_of(store, row)
    if due is None or due[0] in (row.get("_noted"), row.get("_stuck")):
        return
    row["_noted"] = due[0]
    store.queue.push(store.clock_of(row.get("customer") or row.get("_customer")), due[0], row)


def play(store: Store, clock: str, until: int) -> int:
    """Let everything happen that is due on this clock up to ``until``, in order of time. Returns how many things did.

    What was noted too late happens at the time that the clock has reached.
    """
    heap, happened = store.queue.heaps[clock], 0
    moment = store.time_on(clock) if clock else store.caught_up
    while heap and heap[0][0] <= until:
        when, _, kind, key = heapq.heappop(heap)
        row = store.get(kind, key)
        if row is None:
            continue
        if row.get("_noted") == when:
            row["_noted"] = None
        due = TIMED[kind](store, row)
        if due is None or due[0] != when:
            note(store, row)
            continue
        moment = max(when, moment)
        with store.at(clock, moment):
            happened += _happened(store, row, due)
            if store.get(kind, key) is row:
                note(store, row)
    if not clock:
        store.caught_up = max(until, moment)
    return happened


def _happened(store: Store, row: Row, due: Due) -> bool:
    """Do what was due. After a defect nothing is changed, and it is not tried again until the row changes.

    There is no request that could report the defect. So the log and ``checked`` do.
    """
    try:
        with store.undo_on_error():
            due[1](store, row)
    except Exception as defect:  # a defect of the sandbox; it must not fail the next request
        row["_stuck"] = due[0]
        fault = f"what was due for {row['id']} at {due[0]} failed: {type(defect).__name__}: {defect}"
        log.exception(fault)
        store.checked["faults"] = [*store.checked["faults"][1 - MOST_FAULTS_KEPT :], fault]
        return False
    return True


def catch_up(store: Store) -> None:
    """Play what became due on the server's own clock since the last request."""
    play(store, "", store.time_on(""))


def advance_server(store: Store, to: int) -> None:
    """Move the server's clock to ``to``. What becomes due until then happens in order."""
    if to < store.time_on(""):
        raise invalid("The clock only runs forward.", param="now")
    play(store, "", to)
    store.set("offset", store.offset + to - store.time_on(""))


def begin_server(store: Store, at: int) -> None:
    """Let the server's clock begin at ``at``. Only for a store that holds nothing: nothing can have happened yet."""
    store.set("offset", store.offset + at - store.time_on(""))
    store.caught_up = at


def rebuild(store: Store) -> None:
    """Build the queue again from the rows."""
    store.queue = Queue()
    for kind in TIMED:
        for row in store.objects[kind].values():
            row["_noted"] = row["_stuck"] = None
            note(store, row)


TOUCHED.append(note)
