"""Verifying the trail: every entry is still what was sealed, at its place, and nothing is missing or was put in.

A database that was restored from a backup has a gap, which is named and is no fault (``restored``).

What it cannot find: an entry that was deleted before it was sealed, and a trail that a holder of the private key signed
anew. A tail that was cut off, and a trail that was replaced as a whole, are found by a head that was kept elsewhere.
"""

import contextlib
import gc
import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from billing.audit import append_only, keys, leaves, restored, retiring, seals
from billing.audit.merkle import Tree, leaf_hash
from billing.models import AuditEntry, AuditSeal, SealedEntry, SealedTile

BATCH = 500
"""Few at once: Python looks again and again at what is in memory."""
HEADS_AT_ONCE = 500
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
    """``last_good`` is the last entry before the first fault, in the order of the tree. ``last_seal`` is its seal."""

    entries: int = 0
    seals: int = 0
    retired: int = 0
    unsealed: int = 0
    oldest_unsealed: datetime | None = None
    last_good: int | None = None
    last_seal: int = 0
    is_at_end: bool = True
    faults: list[Fault] = field(default_factory=list)
    gaps: list[restored.Gap] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.faults


def verify(
    *, tell: Callable[[int, int], None] = lambda done, of: None, most: int = 20, after: int = 0, at_most: int = 0
) -> Found:
    """Verify the whole trail. It stops at ``most`` faults. ``tell`` is called now and then with the progress.

    With ``after``, what that seal and those before it hold is taken for good. With ``at_most``, it stops at the first
    seal after so many entries, and what was not sealed waits until it comes to the end.
    """
    found = Found(last_seal=after)
    with _without_collector():
        _verify_tree(found, tell, most, after, at_most)
    if found.is_at_end:
        _verify_unsealed(found)
        found.faults += [
            Fault(f"the protection {name} of the tables is missing") for name in append_only.faults(connection)
        ]
        found.gaps = list(restored.gaps())
        found.faults += _contradicted_by_kept_heads(found.gaps)
    return found


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Let Python look for no circles, which rows do not make: it would take half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _verify_tree(found: Found, tell: Callable[[int, int], None], most: int, after: int, at_most: int) -> None:
    """Build the tree again, place by place, and hold it against each signed head."""
    total, retired = SealedEntry.objects.count() if not after else 0, retiring.retired_size()
    first = AuditSeal.objects.order_by("number").first()
    begin = AuditSeal.objects.filter(number=after).first()
    after = begin.number if begin else 0
    tree = Tree(begin.size, map(bytes.fromhex, begin.peaks)) if begin else Tree()
    heads = _heads(found, max(after - 1, 0))
    head = next(heads, None)
    if begin and (head is None or tree.root().hex() != head.root):
        found.faults.append(Fault("the tree does not grow from its root", seal=after))
        return
    head = next(heads, None) if begin else head
    is_as_signed = True
    for batch in _sealed(tree.size):
        entries = _entries([entry for _, entry, _ in batch])
        for position, entry, stored in batch:
            if position != tree.size:
                found.faults.append(Fault(f"place {tree.size} of the tree is missing before it", entry=entry))
                return
            may_be_old = bool(head and old_version_may_write(head.sealed_at, first))
            if position < retired and entry not in entries:
                found.retired += 1
            elif wrong := _what_is_wrong(entries.get(entry), stored, without_mac=may_be_old):
                found.faults.append(Fault(wrong, entry=entry))
            tree.add(bytes.fromhex(stored))
            found.entries += 1
            if not found.faults:
                found.last_good = entry
            while head is not None and head.size == tree.size:
                if is_as_signed and head.root != tree.root().hex():
                    found.faults.append(Fault("the tree has another root than the signed one", seal=head.number))
                    is_as_signed = False
                if not found.faults:
                    found.last_seal = head.number
                head = next(heads, None)
                if at_most and found.entries >= at_most and head is not None:
                    found.is_at_end = False
                    return
            if len(found.faults) >= most:
                return
        found.faults += _wrong_tiles(tree)
        tell(found.entries, total)
    if head is not None:
        found.faults.append(Fault(f"its entries from place {tree.size} on are missing", seal=head.number))


