"""The turns of all workers' requests to Stripe, for each endpoint and for all requests together.

Each of these is a lane. A lane has its turns at fixed moments of the database's clock, so the clocks of the machines
need not agree. In 1 + SLACK seconds it has as many turns as its setting says. One row says up to which moment processes
have taken the time. A process takes the next share, about a quarter of a second at most, with one conditional UPDATE.
All turns within it are its own: which of its threads uses which one is decided in memory. A request takes a turn of its
endpoint, and one of all requests close to it. An endpoint has a turn at each of these moments, at each second or third
one, or less often, as its setting says.

A turn that is not used within LATE is lost. So no second, wherever it begins, sees more requests than the setting. This
holds also if some requests take longer to arrive than others, by up to SLACK minus LATE. The exception is a request
that lost MOST_LOST turns: it goes late, without another turn.

After a 429, a lane's own row says until when it rests. A process reads these rows with each share, so it may begin the
requests of a share that it has already.
"""

import contextlib
import hashlib
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models.functions import Now

from billing.models import RequestBudget

MICROSECONDS = 1_000_000
SLACK = 0.06
"""In seconds."""
LATE, CLOSE = 30_000, 15_000
"""In microseconds, as all moments and lengths here that are whole numbers. A moment counts from 1970, by the database's
clock."""
LONGEST_SHARE = 250_000
FARTHEST = 1 * MICROSECONDS
"""No share is taken that begins later than this from now: whoever takes it might give up before it comes."""
LONGEST_REST = 60.0
MOST_LOST = 3
SHARED = 1
"""The key of the row that says up to which moment processes have taken the time."""
MOST_AHEAD = 3 * MICROSECONDS
"""No share ends later than this from now, so a clock went back if one seems to."""
KEPT = 2 * MOST_AHEAD
"""How long it is remembered which turns were used."""
DRIFT = 20
"""By how much two clocks may come apart from one share to the next."""

GiveUp = Callable[[], float]
"""Returns the moment of ``time.monotonic()`` after which nobody wants the request any more."""


class TooLate(Exception):
    """No turn came before the moment at which whoever waits gives up."""


