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
from billing.audit import keys, leaves, tiles
from billing.audit.merkle import Tree, leaf_hash
from billing.models import AuditEntry, AuditSeal, SealedEntry

MOST_TOGETHER = 250
"""One seal is one transaction. In a database file, other writers wait until it ends. So it is short."""
LATE = timedelta(minutes=15)
"""An entry can be committed after a later one was sealed: its transaction took that long at most."""


def is_sealed() -> Exists:
    """Return the condition for entries that have a place in the tree."""
    return Exists(SealedEntry.objects.filter(entry=OuterRef("pk")))


def waiting(*, using: str = "default") -> QuerySet[AuditEntry]:
    """Return the entries that the next seals take, in the order of their numbers."""
    return AuditEntry.objects.using(using).filter(~is_sealed(), pk__gt=settled_until(using=using)).order_by("pk")


def settled_until(*, using: str = "default") -> int:
    """Return the number up to which everything was committed when it was sealed. No entry may come there any more."""
    seals = AuditSeal.objects.using(using)
    last = seals.first()
    old = seals.filter(sealed_at__lt=last.sealed_at - LATE).first() if last else None
    return old.highest_entry if old else 0


def seal() -> list[AuditEntry]:
    """Seal up to ``MOST_TOGETHER`` waiting entries, and return them."""
    with transaction.atomic(durable=True):
        batch, made = add_waiting()
    keep_elsewhere(made)
    return batch


def add_waiting() -> tuple[list[AuditEntry], AuditSeal | None]:
    """Do that inside a transaction. Call ``keep_elsewhere`` once it is committed."""
    last = AuditSeal.objects.first()  # not locked: PostgreSQL would want the right to change it for that
    batch = list(waiting()[:MOST_TOGETHER])
    return batch, _added(batch, last, clock.wall()) if batch else None


def keep_elsewhere(made: AuditSeal | None) -> None:
    """Append the signed head to AUDIT_HEADS_FILE, which should be where the database's owner cannot change it."""
    if made and settings.AUDIT_HEADS_FILE:
        with Path(settings.AUDIT_HEADS_FILE).open("a") as file:
            file.write(json.dumps(head_of(made), sort_keys=True) + "\n")


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
    tiles.store(tree.filled)
    return made
