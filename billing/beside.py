"""What a worker does beside its main loop, each in a thread of its own: it sends e-mails, and looks at customers.

So a slow mail server holds up no look, and while one look waits for Stripe, the others go on. Each thread has one
database connection.
"""

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Iterator

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections, connections

from billing import held, waits
from billing.database_trouble import TROUBLE
from billing.models import ReceivedEvent
from billing.outbox import delivery
from billing.stripe_api import pace
from billing.webhooks import inbox

log = logging.getLogger(__name__)

IDLE_SECONDS, ASKED_EVERY = 0.5, 0.1
AFTER_TROUBLE_SECONDS = 5


class Beside(threading.Thread):
    """Does one piece of work after the other, until the worker ends.

    After an error that nobody foresaw, it ends the worker. Whatever started the worker starts another one.
    """

    def __init__(self, name: str, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.stop = stop
        self.died = False

    def run(self) -> None:
        try:
            with pace.kept():
                while not self.stop.is_set():
                    self._once()
        finally:
            self.died = not self.stop.is_set()
            self.stop.set()
            connections.close_all()

    def _once(self) -> None:
        close_old_connections()
        try:
            did = not held.is_held() and self.do_one()
        except AnyDatabaseError as error:
            traced = not isinstance(error, TROUBLE)  # of a database that is away, the main loop shows enough
            log.warning("worker, %s: an error of the database: %s", self.name, type(error).__name__, exc_info=traced)
            self.stop.wait(AFTER_TROUBLE_SECONDS)
            return
        if not did:
            self.rest()

    def do_one(self) -> bool:
        """Do what is due first. Return whether there was something."""
        raise NotImplementedError

    def rest(self) -> None:
        """Wait until there may be something to do."""
        self.stop.wait(IDLE_SECONDS)


class Postman(Beside):
    """Sends e-mails."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__("postman", stop)
        self.began = 0.0

    @property
    def is_stuck(self) -> bool:
        """Whether it has worked on one e-mail for longer than a lease. A mail server can do that by talking slowly."""
        return self.began > 0 and time.monotonic() - self.began > delivery.LEASE.total_seconds()

    def do_one(self) -> bool:
        self.began = time.monotonic()
        try:
            waits.let_one_try(waits.MAIL_SERVER)
            return delivery.work_off(limit=1) > 0
        finally:
            self.began = 0.0


class Looking:
    """What the threads of lookers share.

    While nothing waits, only one of them asks the database. A thread that finds something wakes another one, so as many
    work as there is work for.
    """

    def __init__(self) -> None:
        self.claiming = threading.Lock()
        self.looked_at: set[str] = set()
        """The customers whose look is not over. Events that come meanwhile are for one look afterwards."""
        self.asking = threading.Lock()
        """Of those that have nothing to do, who holds this is the next to ask the database."""
        self.more: queue.Queue[None] = queue.Queue(1)

    def wake_another(self) -> None:
        with contextlib.suppress(queue.Full):
            self.more.put_nowait(None)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[tuple[uuid.UUID, list[ReceivedEvent]] | None]:
        """Yield what ``inbox.claim`` returns. No other thread gets the same customer meanwhile."""
        with self.claiming:
            claimed = inbox.claim(but=self.looked_at)
            customer = claimed[1][0].customer_id if claimed else ""
            if customer:
                self.looked_at.add(customer)
        try:
            yield claimed
        finally:
            self.looked_at.discard(customer)


class Looker(Beside):
    """Settles waiting events, with one look at a time."""

    def __init__(self, number: int, stop: threading.Event, shared: Looking) -> None:
        super().__init__(f"looker {number}", stop)
        self.shared = shared

    def do_one(self) -> bool:
        with self.shared.claimed() as claimed:
            if claimed is None:
                return False
            self.shared.wake_another()
            inbox.handle(*claimed)
        return True

    def rest(self) -> None:
        while not self.stop.is_set():
            if self.shared.asking.acquire(timeout=IDLE_SECONDS):
                try:
                    with contextlib.suppress(queue.Empty):
                        self.shared.more.get(timeout=ASKED_EVERY)
                finally:
                    self.shared.asking.release()
                return


def lookers(count: int, stop: threading.Event) -> list[Looker]:
    """Return this number of lookers. They are not started yet."""
    shared = Looking()
    return [Looker(number, stop, shared) for number in range(1, count + 1)]
