"""What happens by itself: a queue of moments for each clock, played in order when the clock moves.

A kind of row takes part by ``@timed(kind)``: a function that says when something next happens to a row, and
what. An entry of the queue that is no longer true is passed over, so a row is only noted, never searched for.
"""

import heapq
import logging
from collections.abc import Callable

from stripe_sandbox.errors import invalid
from stripe_sandbox.memory import Queue
from stripe_sandbox.store import TOUCHED, Row, Store

Due = tuple[int, Callable[[Store, Row], object]]
"""When, and the function that then makes it happen."""
log = logging.getLogger(__name__)
MOST_FAULTS_KEPT = 1_000
TIMED: dict[str, Callable[[Store, Row], Due | None]] = {}


def timed(kind: str) -> Callable[[Callable[[Store, Row], Due | None]], Callable[[Store, Row], Due | None]]:
    """Register what says when something next happens to a row of this kind by itself."""

    def register(due: Callable[[Store, Row], Due | None]) -> Callable[[Store, Row], Due | None]:
        TIMED[kind] = due
        return due

    return register


def note(store: Store, row: Row) -> None:
    """Put into the queue when something is next due for the row."""
    due_of = TIMED.get(row["_kind"])
    if due_of is None:
        return
    due = due_of(store, row)
    if due is None or due[0] in (row.get("_noted"), row.get("_stuck")):
        return
    row["_noted"] = due[0]
    store.queue.push(store.clock_of(row.get("customer") or row.get("_customer")), due[0], row)


def play(store: Store, clock: str, until: int) -> int:
    """Let everything happen that is due on this clock until then, in order of time. Returns how many things.

    What was noted too late happens at the time up to which everything else had.
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
    """Let happen what was due. Where that is a defect, nothing happens, and it is not tried until the row changes.

    Nobody asked for it, so no request is told: the log is, and ``checked``.
    """
    try:
        with store.undo_on_error():
            due[1](store, row)
    except Exception as defect:  # of the sandbox; whoever asks next for something else is not to be met by it
        row["_stuck"] = due[0]
        told = f"what was due for {row['id']} at {due[0]} failed: {type(defect).__name__}: {defect}"
        log.exception(told)
        store.checked["faults"] = [*store.checked["faults"][1 - MOST_FAULTS_KEPT :], told]
        return False
    return True


def catch_up(store: Store) -> None:
    """Let happen what fell due on the server's own clock while nobody asked."""
    play(store, "", store.time_on(""))


def advance_server(store: Store, to: int) -> None:
    """Move the server's clock to ``to``, and let happen in order what falls due until then."""
    if to < store.time_on(""):
        raise invalid("The clock only runs forward.", param="now")
    play(store, "", to)
    store.set("offset", store.offset + to - store.time_on(""))


def rebuild(store: Store) -> None:
    """Make the queue again, from the rows alone."""
    store.queue = Queue()
    for kind in TIMED:
        for row in store.objects[kind].values():
            row["_noted"] = row["_stuck"] = None
            note(store, row)


TOUCHED.append(note)
