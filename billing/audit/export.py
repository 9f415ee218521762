"""Exports of the trail, with the proof that they are what was sealed. Whoever gets one verifies it without us.

A zip of four files: entries.jsonl (each entry's leaf and its proof), entries.csv (the same to read), proof.json (the
signed head) and verify.py.
"""

import csv
import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet

from billing.audit import keys, leaves, seals, trail, verifier
from billing.audit.actor import Actor
from billing.audit.merkle import Levels
from billing.models import AuditEntry, AuditSeal, Office, SealedEntry, StripeAccount

BATCH = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(
    file: IO[bytes],
    *,
    by: Actor,
    reason: str,
    office: Office | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    earlier_sizes: tuple[int, ...] = (),
) -> int:
    """Write the entries of an Office, or of all, from ``since`` on and before ``until``. Return how many.

    That somebody exports them is on record first: without that entry there is no export. ``earlier_sizes`` are the
    sizes of heads that somebody kept, for which a proof of consistency is added.
    """
    with trail.acting(by, reason=reason, office=office):
        trail.record_act(
            office or _account(), f"exported the audit trail {_range(since, until)}".strip(), office=office
        )
    entries = AuditEntry.objects.order_by("pk")
    if office:
        entries = entries.filter(office=office)
    if since:
        entries = entries.filter(timestamp__gte=since)
    if until:
        entries = entries.filter(timestamp__lt=until)
    head = AuditSeal.objects.first()
    tree = _tree(head)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        sealed, waiting = _write_entries(archive, entries, head, tree)
        proof = {
            "head": seals.head_of(head) if head else None,
            "keys": {name: key.hex() for name, key in keys.public_keys().items()},
            "consistency": {str(size): [one.hex() for one in tree.consistency(size)] for size in earlier_sizes},
            "sealed": sealed,
            "waiting": waiting,
        }
        archive.writestr("proof.json", json.dumps(proof, indent=1))
        archive.writestr("verify.py", Path(verifier.__file__).read_text())
    return sealed + waiting


def _tree(head: AuditSeal | None) -> Levels:
    found = SealedEntry.objects.filter(position__lt=head.size if head else 0).order_by("position")
    return Levels([bytes.fromhex(leaf) for leaf in found.values_list("leaf", flat=True).iterator(BATCH)])


def _write_entries(
    archive: zipfile.ZipFile, entries: QuerySet[AuditEntry], head: AuditSeal | None, tree: Levels
) -> tuple[int, int]:
    table = io.StringIO()
    columns = csv.writer(table)
    columns.writerow(["entry", "position", *leaves.COLUMNS])
    sealed = waiting = 0
    with archive.open("entries.jsonl", "w") as lines:
        for batch in _batches(entries):
            places = dict(
                SealedEntry.objects.filter(
                    entry__in=[number for number, *_ in batch], position__lt=_size(head)
                ).values_list("entry", "position")
            )
            for number, *values in batch:
                position = places.get(number)
                line: dict[str, Any] = {"entry": number, "position": position, "leaf": leaves.leaf(values).decode()}
                if position is not None:
                    line["proof"] = [one.hex() for one in tree.inclusion(position)]
                lines.write(json.dumps(line).encode() + b"\n")
                columns.writerow([number, "" if position is None else position, *map(_harmless, values)])
                sealed, waiting = sealed + (position is not None), waiting + (position is None)
    archive.writestr("entries.csv", table.getvalue())
    return sealed, waiting


def _batches(entries: QuerySet[AuditEntry]) -> Any:
    rows, last = entries.values_list("pk", *leaves.COLUMNS), 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1][0]


def _size(head: AuditSeal | None) -> int:
    return head.size if head else 0


def _harmless(value: Any) -> Any:
    """Return the value as text that no program for tables takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _range(since: datetime | None, until: datetime | None) -> str:
    return " ".join(
        f"{word} {moment:%Y-%m-%d %H:%M} UTC" for word, moment in (("from", since), ("to", until)) if moment
    )


def _account() -> StripeAccount:
    return StripeAccount.objects.first() or StripeAccount(pk=1, account_id="no account yet", livemode=False)
