"""Exports of the trail, with the proof that they are what was sealed. Whoever gets one verifies it without us.

As lines of JSON: the proof (the signed head), each entry's leaf and its way to that head, and how many there were. Or
as a zip of four files: entries.jsonl, entries.csv (the same to read), proof.json and verify.py.
"""

import csv
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet

from billing import spreadsheets
from billing.audit import keys, leaves, seals, search, tiles, trail, verifier
from billing.audit.actor import Actor
from billing.audit.merkle import Tiles, leaf_hash
from billing.models import AuditEntry, AuditSeal, Office, SealedEntry

BATCH = 2000
ACTOR = leaves.COLUMNS.index("actor_id")
CONTENT_TYPE = "application/jsonl"
HEADERS = {"Content-Type": CONTENT_TYPE, "Content-Disposition": 'attachment; filename="audit-trail.jsonl"'}


@dataclass(frozen=True, slots=True)
class Which:
    """The entries of an Office, or of all, from ``since`` on and before ``until``.

    ``earlier_sizes`` are the sizes of heads that somebody kept, for which a proof of consistency is added. With
    ``for_office``, an entry of somebody else than the Office's own people has no values, only its hash and its proof:
    the vendor's people are not named to an Office.
    """

    office: Office | None = None
    since: datetime | None = None
    until: datetime | None = None
    earlier_sizes: tuple[int, ...] = ()
    for_office: bool = False

    def entries(self) -> QuerySet[AuditEntry]:
        found = AuditEntry.objects.order_by("pk")
        if self.office:
            found = found.filter(office=self.office)
        if self.since:
            found = found.filter(timestamp__gte=self.since)
        if self.until:
            found = found.filter(timestamp__lt=self.until)
        return found

    def __str__(self) -> str:
        times = (("from", self.since), ("to", self.until))
        return " ".join(f"{word} {moment:%Y-%m-%d %H:%M} UTC" for word, moment in times if moment)


class Export:
    """What is exported. That somebody exports it is on record first: without that entry there is no export.

    Raises: ReasonRequired, TextNotNeutral.
    """

    def __init__(self, which: Which, *, by: Actor, reason: str) -> None:
        with trail.acting(by, reason=trail.checked_reason(reason), office=which.office):
            about, what = which.office or trail.installation(), f"exported the audit trail {which}".strip()
            trail.record_act(about, what, office=which.office, data={"code": search.EXPORTED})
        self.which = which
        self.last = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
        self.head = AuditSeal.objects.first()
        self.tree = Tiles(self.head.size if self.head else 0, tiles.read)
        self.sealed = self.waiting = 0

    def proof(self) -> dict[str, Any]:
        """Return the signed head, our public keys, and that the heads somebody kept are its beginning."""
        sizes = [size for size in self.which.earlier_sizes if 0 < size <= self.tree.size]
        return {
            "head": seals.head_of(self.head) if self.head else None,
            "keys": {name: key.hex() for name, key in keys.public_keys().items()},
            "consistency": {str(size): [one.hex() for one in self.tree.consistency(size)] for size in sizes},
        }

    def counts(self) -> dict[str, int]:
        """Return how many entries there were. Ask when all are out."""
        return {"sealed": self.sealed, "waiting": self.waiting}

    def entries(self) -> Iterator[tuple[dict[str, Any], list[Any] | None]]:
        """Yield each entry with its proof, and its values: None if they are not for whoever gets it."""
        for batch in self._batches():
            numbers = [number for number, *_ in batch]
            sealed = SealedEntry.objects.filter(entry__in=numbers, position__lt=self.tree.size)
            places = dict(sealed.values_list("entry", "position"))
            own = self._own_people({values[ACTOR] for _, *values in batch})
            for number, *values in batch:
                position, leaf = places.get(number), leaves.leaf(values)
                is_open = not self.which.for_office or values[ACTOR] in own
                line: dict[str, Any] = {"entry": number, "position": position}
                line |= {"leaf": leaf.decode()} if is_open else {"hash": leaf_hash(leaf).hex()}
                if position is not None:
                    line["proof"] = [one.hex() for one in self.tree.inclusion(position)]
                self.sealed, self.waiting = self.sealed + (position is not None), self.waiting + (position is None)
                yield line, values if is_open else None

    def lines(self) -> Iterator[bytes]:
        """Yield lines of JSON: the proof, the entries, and how many there were, without which it is not complete."""
        yield _line(self.proof())
        for line, _ in self.entries():
            yield _line(line)
        yield _line(self.counts())

    def _batches(self) -> Iterator[list[tuple[Any, ...]]]:
        rows, after = self.which.entries().filter(pk__lte=self.last).values_list("pk", *leaves.COLUMNS), 0
        while batch := list(rows.filter(pk__gt=after)[:BATCH]):
            yield batch
            after = batch[-1][0]

    def _own_people(self, actors: set[int | None]) -> set[int]:
        """Return which of these people are the Office's own."""
        if not self.which.for_office or self.which.office is None:
            return set()
        found = search.own_people(self.which.office).filter(pk__in=actors - {None})
        return set(found.values_list("pk", flat=True))


def export(file: IO[bytes], which: Which, *, by: Actor, reason: str) -> int:
    """Write it as a zip. Return how many entries that were."""
    made = Export(which, by=by, reason=reason)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, tempfile.TemporaryFile("w+") as table:
        columns = csv.writer(table)
        columns.writerow(["entry", "position", *leaves.COLUMNS])
        with archive.open("entries.jsonl", "w", force_zip64=True) as lines:
            for line, values in made.entries():
                lines.write(_line(line))
                position = "" if line["position"] is None else line["position"]
                columns.writerow([line["entry"], position, *map(spreadsheets.harmless, values or [])])
        table.seek(0)
        with archive.open("entries.csv", "w", force_zip64=True) as copy:
            for text in table:
                copy.write(text.encode())
        archive.writestr("proof.json", json.dumps(made.proof() | made.counts(), indent=1))
        archive.writestr("verify.py", Path(verifier.__file__).read_text())
    return made.sealed + made.waiting


def _line(given: dict[str, Any]) -> bytes:
    return json.dumps(given).encode() + b"\n"
