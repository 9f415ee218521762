"""Verifying the trail: every entry is still what was sealed, at its place, and nothing is missing or was put in.

What it cannot find: an entry that was deleted before it was sealed, and a trail that a holder of the private key signed
anew. A tail that was cut off, and a trail that was replaced as a whole, are found by a head that was kept elsewhere.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from billing import clock
from billing.audit import append_only, keys, leaves, seals
from billing.audit.merkle import Tree, leaf_hash
from billing.models import AuditEntry, AuditSeal, SealedEntry

BATCH = 5000
AT = leaves.COLUMNS.index("timestamp")
OLD_VERSION_MAY_WRITE = timedelta(days=1)
"""After the first seal, entries without a mark of our key are accepted so long: the version before wrote them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, with the entry or the seal that it is wrong with."""

    what: str
    entry: int | None = None
    seal: int | None = None

    def __str__(self) -> str:
        about = f"entry {self.entry}" if self.entry else f"seal {self.seal}" if self.seal else ""
        return f"{about}: {self.what}" if about else self.what


@dataclass(slots=True)
class Found:
    """``last_good`` is the last entry before the first fault, in the order of the tree."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    last_good: int | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(*, tell: Callable[[int, int], None] = lambda done, of: None, most: int = 20) -> Found:
    """Verify the whole trail. It stops at ``most`` faults. ``tell`` is called now and then with the progress."""
    found = Found()
    _verify_tree(found, tell, most)
    _verify_unsealed(found)
    found.faults += [
        Fault(f"the protection {name} of the tables is missing") for name in append_only.faults(connection)
    ]
    found.faults += _contradicted_by_kept_heads()
    return found


def _verify_tree(found: Found, tell: Callable[[int, int], None], most: int) -> None:
    """Build the tree again, place by place, and hold it against each signed head."""
    total, tree, heads = SealedEntry.objects.count(), Tree(), _heads(found)
    head = first = next(heads, None)
    is_as_signed = True
    for batch in _sealed():
        entries = _entries([entry for _, entry, _ in batch])
        for position, entry, stored in batch:
            if position != tree.size:
                found.faults.append(Fault(f"place {tree.size} of the tree is missing before it", entry=entry))
                return
            may_be_old = bool(head and first and head.sealed_at < first.sealed_at + OLD_VERSION_MAY_WRITE)
            if wrong := _what_is_wrong(entries.get(entry), stored, without_mac=may_be_old):
                found.faults.append(Fault(wrong, entry=entry))
            tree.add(bytes.fromhex(stored))
            while head is not None and head.size == tree.size:
                if is_as_signed and head.root != tree.root().hex():
                    found.faults.append(Fault("the tree has another root than the signed one", seal=head.number))
                    is_as_signed = False
                head = next(heads, None)
            found.entries += 1
            if not found.faults:
                found.last_good = entry
            if len(found.faults) >= most:
                return
        tell(found.entries, total)
    if head is not None:
        found.faults.append(Fault(f"its entries from place {tree.size} on are missing", seal=head.number))


def _what_is_wrong(values: tuple[Any, ...] | None, stored: str, *, without_mac: bool) -> str:
    """Return what is wrong with an entry (the columns of its leaf, and the MAC) for which the tree has this hash."""
    if values is None:
        return "is missing"
    *columns, mac = values
    leaf = leaves.leaf(columns)
    if leaf_hash(leaf).hex() != stored:
        return "was changed after it was sealed, or is at another place"
    if not leaves.has_right_mac(leaf, mac) and (mac or not without_mac):
        return "was not written by this software"
    return ""


def _heads(found: Found) -> Iterator[AuditSeal]:
    """Yield the seals in order. A gap, a wrong signature or a head that shrinks is a fault."""
    number = size = 0
    sealed_at: datetime | None = None
    for seal in AuditSeal.objects.order_by("number").iterator(1000):
        found.seals += 1
        message = seals.message(number=seal.number, size=seal.size, root=seal.root, sealed_at=seal.sealed_at)
        if seal.number != number + 1:
            found.faults.append(Fault(f"seal {number + 1} is missing", seal=seal.number))
        if seal.size <= size or (sealed_at and seal.sealed_at < sealed_at):
            found.faults.append(Fault("is not after the seal before it", seal=seal.number))
        if not keys.is_signed(message, key=seal.key, signature=seal.signature):
            found.faults.append(Fault("its signature is not by a key of ours", seal=seal.number))
        number, size, sealed_at = seal.number, seal.size, seal.sealed_at
        yield seal


def _sealed() -> Iterator[list[tuple[int, int, str]]]:
    """Yield what the tree says of its places, in their order: place, entry, and hash."""
    rows = SealedEntry.objects.order_by("position").values_list("position", "entry", "leaf")
    after = -1
    while batch := list(rows.filter(position__gt=after)[:BATCH]):
        yield batch
        after = batch[-1][0]


def _entries(wanted: Iterable[int]) -> dict[int, tuple[Any, ...]]:
    """Return the values of entries by number: the columns of a leaf, and the MAC."""
    numbers = sorted(wanted)
    rows = AuditEntry.objects.order_by().values_list("pk", *leaves.COLUMNS, "mac")
    near = [number for number in numbers if number - numbers[0] < 2 * BATCH]  # those committed late are far away
    found = {row[0]: row[1:] for row in rows.filter(pk__gte=near[0], pk__lte=near[-1])}
    if far := [number for number in numbers if number not in found]:
        found |= {row[0]: row[1:] for row in rows.filter(pk__in=far[:BATCH])}
    return found


def _verify_unsealed(found: Found) -> None:
    """Entries that wait for a seal are new, and written by this software."""
    settled, has_seals = seals.settled_until(clock.wall()), AuditSeal.objects.exists()
    rows = AuditEntry.objects.filter(~seals.is_sealed()).order_by("pk").values_list("pk", *leaves.COLUMNS, "mac")
    for number, *values, mac in rows.iterator(BATCH):
        found.unsealed += 1
        found.oldest_unsealed = min(found.oldest_unsealed or values[AT], values[AT])
        if number <= settled:
            found.faults.append(Fault("came after later entries were sealed, so it was put in", entry=number))
        elif has_seals and not leaves.has_right_mac(leaves.leaf(values), mac):
            found.faults.append(Fault("was not written by this software", entry=number))


def _contradicted_by_kept_heads() -> Iterator[Fault]:
    """Yield a fault for each head in AUDIT_HEADS_FILE that the database has no more, or has with another root."""
    if not settings.AUDIT_HEADS_FILE or not Path(settings.AUDIT_HEADS_FILE).exists():
        return
    kept = {seal.number: seal for seal in AuditSeal.objects.all()}
    for line in Path(settings.AUDIT_HEADS_FILE).read_text().splitlines():
        head = json.loads(line)
        here = kept.get(head["number"])
        if here is None:
            yield Fault("is kept elsewhere, and is not here: the end of the trail was cut off", seal=head["number"])
        elif seals.head_of(here) != head:
            yield Fault("is kept elsewhere with other values: the trail was replaced", seal=head["number"])
