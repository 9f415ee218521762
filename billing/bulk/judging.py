"""Of which of the chosen Offices a bulk act can be done, and why not of the others. Nothing is changed here."""

import hashlib
import json
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

    @property
    def seen(self) -> str:
        """Return what tells these amounts apart from others: a person confirms what they have seen, and no more.

        It is "" for a kind that stores nothing of an Office.
        """
        own = sorted((office.pk, json.dumps(own, sort_keys=True)) for office, own in self.can if own)
        return hashlib.sha256(repr(own).encode()).hexdigest() if own else ""


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
