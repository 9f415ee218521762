"""Findings: what a person should look at. One open Finding of a kind about a subject; it is resolved, never deleted."""

from billing import clock
from billing.models import Finding, Office

CONTACT_DIFFERS = "contact_differs"


def report(
    kind: str,
    subject: str,
    *,
    office: Office | None,
    detail: str,
    severity: str = "warning",
    resolution: str = "",
) -> Finding:
    """One open Finding of this kind about this subject exists, with these words. Its age counts from the first time.

    With ``resolution`` it is on record as over.
    """
    found, is_new = Finding.objects.get_or_create(
        kind=kind,
        subject=subject,
        resolved_at=None,
        defaults={"office": office, "detail": detail, "severity": severity},
    )
    if not is_new and (found.detail, found.severity) != (detail, severity):
        found.detail, found.severity = detail, severity
        found.save(update_fields=["detail", "severity"])
    if resolution:
        resolve(kind, subject, resolution=resolution)
    return found


def resolve(kind: str, *subjects: str, resolution: str = "") -> None:
    """What was found of this kind about these subjects is over. Repeating is a no-op."""
    Finding.objects.filter(kind=kind, subject__in=subjects, resolved_at=None).update(
        resolved_at=clock.wall(), resolution=resolution
    )
