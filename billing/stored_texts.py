"""Texts that are here already and that the gate would refuse now: a finding tells of each row. Nothing is held up.

They were adopted from Stripe, or typed before the gate had its present rules. A person looks at them: a rule can be
wrong. The finding names the columns and what they seem to contain, and never repeats a text.
"""

import hashlib
from datetime import timedelta

from django.db.models import F
from django.db.models.lookups import Exact

from billing import clock, jobs
from billing.batches import each
from billing.findings import JUDGED, TEXT, Judged, report, texts_of
from billing.models import Office
from billing.text import fields

SLICES = 24
"""One slice of all rows is judged each hour, so that each row is judged once a day."""


@jobs.job("judge-stored-texts", every=timedelta(hours=1))
def judge_some() -> None:
    """Judge the rows whose number belongs to this hour. Repeating is safe."""
    judge_slice(clock.wall().hour)


def judge_slice(number: int) -> None:
    for model in JUDGED:
        rows = model._default_manager.filter(Exact(F("id") % SLICES, number))
        for row in each(rows):
            tell(row)


def tell(row: Judged) -> None:
    """Report a finding if a text of this row seems to be about a patient."""
    texts = texts_of(row)
    wrong = fields.wrong(type(row).__name__, texts)
    if not wrong:
        return
    found = " and ".join(f"the {name} seems to contain {what}" for name, what in wrong.items())
    report(
        TEXT,
        str(row.public_id),
        office=row if isinstance(row, Office) else None,
        detail=f"{type(row).__name__} {row.public_id}: {found}. Look at it. If it is about a patient, "
        "change it here and at Stripe, and tell whoever handles such incidents. If it is not, close this.",
        facts=hashlib.sha256(repr(texts).encode()).hexdigest(),
    )
