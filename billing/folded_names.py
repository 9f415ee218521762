"""Folded names that are not what the rule makes of their names are written anew.

Saving a row folds its name. What is mended here was written past that: by the version before, which knows no folded
names and may run for some minutes beside this one; or by an older rule, as the letters that Python knows become more.
"""

import time
from datetime import timedelta
from typing import Any

from django.db import transaction

from billing import jobs
from billing.folding import fold
from billing.models import Office, Plan, User

NAMED: tuple[type[Office | Plan | User], ...] = (Office, Plan, User)
AT_A_TIME = 1_000
PAUSE_SECONDS = 0.1
"""Between two transactions, so that others can write: a database file has one writer at a time."""
READ_AT_A_TIME = 5_000
AT_MOST = 10_000
"""Rows that one job mends; it is due again at once where there are more."""


@jobs.job("fold-names", every=timedelta(hours=1))
def fold_some() -> bool:
    """Mend as many as one job may. Return whether there may be more."""
    return sum(mend(model, at_most=AT_MOST) for model in NAMED) >= AT_MOST


def fold_all(*, using: str) -> int:
    """Mend all. Return how many there were. Repeating is a no-op."""
    return sum(mend(model, using=using) for model in NAMED)


def mend(model: type[Office | Plan | User], *, at_most: int | None = None, using: str = "default") -> int:
    """Fold anew where it is needed, a few rows in each transaction. Return how many rows that were.

    All names are read, as no database can say which are folded wrongly. No audit entry: no name changes.
    """
    rows = model._default_manager.using(using).order_by("pk")
    wrong, last, more = list[int](), 0, True
    while more:
        read = list(rows.filter(pk__gt=last).values_list("pk", "name", "name_folded")[:READ_AT_A_TIME])
        wrong += [pk for pk, name, folded in read if folded != fold(name)]
        more = len(read) == READ_AT_A_TIME
        last = read[-1][0] if read else last
    wrong = wrong[:at_most]
    for start in range(0, len(wrong), AT_A_TIME):
        if start:
            time.sleep(PAUSE_SECONDS)
        with transaction.atomic(using=using):
            locked = rows.select_for_update(no_key=True).filter(pk__in=wrong[start : start + AT_A_TIME])
            found: list[Any] = list(locked.only("name"))
            for row in found:
                row.name_folded = fold(row.name)
            rows.bulk_update(found, ["name_folded"])
    return len(wrong)
