"""Of which of the chosen Offices a bulk act can be done, and why not of the others. Nothing is changed here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing.bulk.kinds import BulkKind, Cannot
from billing.models import Office


@dataclass(frozen=True, slots=True)
class Judged:
    """``can`` has what is stored for each Office, ``cannot`` why it is left out. Both in the order of the Offices."""

    can: list[tuple[Office, dict[str, Any]]]
    cannot: list[tuple[Office, str]]


def judge(kind: BulkKind, offices: Sequence[Office], given: Mapping[str, Any]) -> Judged:
    found = kind.judge(offices, given)
    judged = Judged([], [])
    for office in offices:
        one = found[office.pk]
        if isinstance(one, Cannot):
            judged.cannot.append((office, one.why))
        else:
            judged.can.append((office, one))
    return judged
