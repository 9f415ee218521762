"""Gaps: a database was restored from a backup, so the trail goes on from there, and what came after it is lost.

``record`` writes an act that names the last entry and the last seal of the backup. Verification reads these acts: a
head that was kept elsewhere and is of a gap was lost with the old database, and is named as that and not as a fault. An
act counts only if this software wrote it, and if the seal that it names is there and the same.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from billing.audit import keys, leaves, seals, trail
from billing.models import AuditSeal, Hold, StripeAccount

RECORD = "restored"


@dataclass(frozen=True, slots=True)
class Gap:
    """``entry`` and ``seal`` are the last ones that were restored. ``record`` is the entry that names them.

    ``lost`` is how many sealed entries are lost at least, or None if no head that was kept elsewhere says it.
    """

    record: int
    hold: int
    backup: str
    entry: int
    seal: int
    restored_at: datetime
    lost: int | None

    def __str__(self) -> str:
        lost = "It is not known how many" if self.lost is None else f"At least {self.lost:,}"
        return (
            f"entry {self.record}: restored from the backup {self.backup} at {self.restored_at:%Y-%m-%d %H:%M} UTC. "
            f"The last entry in it is {self.entry or 'none'}. {lost} later entries were lost"
        )

    def has(self, head: dict[str, Any]) -> bool:
        """Return whether this head, which was kept elsewhere, was lost with the old database."""
        return head["number"] > self.seal and datetime.fromisoformat(head["sealed_at"]) <= self.restored_at


def record(hold: Hold, *, restored_at: datetime, head: dict[str, Any] | None) -> Gap:
    """Record the gap before a hold, once, and return it. Call it inside ``trail.acting``.

    ``restored_at`` is of the wall clock. ``head`` is the newest head of the lost database that was kept elsewhere.
    """
    made = next((gap for gap in gaps() if gap.hold == hold.pk), None)
    if made:
        return made
    seal = AuditSeal.objects.filter(number=hold.seal).first()
    named = {
        "hold": hold.pk,
        "backup": hold.backup,
        "entry": hold.entry,
        "seal": hold.seal,
        "root": seal.root if seal else "",
        "restored_at": restored_at.isoformat(),
        "lost_head": head,
        "lost": head["size"] - (seal.size if seal else 0) if head else None,
    }
    what = f"{RECORD} from the backup {hold.backup}, whose last entry is {hold.entry}"
    trail.record_act(trail.installation(), what, data={RECORD: named})
    return next(gaps())


def gaps() -> Iterator[Gap]:
    """Yield the gaps that this software recorded, the newest first."""
    about = trail.acts_about(StripeAccount).filter(what__startswith=RECORD).order_by("-pk")
    for entry in about:
        named = (entry.additional_data or {}).get(RECORD)
        if named and leaves.has_right_mac(leaves.of(entry), entry.mac) and _is_here(named):
            restored_at = datetime.fromisoformat(named["restored_at"])
            yield Gap(
                record=entry.pk,
                hold=named["hold"],
                backup=named["backup"],
                entry=named["entry"],
                seal=named["seal"],
                restored_at=restored_at,
                lost=named["lost"],
            )


def newest_lost_head(hold: Hold, *, given: dict[str, Any] | None = None) -> dict[str, Any] | None:
    """Return the newest head after the restored one that was kept elsewhere: in AUDIT_HEADS_FILE, or the given one.

    A head that no key of ours signed does not count.
    """
    kept = [] if given is None else [given]
    if settings.AUDIT_HEADS_FILE and Path(settings.AUDIT_HEADS_FILE).exists():
        with Path(settings.AUDIT_HEADS_FILE).open() as lines:
            kept += [json.loads(line) for line in lines]
    return max((one for one in kept if one["number"] > hold.seal and is_signed(one)), key=_number, default=None)


def _number(head: dict[str, Any]) -> int:
    return int(head["number"])


def is_signed(head: dict[str, Any]) -> bool:
    """Return whether a key of ours signed this head, which somebody kept."""
    sealed_at = datetime.fromisoformat(head["sealed_at"])
    message = seals.message(number=head["number"], size=head["size"], root=head["root"], sealed_at=sealed_at)
    return keys.is_signed(message, key=head["key"], signature=head["signature"])


def _is_here(named: dict[str, Any]) -> bool:
    return not named["seal"] or AuditSeal.objects.filter(number=named["seal"], root=named["root"]).exists()