class Lane:
    """The turns of one endpoint, or of all requests."""

    def __init__(self, name: str, per_second: Callable[[], int]) -> None:
        self.digest = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
        self.key = self.digest + 2
        self.per_second = per_second
        self.waiting: set[int] = set()
        """The threads that want a turn."""
        self.used: dict[int, int] = {}
        """The moments of the turns that this process used lately, by the numbers of these turns."""
        self.rests_until = 0

    @property
    def every(self) -> int:
        """This lane has each so many of the moments at which all requests have a turn."""
        return max(1, math.ceil(settings.STRIPE_REQUESTS_PER_SECOND / self.per_second()))

    @property
    def interval(self) -> float:
        return self.every * (1 + SLACK) * MICROSECONDS / settings.STRIPE_REQUESTS_PER_SECOND

    @contextlib.contextmanager
    def wanted(self) -> Iterator[None]:
        self.waiting.add(threading.get_ident())
        try:
            yield
        finally:
            self.waiting.discard(threading.get_ident())

    def turns(self, since: float) -> Iterator[tuple[int, int]]:
        """Yield the number and the moment of each turn that is not used. This never ends."""
        interval = self.interval
        shift = self.digest % self.every * interval / self.every
        first = max(since, self.rests_until)
        for number in itertools.count(-int((shift - first) // interval)):
            if number not in self.used:
                yield number, int(number * interval + shift)

    def use(self, number: int, moment: int) -> None:
        self.used[number] = moment
        if len(self.used) > 2 * self.per_second():
            self.used = {one: at for one, at in self.used.items() if at > moment - KEPT}

    def rest(self, seconds: float) -> None:
        """Let no process begin a request of this lane for so long."""
        rows, now = _read()
        until = now + int(seconds * MICROSECONDS)
        if self.key not in rows:
            RequestBudget.objects.bulk_create([RequestBudget(pk=self.key)], ignore_conflicts=True)
        RequestBudget.objects.filter(pk=self.key, slot__lt=until).update(slot=until)
        self.rests_until = max(self.rests_until, until)


@dataclass(slots=True)
class _Process:
    """The shares of this process, and how far the database's clock is ahead of ``time.monotonic()``."""

    shares: deque[tuple[int, int]] = field(default_factory=deque)
    ahead: int = 0
    unsure: int = FARTHEST
    """By how much ``ahead`` can be wrong."""
    lag: int = 0
    """How long it took to take the last share."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    taking: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        self.shares.clear()
        self.ahead, self.unsure, self.lag = 0, FARTHEST, 0

    def now(self) -> int:
        return int(time.monotonic() * MICROSECONDS) + self.ahead

    def saw(self, now: int, *, between: tuple[float, float]) -> None:
        """Note the database's time, which was read between these two moments of ``time.monotonic()``.

        The reading that took less time is kept, because otherwise the turns would move to and fro. If a clock was set,
        the new reading is taken.
        """
        sent, came = (int(one * MICROSECONDS) for one in between)
        ahead, unsure = now - (sent + came) // 2, (came - sent) // 2 + 1
        if was_set := abs(ahead - self.ahead) > unsure + self.unsure:
            with self.lock:
                self.shares.clear()
        if was_set or unsure <= self.unsure:
            self.ahead, self.unsure = ahead, unsure
        else:
            self.unsure += DRIFT

    def turn(self, lane: Lane) -> tuple[int, int] | None:
        """Take the next turn of this lane, and return from when until when it is. None: no share has one."""
        with self.lock:
            now = self.now()
            while self.shares and self.shares[0][1] < now - LATE:
                self.shares.popleft()
            for begins, ends in self.shares:
                if found := _turn(lane, max(begins, now - CLOSE), ends):
                    return found
            return None


def _turn(lane: Lane, since: int, until: int) -> tuple[int, int] | None:
    """Take the next turn of the lane and one of all requests close to it, both within this time."""
    for number, moment in lane.turns(since):
        if moment >= until:
            return None
        common, at = next(ALL.turns(max(since, moment - CLOSE)))
        if at <= moment + CLOSE and at < until:
            lane.use(number, moment)
            ALL.use(common, at)
            return max(moment, at), min(moment, at) + LATE
    raise AssertionError("turns never end")


def _take_share(lane: Lane) -> float:
    """Try to take the next share of the time, and return for how many seconds to wait if there is none."""
    began = time.monotonic()
    rows, now = _read()
    if SHARED not in rows:
        RequestBudget.objects.bulk_create([RequestBudget(pk=SHARED)], ignore_conflicts=True)
        return 0.0
    for one in [ALL, *_lanes.values()]:
        one.rests_until = max(_rest_of(rows.get(one.key, 0), now), _rest_of(one.rests_until, now))
    if (rests := max(lane.rests_until, ALL.rests_until)) > now:
        return (rests - now) / MICROSECONDS
    shared = rows[SHARED]
    begins = max(shared, now)
    if shared > now + MOST_AHEAD:  # a clock went back, or it is the row of a version before
        begins = now
    if begins - now > FARTHEST:
        return (begins - now) / MICROSECONDS
    ends = _end_of_share(lane, max(begins, now + _process.lag))
    if RequestBudget.objects.filter(pk=SHARED, slot=shared).update(slot=ends):
        with _process.lock:
            _process.shares.append((begins, ends))
        _process.lag = min(int((time.monotonic() - began) * MICROSECONDS), FARTHEST)
    return 0.0


def _end_of_share(lane: Lane, since: int) -> int:
    """Return when a share ends that has a turn for each thread that waits, up to about LONGEST_SHARE."""
    count = max(1, min(len(lane.waiting), int(LONGEST_SHARE // lane.interval)))
    return since + int(count * lane.interval) + CLOSE


def _rest_of(until: int, now: int) -> int:
    return until if until <= now + LONGEST_REST * MICROSECONDS else 0  # a clock went back


def _read() -> tuple[dict[int, int], int]:
    """Return the rows by their keys, and the database's time. Keep how far that is ahead."""
    before = time.monotonic()
    rows = list(RequestBudget.objects.annotate(at=Now()))
    if not rows:
        RequestBudget.objects.bulk_create([RequestBudget(pk=SHARED)], ignore_conflicts=True)
        return _read()
    now = int(rows[0].at.timestamp() * MICROSECONDS)
    _process.saw(now, between=(before, time.monotonic()))
    return {row.pk: row.slot for row in rows}, now


ALL = Lane("all", lambda: settings.STRIPE_REQUESTS_PER_SECOND)
_lanes: dict[str, Lane] = {}
_process = _Process()


def lane_of(endpoint: str) -> Lane:
    """Return the lane of an endpoint, such as "get /v1/customers/*"."""
    return _lanes.setdefault(endpoint, Lane(endpoint, lambda: settings.STRIPE_REQUESTS_PER_ENDPOINT))


def forget() -> None:
    """Give up the shares that this process has taken, as after a start."""
    _process.forget()
    _lanes.clear()
    ALL.used.clear()
    ALL.rests_until = 0


def wait(endpoint: str, give_up: GiveUp) -> None:
    """Wait until one request to this endpoint may be made.

    What ``give_up`` returns may come nearer while somebody waits. Raises: TooLate.
    """
    lane, lost = lane_of(endpoint), 0
    with lane.wanted():
        while lost < MOST_LOST:
            moment, latest = _next(lane, give_up)
            while 0 < (left := moment - _process.now()) <= MOST_AHEAD:
                time.sleep(min(left / MICROSECONDS, _at_most_a_second(give_up)))
            _at_most_a_second(give_up)
            if left > 0 or moment < max(lane.rests_until, ALL.rests_until):
                continue  # a clock was set, or a rest began meanwhile
            if _process.now() <= latest:
                return
            lost += 1


def _next(lane: Lane, give_up: GiveUp) -> tuple[int, int]:
    """Return from when until when the next turn is, at most a few seconds from now. Raises: TooLate."""
    while True:
        longest = _at_most_a_second(give_up)
        if found := _process.turn(lane):
            return found
        if not _process.taking.acquire(timeout=longest):
            continue
        try:
            if found := _process.turn(lane):  # another thread took a share meanwhile
                return found
            away = _take_share(lane)
        finally:
            _process.taking.release()
        if away:
            time.sleep(min(away, longest))


def _at_most_a_second(give_up: GiveUp) -> float:
    """Return how long to wait before looking again. Raises: TooLate."""
    left = give_up() - time.monotonic()
    if left <= 0:
        raise TooLate
    return min(left, 1.0)
