"""The parts by which Offices and people are found are written where they are not those of the name and the address.

Saving a row writes its parts. What is mended here was written past that: before there were parts, by the version
before, which may run for some minutes beside this one, or by an older rule.
"""

import time
from datetime import timedelta
from typing import Any

from django.db import transaction

from billing import jobs
from billing.models import Office, User
from billing.models.searched import Searched, made_of, write_parts

SEARCHED: tuple[type[Searched], ...] = (Office, User)
AT_A_TIME = 200
PAUSE_SECONDS = 0.05
"""Between two transactions, so that others can write: a database file has one writer at a time."""
READ_AT_A_TIME = 5_000
AT_MOST = 4_000
"""Rows that one job mends; it is due again at once where there are more."""


@jobs.job("search-parts", every=timedelta(hours=1))
def write_some() -> bool:
    """Mend as many as one job may. Return whether there may be more."""
    return sum(mend(model, at_most=AT_MOST) for model in SEARCHED) >= AT_MOST


def write_all(*, using: str) -> int:
    """Mend all. Return how many there were. Repeating is a no-op."""
    return sum(mend(model, using=using) for model in SEARCHED)


def mend(model: type[Searched], *, at_most: int | None = None, using: str = "default") -> int:
    """Write the parts where it is needed, of a few rows in each transaction. Return how many rows that were.

    All names are read, as no database can say whose parts are wrong. No audit entry: no name changes.
    """
    rows = model._default_manager.using(using).order_by("pk")
    wrong, last, more = list[int](), 0, True
    while more and (at_most is None or len(wrong) < at_most):
        read = list(rows.filter(pk__gt=last).values_list("pk", "name", model.ADDRESS, "searched_as")[:READ_AT_A_TIME])
        wrong += [pk for pk, name, address, made in read if made != made_of(name, address or "")]
        more = len(read) == READ_AT_A_TIME
        last = read[-1][0] if read else last
    wrong = wrong[:at_most]
    for start in range(0, len(wrong), AT_A_TIME):
        if start:
            time.sleep(PAUSE_SECONDS)
        with transaction.atomic(using=using):
            locked = rows.select_for_update(no_key=True).filter(pk__in=wrong[start : start + AT_A_TIME])
            found: list[Any] = list(locked.only("name", model.ADDRESS))
            for row in found:
                row.searched_as = made_of(row.name, getattr(row, model.ADDRESS) or "")
            write_parts(found, using=using)
            rows.bulk_update(found, ["searched_as"])
    return len(wrong)
