"""Counting in the database, exactly, over all web processes: one statement, which also decides.

A caller's row holds when the counting began. After the limit's seconds it begins again. While the row is full, nothing
is written.
"""

from django.db import DEFAULT_DB_ALIAS, connections

from billing import clock
from billing.models import RateCount
from config.rate_limits import RateLimit

TABLE = RateCount._meta.db_table
TAKE = f"""
    INSERT INTO {TABLE} (who, began, used) VALUES (%s, %s, 1)
    ON CONFLICT (who) DO UPDATE SET
        used = CASE WHEN {TABLE}.began <= %s THEN 1 ELSE {TABLE}.used + 1 END,
        began = CASE WHEN {TABLE}.began <= %s THEN excluded.began ELSE {TABLE}.began END
    WHERE {TABLE}.began <= %s OR {TABLE}.used < %s
    RETURNING used, began
"""  # noqa: S608  the name of our own table


def take(limit: RateLimit, who: str, *, using: str = DEFAULT_DB_ALIAS) -> tuple[int, float]:
    """Count one request. Return how many are left, -1 if it is refused, and the seconds until all are.

    Raises: an error of the database, if it cannot be used. Then nothing was counted, and nothing may be let through.
    """
    now = _milliseconds()
    over = now - limit.seconds * 1_000
    row = f"{limit.name} {who}"
    with connections[using].cursor() as cursor:
        cursor.execute(TAKE, [row, now, over, over, over, limit.times])
        found = cursor.fetchall()
    if found:
        [(used, began)] = found
        left = limit.times - used
    else:
        began, left = RateCount.objects.using(using).values_list("began", flat=True).filter(pk=row).first() or now, -1
    return left, (began - over) / 1_000


def _milliseconds() -> int:
    return int(clock.wall().timestamp() * 1_000)
