"""The two connections that give up soon instead of waiting, each with its time limits. Only the settings name them too.

    with time_limits.impatient() as using:
        ReceivedEvent.objects.using(using).count()

A file or a libSQL server has its limit from the connecting on. On PostgreSQL the limits belong to one short
transaction. A pooler such as pgbouncer gives each transaction another connection to the server, so what is set for
longer is lost, or reaches somebody else. ``config.databases.with_limits`` says how long the limits are.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import connections, transaction


def impatient() -> AbstractContextManager[str]:
    """Give the connection for an answer that must be out within two seconds, as what ``using`` takes."""
    return _limited("impatient")


def optional() -> AbstractContextManager[str]:
    """Give the connection for a write that may be left out, while somebody waits for an answer that is ready."""
    return _limited("optional")


def execute_impatiently(statement: str, values: Sequence[Any]) -> None:
    """Run one statement on the impatient connection. It commits by itself.

    On PostgreSQL its limits are in the same round trip: several statements that are sent together are one transaction.
    Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
    """
    connection = connections["impatient"]
    limits = connection.settings_dict.get("LIMITS")
    with connection.cursor() as cursor:
        cursor.execute(f"{limits}; {statement}" if limits else statement, values)


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
