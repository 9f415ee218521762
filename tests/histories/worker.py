"""A worker that can be stopped wherever another worker may come between.

It stops before each statement outside of a transaction, and before each request to Stripe. It is a thread on the
test's own connection, and only one thread runs at a time. A worker is never stopped inside a transaction: what the
others write would then be in that transaction too, and be lost with it.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import requests
from django.db import connections

from billing.webhooks import inbox

PLACES = ("begun", "claimed", "asking", "fetched", "applied")
MOST_SECONDS = 60
OF_THE_SANDBOX = "/_sandbox/"
_of_thread: dict[int, "Worker"] = {}


class Killed(BaseException):
    """The process is dead. The product's code never catches this."""


class AskedWithinATransaction(BaseException):
    """The product asked Stripe inside an open transaction. The product's code never catches this."""


class Worker:
    """One look of the inbox, which runs step by step.

    ``place`` says how far it is: "begun"; "claimed", events are claimed; "asking", a ticket is taken and Stripe is
    being asked; "fetched", all is fetched and nothing is applied; "applied", all is applied and nothing is settled.
    """

    def __init__(self) -> None:
        self.place, self.over, self.looked = "begun", False, 0
        self._trouble: BaseException | None = None
        self._stop_at: Callable[[str], bool] = lambda _: False
        self._ends_by: type[BaseException] | None = None
        self._may_go, self._stands = threading.Semaphore(0), threading.Semaphore(0)
        self._connection = connections["default"]
        self._depth = len(self._connection.savepoint_ids)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def go_on(self, stop_at: Callable[[str], bool] = lambda _: False) -> None:
        """Work until a point whose place makes ``stop_at`` true, or to the end."""
        assert not self.over
        self._stop_at = stop_at
        self._may_go.release()
        assert self._stands.acquire(timeout=MOST_SECONDS), "a worker hangs"
        if self._trouble is not None:
            raise self._trouble

    def be_killed(self) -> None:
        """Stop for ever, without telling anybody."""
        self._ends_by = Killed
        self.go_on()

    def lose_the_line(self) -> None:
        """Give its next request no answer. Then it works to its end."""
        self._ends_by = requests.ConnectionError
        self.go_on()

    def _work(self) -> None:
        connections["default"] = connections["impatient"] = connections["optional"] = self._connection
        _of_thread[threading.get_ident()] = self
        self._may_go.acquire()
        try:
            self._end_if_told()
            self.looked = inbox.work_off(limit=1)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  raised again in ``go_on``
            self._trouble = error
        finally:
            del _of_thread[threading.get_ident()]
            self.over = True
            self._stands.release()

    @property
    def is_within_a_transaction(self) -> bool:
        """Whether it is in a transaction that it began itself."""
        return len(self._connection.savepoint_ids) > self._depth

    def has_committed(self) -> None:
        """Move to the next place after the claim's or apply's transaction. The ticket's changes no place."""
        self.place = {"begun": "claimed", "fetched": "applied"}.get(self.place, self.place)

    def comes_to(self, statement: str, *, request: bool = False) -> None:
        """Reach a point: before this statement, or before a request to this address."""
        if request and "/v1/customers/" in statement:
            self.place = "asking"
        elif statement.startswith("SAVEPOINT") and self.place == "asking":
            self.place = "fetched"
        if self._stop_at(self.place):
            self._stands.release()
            self._may_go.acquire()
        self._end_if_told(request=request)

    def _end_if_told(self, *, request: bool = False) -> None:
        if self._ends_by is Killed:
            raise Killed
        if self._ends_by and request:
            how, self._ends_by = self._ends_by, None
            raise how("the line is cut")


def sent_by_workers(send: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap ``requests.Session.send``, below Stripe's library, so that each request of a worker is a point.

    Requests for the local Stripe's clock are no points. They come when the last answer is a second old, even inside a
    transaction, and the real Stripe has no such clock.
    """

    def sent(session: Any, request: Any, **how: Any) -> Any:
        worker = _of_thread.get(threading.get_ident())
        if worker and OF_THE_SANDBOX not in request.url:
            if worker.is_within_a_transaction:
                raise AskedWithinATransaction(request.url)
            worker.comes_to(request.url, request=True)
        return send(session, request, **how)

    return sent


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Make each statement of a worker a point, unless it is inside a transaction that the worker began."""
    shared = connections["default"]

    def executed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        worker = _of_thread.get(threading.get_ident())
        if worker is None or worker.is_within_a_transaction:
            return execute(sql, params, many, context)
        if not sql.startswith(("RELEASE", "ROLLBACK")):
            worker.comes_to(sql)
            return execute(sql, params, many, context)
        answer = execute(sql, params, many, context)
        worker.has_committed()
        return answer

    shared.inc_thread_sharing()
    try:
        with shared.execute_wrapper(executed):
            yield
    finally:
        shared.dec_thread_sharing()
