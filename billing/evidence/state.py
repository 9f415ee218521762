"""What this installation shows of itself: its trail, keys, determinations, findings and restore drills."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from billing import clock
from billing.audit import keys, lives, seals, verify
from billing.models import Agreement, AuditSeal, Backup, Finding, Hold

Rows = Iterator[dict[str, Any]]


def verification() -> Rows:
    """Yield what came of verifying the whole trail, which is done now, and each fault that was found."""
    found = verify.verify()
    yield {
        "verified_at": clock.wall(),
        "is_whole": found.is_whole,
        "entries": found.entries,
        "seals": found.seals,
        "retired": found.retired,
        "unsealed": found.unsealed,
        "last_good_entry": found.last_good,
        "faults": [str(fault) for fault in found.faults],
    }


def seal_keys() -> Rows:
    """Yield the public keys of the seals, the present one first. Whoever verifies an export needs them."""
    for name, key in keys.public_keys().items():
        yield {"name": name, "public_key": key.hex()}


def last_head() -> Rows:
    """Yield the newest signed head: somebody who keeps it can show later that nothing before it was changed."""
    seal = AuditSeal.objects.first()
    if seal is not None:
        yield seals.head_of(seal)


def determinations() -> Rows:
    """Yield each determination with its status at this moment."""
    now = clock.wall()
    people = ("prepared_by", "approved_by", "withdrawn_by")
    for row in Agreement.objects.defer("outbound_list").select_related(*people):
        yield {
            "subject": row.get_subject_display(),
            "kind": row.get_kind_display(),
            "status": _status(row, now),
            "supplier": row.counterparty,
            "services": row.services,
            "terms": row.terms_version,
            "look_at_terms_by": row.terms_review_by,
            "document_sha256": row.document_sha256,
            "document_at": row.document_at,
            "sent_fingerprint": row.outbound_fingerprint,
            "from": row.begins_at,
            "before": row.ends_at,
            "prepared_by": str(row.prepared_by),
            "prepared_at": row.prepared_at,
            "approved_by": str(row.approved_by or ""),
            "approved_at": row.approved_at,
            "withdrawn_by": str(row.withdrawn_by or ""),
            "withdrawn_at": row.withdrawn_at,
            "withdrawn_reason": row.withdrawn_reason,
        }


def _status(row: Agreement, at: datetime) -> str:
    if row.withdrawn_at:
        return "withdrawn"
    if row.approved_at is None:
        return "waits for approval"
    if row.in_force(at):
        return "in force"
    return "ended" if row.ends_at and row.ends_at <= at else "not yet in force"


def open_findings() -> Rows:
    """Yield what a person has to look at still."""
    for row in Finding.objects.filter(resolved_at=None).select_related("office"):
        yield {
            "kind": row.kind,
            "severity": row.severity,
            "office": str(row.office.public_id) if row.office else "",
            "found_at": row.found_at,
            "detail": row.detail,
        }


def retention() -> Rows:
    """Yield how long each table is kept, and what ends it."""
    for one in lives.LIVES:
        yield {name: value for name, value in asdict(one).items() if name != "models"}


def restore_drills() -> Rows:
    """Yield the backups and the restores that are on record."""
    if not Backup.objects.exists() and not Hold.objects.exists():
        yield {"what": "No backup is recorded.", "at": None, "result": ""}
    for backup in Backup.objects.iterator():
        yield {"what": f"backup {backup.name}", "at": backup.made_at, "result": f"verified at {backup.verified_at}"}
    for hold in Hold.objects.iterator():
        result = f"released at {hold.released_at}" if hold.released_at else "not released yet"
        yield {"what": f"restore of {hold.backup}", "at": hold.restored_at, "result": result}
