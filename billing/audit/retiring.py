"""Taking the oldest entries out of the trail, once they are older than the law asks for. The one way that there is.

Whole seals only, from the first one on. In one transaction the entries go, and the trail gets a record that names the
last of their seals, with its size and root, and is sealed itself. What the tree is made of stays: the seals, and the
hash of each entry at its place. So what is left is verified as before, exports can still be proven, and
``retired_size`` says which entries may be missing.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, models

from billing import clock
from billing.audit import append_only, leaves, seals, trail
from billing.audit.actor import Actor
from billing.audit.lives import EVIDENCE_YEARS
from billing.models import AuditEntry, AuditSeal, SealedEntry

KEPT_FOR = timedelta(days=366 * EVIDENCE_YEARS)
RECORD = "retired"


@dataclass(frozen=True, slots=True)
class Due:
    """The seals whose entries can be retired: from ``first`` to ``last``, which holds places ``begin`` to ``end``."""

    first: int
    last: AuditSeal
    begin: int

    @property
    def entries(self) -> int:
        return self.last.size - self.begin

    def __str__(self) -> str:
        return f"{RECORD} the entries of seals {self.first} to {self.last.number}: places {self.begin} to {self.end}"

    @property
    def end(self) -> int:
        return self.last.size - 1


def due() -> Due | None:
    """Return what can be retired now, or None."""
    before = retired_size()
    last = AuditSeal.objects.filter(sealed_at__lt=clock.wall() - KEPT_FOR, size__gt=before).first()
    if last is None:
        return None
    first = AuditSeal.objects.filter(size__gt=before).order_by("number")[0].number
    return Due(first, last, before)


def retire(what: Due, *, by: Actor, reason: str) -> AuditEntry:
    """Remove these entries, and return the record of it. Verify the trail first: a changed entry is evidence.

    Only the owner of the tables can do it, on PostgreSQL.
    Raises: ProgrammingError.
    """
    named = {RECORD: {"seal": what.last.number, "size": what.last.size, "root": what.last.root}}
    made = []
    with append_only.lifted(connection):
        with trail.acting(by, reason=reason):
            record = trail.record_act(what.last, str(what), data=named)
        numbers = SealedEntry.objects.filter(position__gte=what.begin, position__lt=what.last.size).values("entry")
        entries: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)
        entries.filter(pk__in=numbers)._raw_delete(entries.db)
        while not SealedEntry.objects.filter(entry=record.pk).exists():
            made.append(seals.add_waiting()[1])
    for seal in made:
        seals.keep_elsewhere(seal)
    return record


def retired_size() -> int:
    """Return how many entries from the first on may be missing: those that the newest valid record names.

    A record is valid if this software wrote it and if the seal that it names is there, the same and old enough.
    """
    about = trail.acts_about(AuditSeal).filter(what__startswith=RECORD).order_by("-pk")
    for entry in about:
        named = (entry.additional_data or {}).get(RECORD, {})
        old = AuditSeal.objects.filter(sealed_at__lt=clock.wall() - KEPT_FOR, number=named.get("seal")).first()
        is_same = old and (old.size, old.root) == (named.get("size"), named.get("root"))
        if old and is_same and leaves.has_right_mac(leaves.of(entry), entry.mac):
            return old.size
    return 0