def old_version_may_write(at: datetime, first: AuditSeal | None = None) -> bool:
    """Return whether an entry that is sealed at this moment may have no mark. ``first`` is the first seal, if known."""
    first = first or AuditSeal.objects.order_by("number").first()
    return first is None or at < first.sealed_at + OLD_VERSION_MAY_WRITE


def _wrong_tiles(tree: Tree) -> list[Fault]:
    """Return the stored tiles that are not what the tree just filled. Exports are proven with them."""
    right = {(height, place): root.hex() for height, place, root in tree.filled}
    tree.filled = []
    rows = SealedTile.objects.filter(place__in={place for _, place in right}).order_by("height", "place")
    stored = rows.values_list("height", "place", "root") if right else ()
    return [
        Fault(f"the stored tile {height}/{place} is not that of its entries: delete it, and it is made again")
        for height, place, root in stored
        if right.get((height, place), root) != root
    ]


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


def _heads(found: Found, after: int) -> Iterator[AuditSeal]:
    """Yield the seals after this one, in order. A gap, a wrong signature or a head that shrinks is a fault."""
    number, size = after, 0
    sealed_at: datetime | None = None
    for seal in _in_batches(AuditSeal.objects.order_by("number"), lambda seal: seal.number, after):
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


def _in_batches(rows: QuerySet[Any], key: Callable[[Any], int], after: int) -> Iterator[Any]:
    """Yield the rows whose primary key comes after this one. A cursor of the server would need a session of its own."""
    while batch := list(rows.filter(pk__gt=after)[:BATCH]):
        yield from batch
        after = key(batch[-1])


def _sealed(begin: int) -> Iterator[list[tuple[int, int, str]]]:
    """Yield what the tree says of its places from this one on, in their order: place, entry, and hash."""
    rows = SealedEntry.objects.order_by("position").values_list("position", "entry", "leaf")
    while batch := list(rows.filter(position__gte=begin)[:BATCH]):
        yield batch
        begin = batch[-1][0] + 1


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
    settled, has_seals = seals.settled_until(), AuditSeal.objects.exists()
    rows = AuditEntry.objects.filter(~seals.is_sealed()).order_by("pk").values_list("pk", *leaves.COLUMNS, "mac")
    for number, *values, mac in _in_batches(rows, lambda row: row[0], 0):
        found.unsealed += 1
        found.oldest_unsealed = min(found.oldest_unsealed or values[AT], values[AT])
        if number <= settled:
            found.faults.append(Fault("came after later entries were sealed, so it was put in", entry=number))
        elif has_seals and not leaves.has_right_mac(leaves.leaf(values), mac):
            found.faults.append(Fault("was not written by this software", entry=number))


def _contradicted_by_kept_heads(gaps: list[restored.Gap]) -> Iterator[Fault]:
    """Yield a fault for each head in AUDIT_HEADS_FILE that the database has no more, or has with another root.

    A head that was lost in one of the gaps is no fault.
    """
    if not settings.AUDIT_HEADS_FILE or not Path(settings.AUDIT_HEADS_FILE).exists():
        return
    with Path(settings.AUDIT_HEADS_FILE).open() as lines:
        while heads := [json.loads(line) for line in itertools.islice(lines, HEADS_AT_ONCE)]:
            here = AuditSeal.objects.in_bulk([head["number"] for head in heads])
            for head in heads:
                if any(gap.has(head) for gap in gaps):
                    continue
                if head["number"] not in here:
                    yield Fault(
                        "is kept elsewhere, and is not here: the end of the trail was cut off", seal=head["number"]
                    )
                elif seals.head_of(here[head["number"]]) != head:
                    yield Fault("is kept elsewhere with other values: the trail was replaced", seal=head["number"])
