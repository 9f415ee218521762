"""The two connections that are told no rather than wait, each with its time limits. Nothing else names them.

    with time_limits.impatient() as using:
        ReceivedEvent.objects.using(using).count()

A file or a libSQL server has its limit from the connecting on. On PostgreSQL the limits belong to one short
transaction. A pooler such as pgbouncer gives each transaction another connection to the server, so what is set for
longer is lost, or reaches somebody else. ``config.databases.impatient`` says how long the limits are.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import connections, transaction


def impatient() -> AbstractContextManager[str]:
    """Give the connection for an answer that must be out within two seconds, as what ``using`` takes."""
    return _limited("impatient")


def optional() -> AbstractContextManager[str]:
    """Give the connection for a write that may be left out, while somebody waits for an answer that is ready."""
    return _limited("optional")


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
