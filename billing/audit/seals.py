"""Sealing the trail: each minute, what was written since joins one tree, and the tree's new head is signed.

Nothing of the tree has to be read again: a seal keeps what the tree grows from. Two workers never seal the same place,
because a place and a seal's number exist once.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from billing import clock
from billing.audit import keys, leaves
from billing.audit.merkle import Tree, leaf_hash
from billing.models import AuditEntry, AuditSeal, SealedEntry

MOST_TOGETHER = 2000
LATE = timedelta(minutes=15)
"""An entry can be committed after a later one was sealed: its transaction took that long at most."""


def is_sealed() -> Exists:
    """Return the condition for entries that have a place in the tree."""
    return Exists(SealedEntry.objects.filter(entry=OuterRef("pk")))


def waiting(now: datetime) -> QuerySet[AuditEntry]:
    """Return the entries that the next seals take, in the order of their numbers."""
    return AuditEntry.objects.filter(~is_sealed(), pk__gt=settled_until(now)).order_by("pk")


def settled_until(now: datetime) -> int:
    """Return the number up to which everything was committed when it was sealed. No entry may come there any more."""
    last = AuditSeal.objects.first()
    if last is None:
        return 0
    old = AuditEntry.objects.filter(pk__lte=last.highest_entry, timestamp__lt=now - LATE)
    return old.order_by("-pk").values_list("pk", flat=True).first() or 0


def seal() -> list[AuditEntry]:
    """Seal up to ``MOST_TOGETHER`` waiting entries, and return them."""
    now = clock.wall()
    with transaction.atomic(durable=True):
        last = AuditSeal.objects.select_for_update().first()
        batch = list(waiting(now)[:MOST_TOGETHER])
        made = _added(batch, last, now) if batch else None
    if made and settings.AUDIT_HEADS_FILE:  # should be where the database's owner cannot change it
        with Path(settings.AUDIT_HEADS_FILE).open("a") as file:
            file.write(json.dumps(head_of(made), sort_keys=True) + "\n")
    return batch


def message(*, number: int, size: int, root: str, sealed_at: datetime) -> bytes:
    """Return what is signed: one line of JSON with sorted keys and no blanks."""
    head = {
        "head": "office-billing-audit-1",
        "number": number,
        "size": size,
        "root": root,
        "sealed_at": sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
    }
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def head_of(seal: AuditSeal) -> dict[str, Any]:
    """Return the signed head as it is exported and kept elsewhere."""
    signed = message(number=seal.number, size=seal.size, root=seal.root, sealed_at=seal.sealed_at)
    return {**json.loads(signed), "key": seal.key, "signature": seal.signature}


def _added(batch: list[AuditEntry], last: AuditSeal | None, now: datetime) -> AuditSeal:
    tree = Tree(last.size, map(bytes.fromhex, last.peaks)) if last else Tree()
    number, begin = (last.number + 1 if last else 1), tree.size
    hashes = [leaf_hash(leaves.of(entry)) for entry in batch]
    for one in hashes:
        tree.add(one)
    root, highest = tree.root().hex(), max(batch[-1].pk, last.highest_entry if last else 0)
    key, signature = keys.sign(message(number=number, size=tree.size, root=root, sealed_at=now))
    made = AuditSeal.objects.create(
        number=number,
        size=tree.size,
        root=root,
        peaks=[peak.hex() for peak in tree.peaks],
        highest_entry=highest,
        sealed_at=now,
        key=key,
        signature=signature,
    )
    SealedEntry.objects.bulk_create(
        SealedEntry(position=begin + place, entry=entry.pk, seal=made, leaf=one.hex())
        for place, (entry, one) in enumerate(zip(batch, hashes, strict=True))
    )
    return made
