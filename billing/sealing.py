"""The jobs that seal and verify the audit trail, and the findings that they file."""

import time
from datetime import timedelta

from billing import clock
from billing.audit import leaves, seals, tiles, verify
from billing.findings import report, resolve
from billing.jobs import job
from billing.models import AuditEntry, TrailProgress

FORGED, UNMARKED, TAMPERED = "audit_entry_forged", "audit_entries_unmarked", "audit_trail_changed"
RUN = "Run: python manage.py verify_audit"
EVERYTHING_EVERY = timedelta(days=7)
VERIFIED_TOGETHER = 50_000
"""Some seconds' work: a job has a lease of a minute."""
SEALS_FOR, OTHERS_WRITE_FOR = 2.0, 0.02
"""In seconds: how long one run seals, and its pause between two seals. Without the pause, the next seal would often
begin before those who wait for the database file have tried again."""


@job("seal-audit", every=timedelta(minutes=1))
def seal() -> bool:
    """Seal what was written since, in so many seals as fit into ``SEALS_FOR``. Return True if there may be more."""
    until = time.monotonic() + SEALS_FOR
    while _one_seal() == seals.MOST_TOGETHER:
        if time.monotonic() > until:
            return True
        time.sleep(OTHERS_WRITE_FOR)
    return tiles.fill()


def _one_seal() -> int:
    """Seal some entries, report those that this software did not write, and return how many were sealed."""
    sealed = seals.seal()
    unmarked = [entry for entry in sealed if not entry.mac]
    forged = [entry for entry in sealed if entry.mac and not leaves.has_right_mac(leaves.of(entry), entry.mac)]
    if unmarked and verify.old_version_may_write(clock.wall()):
        _report_unmarked(unmarked)
    else:
        forged += unmarked
    for entry in forged:
        _report_forged(entry)
    return len(sealed)


@job("verify-audit", every=timedelta(days=1))
def verify_trail() -> bool:
    """Verify what was sealed since, and once a week everything, a part at a time. Return True if there is more.

    What is wrong with the trail is one critical finding. Then it begins with the first seal each day, until the trail
    is found whole again.
    """
    progress, _ = TrailProgress.objects.get_or_create(pk=1)
    if not progress.seal or not progress.began_at or clock.wall() - progress.began_at >= EVERYTHING_EVERY:
        progress.seal, progress.began_at = 0, clock.wall()
    found = verify.verify(after=progress.seal, at_most=VERIFIED_TOGETHER)
    progress.seal = found.last_seal if found.is_whole else 0
    if not found.is_whole:
        more = f" and {len(found.faults) - 1} more" if len(found.faults) > 1 else ""
        report(TAMPERED, "trail", office=None, detail=f"The audit trail was changed. {found.faults[0]}{more}. {RUN}")
    elif found.is_at_end:
        progress.whole_at = clock.wall()
        resolve(TAMPERED, "trail", resolution="the trail was verified and is whole")
    progress.save()
    return found.is_whole and not found.is_at_end


def _report_forged(entry: AuditEntry) -> None:
    report(
        FORGED,
        str(entry.pk),
        office=None,
        detail=f"The audit entry {entry.pk} was not written by this software: it has no valid mark of our key. "
        f"Somebody with access to the database put it there. {RUN}",
    )


def _report_unmarked(unmarked: list[AuditEntry]) -> None:
    """Tell of entries without a mark that came after the first one with a mark.

    Those before it are from the time without marks. Verification cannot say whether the version before wrote the rest.
    """
    marked = AuditEntry.objects.exclude(mac="").order_by("pk").values_list("pk", flat=True).first()
    after = [entry.pk for entry in unmarked if marked and entry.pk > marked]
    if after:
        report(
            UNMARKED,
            str(after[0]),
            office=None,
            detail=f"Audit entries without a mark of our key: {len(after)}, from entry {after[0]} to {after[-1]}. If "
            "the version before still ran then, it wrote them. If not, somebody with access to the database did.",
        )
