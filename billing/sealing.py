"""The jobs that seal and verify the audit trail, and the findings that they file."""

from datetime import timedelta

from billing.audit import leaves, seals, verify
from billing.findings import report, resolve
from billing.jobs import job
from billing.models import AuditEntry

FORGED, TAMPERED = "audit_entry_forged", "audit_trail_changed"
RUN = "Run: python manage.py verify_audit"


@job("seal-audit", every=timedelta(minutes=1))
def seal() -> bool:
    """Seal what was written since. Return True if there may be more."""
    sealed = seals.seal()
    for entry in sealed:
        if entry.mac and not leaves.has_right_mac(leaves.of(entry), entry.mac):
            _report_forged(entry)
    return len(sealed) == seals.MOST_TOGETHER


@job("verify-audit", every=timedelta(days=1))
def verify_trail() -> None:
    """Verify the whole trail. What is wrong with it is one critical finding, until it is found whole again."""
    found = verify.verify()
    if found.is_whole:
        resolve(TAMPERED, "trail", resolution="the trail was verified and is whole")
        return
    more = f" and {len(found.faults) - 1} more" if len(found.faults) > 1 else ""
    report(TAMPERED, "trail", office=None, detail=f"The audit trail was changed. {found.faults[0]}{more}. {RUN}")


def _report_forged(entry: AuditEntry) -> None:
    report(
        FORGED,
        str(entry.pk),
        office=None,
        detail=f"The audit entry {entry.pk} was not written by this software: it has no valid mark of our key. "
        f"Somebody with access to the database put it there. {RUN}",
    )
