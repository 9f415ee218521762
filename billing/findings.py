"""Reporting and resolving findings. There is at most one open finding of a kind about a subject. None is deleted."""

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
    """Report a finding of this kind about this subject, and return it. Repeating is safe.

    If there is an open one, it gets the new detail and severity, and keeps the time when it was first found.
    With ``resolution`` the finding is resolved at once.
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
    """Resolve the open findings of this kind about these subjects. Repeating is a no-op."""
    Finding.objects.filter(kind=kind, subject__in=subjects, resolved_at=None).update(
        resolved_at=clock.wall(), resolution=resolution
    )
