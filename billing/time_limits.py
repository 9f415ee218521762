"""The two connections that give up soon instead of waiting, each with its time limits. Only the settings name them too.

    with time_limits.impatient() as using:
        ReceivedEvent.objects.using(using).count()

A file or a libSQL server has its limit from the connecting on. On PostgreSQL the limits belong to one short
transaction. A pooler such as pgbouncer gives each transaction another connection to the server, so what is set for
longer is lost, or reaches somebody else. ``config.databases.with_limits`` says how long the limits are.

If the database did not take a write in time, this process does not wait for it again within the next second. Otherwise
every thread of a web server would wait, and the requests that queue behind them too.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connections, transaction

from billing import measures
from billing.database_trouble import TROUBLE

NOT_TRIED_FOR = 1.0
"""Seconds after a write that was not taken."""
_refused_until: dict[str, float] = {}


class NotTried(OperationalError):
    """The database took no write a moment ago, so this one was not tried."""


@contextmanager
def impatient() -> Iterator[str]:
    """Give the connection for an answer that must be out within two seconds, as what ``using`` takes. For reads."""
    with _limited("impatient") as using:
        yield using


@contextmanager
def impatient_write() -> Iterator[str]:
    """Give the same connection for a write without which there is no answer. Raises: NotTried."""
    with _tried("impatient"), _limited("impatient") as using:
        yield using


@contextmanager
def optional() -> Iterator[str]:
    """Give the connection for a write that may be left out, while somebody waits for an answer that is ready.

    Raises: NotTried.
    """
    with _tried("optional"), _limited("optional") as using:
        yield using


def execute_impatiently(statement: str, values: Sequence[Any]) -> None:
    """Run one statement that writes on the impatient connection. It commits by itself. Raises: NotTried.

    On PostgreSQL its limits are in the same round trip: several statements that are sent together are one transaction.
    Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """
    connection = connections["impatient"]
    limits = connection.settings_dict.get("LIMITS")
    with _tried("impatient"), connection.cursor() as cursor:
        cursor.execute(f"{limits}; {statement}" if limits else statement, values)


def forget() -> None:
    """Forget what the database did not take."""
    _refused_until.clear()


@contextmanager
def _tried(alias: str) -> Iterator[None]:
    """Refuse at once what would be refused after a wait. The limits of each connection are its own."""
    if time.monotonic() < _refused_until.get(alias, 0.0):
        raise NotTried("the database took no write a moment ago, so this one was not tried")
    try:
        yield
    except TROUBLE:
        _refused_until[alias] = time.monotonic() + NOT_TRIED_FOR
        measures.count(measures.REFUSED_WRITES, alias)
        raise


@contextmanager
def _limited(alias: str) -> Iterator[str]:
    limits = connections[alias].settings_dict.get("LIMITS")
    if not limits:
        yield alias  # a transaction would only cost: on SQLite it would also wait for other writers
        return
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(limits)
        yield alias
