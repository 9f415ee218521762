"""The turns of all workers' requests to Stripe, for each endpoint and for all requests together.

Each of these lanes has a row that says when its next turn is free, on the database's clock, in microseconds. A process
takes up to three turns with one conditional UPDATE. So the clocks of the machines need not agree, and a write serves
several requests. Within a process, all threads take their turns here, and those of one endpoint one after the other.

The turns of a lane are spread evenly: as many as its setting in a second and SLACK. A turn that is not used within LATE
is lost. So no second, wherever it begins, sees more requests than the setting, also if some are up to SLACK minus LATE
longer on their way than others.

Where the database needs longer than LATE for each answer, nobody could use a turn in time. Then the third one is used
late.
"""

import contextlib
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db.models.functions import Now

from billing.models import RequestBudget

SLACK, LATE = 0.06, 0.03
TAKEN_AT_ONCE = 3
MOST_LOST = 3
FARTHEST = 1.0
"""No turn is taken that is farther away, in seconds: whoever took it might give up before it comes."""
LONGEST_REST = 60.0
MICROSECONDS = 1_000_000

GiveUp = Callable[[], float]
"""Returns the moment after which nobody wants the request any more."""


class TooLate(Exception):
    """No turn came before the moment at which whoever waits gives up."""


class Lane:
    """One row of turns, and those that this process has taken. All moments are of ``time.monotonic()``."""

    def __init__(self, name: str, interval: Callable[[], float]) -> None:
        # a version before shares row 1, in other units
        self.key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big") + 2
        self.interval = interval
        self.waiting: set[int] = set()
        """The threads that want a turn."""
        self.taken: deque[float] = deque()
        self._head, self._lock = threading.Lock(), threading.Lock()

    @contextlib.contextmanager
    def wanted(self) -> Iterator[None]:
        self.waiting.add(threading.get_ident())
        try:
            yield
        finally:
            self.waiting.discard(threading.get_ident())

    @contextlib.contextmanager
    def first_in_line(self, give_up: GiveUp) -> Iterator[None]:
        """Let one thread at a time inside. Raises: TooLate."""
        while not self._head.acquire(timeout=_at_most_a_second(give_up)):
            pass
        try:
            yield
        finally:
            self._head.release()

    def turn(self, give_up: GiveUp, *, not_before: float = 0.0) -> float:
        """Return the moment of the next turn, at most a second from now. Raises: TooLate."""
        while True:
            with self._lock:
                least = max(time.monotonic(), not_before) - LATE
                while self.taken and self.taken[0] < least:
                    self.taken.popleft()
                if not self.taken:
                    away = self._take(not_before)
                if self.taken:
                    return self.taken.popleft()
            time.sleep(min(away, _at_most_a_second(give_up)))

    def rest(self, seconds: float) -> None:
        """Let no process begin a request of this lane for so long."""
        with self._lock:
            self.taken.clear()
            row, now, _ = self._read()
            until = now + int(seconds * MICROSECONDS)
            RequestBudget.objects.filter(pk=row.pk, slot__lt=until).update(slot=until)

    def _take(self, not_before: float) -> float:
        """Try to take turns, and return for how many seconds to wait if there are none."""
        row, now, read_at = self._read()
        first = max(row.slot, now, now + int((not_before - read_at) * MICROSECONDS))
        if row.slot > now + (LONGEST_REST + FARTHEST) * MICROSECONDS:  # a clock went back
            first = now
        away = (first - now) / MICROSECONDS
        if away > FARTHEST:
            return away
        count = max(1, min(len(self.waiting), TAKEN_AT_ONCE))
        after = first + int(count * self.interval() * MICROSECONDS)
        if RequestBudget.objects.filter(pk=row.pk, slot=row.slot).update(slot=after):
            self.taken.extend(read_at + away + number * self.interval() for number in range(count))
        return 0.0

    def _read(self) -> tuple[RequestBudget, int, float]:
        """Return the row, the database's time in microseconds, and when it was read."""
        rows = RequestBudget.objects.filter(pk=self.key).annotate(at=Now())
        row = rows.first()
        if row is None:
            RequestBudget.objects.bulk_create([RequestBudget(pk=self.key)], ignore_conflicts=True)
            row = rows.get()
        return row, int(row.at.timestamp() * MICROSECONDS), time.monotonic()


def _of_all() -> float:
    return (1 + SLACK) / settings.STRIPE_REQUESTS_PER_SECOND


def _of_endpoint() -> float:
    """0 if the limit for all requests is no higher: then that one is enough."""
    most = settings.STRIPE_REQUESTS_PER_ENDPOINT
    return 0.0 if most >= settings.STRIPE_REQUESTS_PER_SECOND else (1 + SLACK) / most


ALL = Lane("all", _of_all)
_lanes: dict[str, Lane] = {}


def lane_of(endpoint: str) -> Lane:
    """Return the lane of an endpoint, such as "get /v1/customers/*"."""
    return _lanes.setdefault(endpoint, Lane(endpoint, _of_endpoint))


def forget() -> None:
    """Give up the turns that this process has taken, as after a start."""
    _lanes.clear()
    ALL.taken.clear()


def wait(endpoint: str, give_up: GiveUp) -> None:
    """Wait until one request to this endpoint may be made.

    What ``give_up`` returns may come nearer while somebody waits. Raises: TooLate.
    """
    lane = lane_of(endpoint)
    with ALL.wanted(), lane.wanted(), lane.first_in_line(give_up):
        for _ in range(MOST_LOST):
            own = lane.turn(give_up)
            _sleep_until(own, give_up)
            common = ALL.turn(give_up)
            if common > own + LATE:
                own = lane.turn(give_up, not_before=common)
            _sleep_until(max(own, common), give_up)
            if time.monotonic() <= min(own, common) + LATE:
                return


def _sleep_until(moment: float, give_up: GiveUp) -> None:
    """Raises: TooLate."""
    while (left := moment - time.monotonic()) > 0:
        time.sleep(min(left, _at_most_a_second(give_up)))


def _at_most_a_second(give_up: GiveUp) -> float:
    """Return how long to wait before looking again. Raises: TooLate."""
    left = give_up() - time.monotonic()
    if left <= 0:
        raise TooLate
    return min(left, 1.0)
