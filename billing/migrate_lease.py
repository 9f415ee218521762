"""One ``migrate`` at a time: it holds a row with a lease, like a worker that claims work (billing/leases.py).

The row is in a table of its own, which is there before the first migration, as Django's ``django_migrations`` is. An
advisory lock would not do: it belongs to a connection, and a pooler gives the next transaction another one.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps.registry import Apps
from django.db import DatabaseError, models

from billing import clock, leases

LASTS = timedelta(minutes=10)


class HeldByAnother(Exception):
    """Another ``migrate`` has the lease. The text says since when, and what to do."""


class MigrateLease(models.Model):
    """The only row says who migrates. It is of no app: nothing migrates this table."""

    number = models.PositiveSmallIntegerField(primary_key=True)
    claim_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    since = models.DateTimeField(null=True)
    objects: "models.Manager[MigrateLease]" = models.Manager()

    class Meta:
        apps = Apps()
        app_label = "migrate_lease"
        db_table = "migrate_lease"

    def __str__(self) -> str:
        return f"since {self.since}, until {self.lease_until}"


class Lease:
    """What this ``migrate`` holds of the database of ``connection``."""

    def __init__(self, connection: Any, *, lasts: timedelta = LASTS) -> None:
        self._connection, self._lasts = connection, lasts
        self._row = MigrateLease.objects.using(connection.alias).filter(number=1)
        self._mine: UUID | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Raises: HeldByAnother, if another one migrates."""
        self._take()
        try:
            yield
        finally:
            with contextlib.suppress(DatabaseError):  # then it ends by itself
                self._own().update(**leases.RELEASED)

    def renew(self) -> None:
        """It lasts from now on again. Raises: HeldByAnother, if it ended and another one has taken over."""
        if not self._own().update(lease_until=clock.wall() + self._lasts):
            raise HeldByAnother(
                "Another migrate has taken over, because this one was slower than its lease. This one stops. "
                "When the other one has ended, run migrate again, with a longer --lease."
            )

    def _take(self) -> None:
        self._make_table()
        now = clock.wall()
        if not self._row.exists():
            MigrateLease.objects.using(self._connection.alias).bulk_create(
                [MigrateLease(number=1)], ignore_conflicts=True
            )
        elif not self._row.filter(leases.free(now)).exists():  # it is read first: a write waits for a migration
            raise self._refusal()
        self._mine = leases.claim(self._row.filter(leases.free(now)), now=now, lasts=self._lasts, since=now)
        if self._mine is None:
            raise self._refusal()

    def _own(self) -> models.QuerySet[MigrateLease]:
        return self._row.filter(claim_id=self._mine)

    def _refusal(self) -> HeldByAnother:
        since, until = self._row.values_list("since", "lease_until").get()
        return HeldByAnother(
            f"Another migrate runs on this database, since {_shown(since, 'a moment ago')}. Nothing was done here. "
            "Wait until it has ended, and run migrate again. "
            f"If it was killed, you can run migrate again from {_shown(until, 'now')} on."
        )

    def _make_table(self) -> None:
        sql, _ = self._connection.schema_editor(collect_sql=True).table_sql(MigrateLease)
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(sql.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
        except DatabaseError:  # PostgreSQL: another one made it at the same moment
            if MigrateLease._meta.db_table not in self._connection.introspection.table_names():
                raise


def _shown(at: datetime | None, otherwise: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else otherwise
