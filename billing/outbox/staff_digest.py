"""The digest for staff: one e-mail each morning with what waits for a person. What alerts tell is not in it."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from billing import clock, zones
from billing.findings import CHECK_FAILED
from billing.jobs import job
from billing.models import Adjustment, ApprovalRequest, Finding, Notification
from billing.models.statuses import ANSWER_AWAITED

State = Notification.State
HOUR = 7
"""From this hour of VENDOR_TIME_ZONE on it is sent."""
SHOWN = 20
"""Of disputes and approvals. There may be more, and the number of all is said."""

TOLD_ELSEWHERE = (CHECK_FAILED, "dispute", "mail_unknown", "mail_parked")
"""Findings that alerts tell, and those about disputes and e-mails, which the digest lists itself."""


@job("staff-digest", every=timedelta(minutes=15))
def put_digest() -> None:
    """Put the digest of this day into the outbox, once for each address of STAFF_DIGEST_EMAILS."""
    local = clock.wall().astimezone(zones.of(settings.VENDOR_TIME_ZONE))
    if local.hour < HOUR or not settings.STAFF_DIGEST_EMAILS:
        return
    with transaction.atomic():
        for number, address in enumerate(settings.STAFF_DIGEST_EMAILS):
            Notification.objects.put(
                Notification.Kind.STAFF_DIGEST, f"digest:{local:%Y-%m-%d}:{number}", address=address
            )


def waiting() -> dict[str, Any] | None:
    """Return what waits for staff now, for the template. None if nothing does."""
    disputes = Adjustment.objects.filter(kind=Adjustment.Kind.DISPUTE, status__in=ANSWER_AWAITED)
    findings = Finding.objects.filter(resolved_at=None).exclude(kind__in=TOLD_ELSEWHERE)
    approvals = ApprovalRequest.objects.waiting()
    mails = Notification.objects.filter(state__in=[State.UNKNOWN, State.PARKED])
    counts = {
        "disputes": disputes.count(),
        "findings": findings.count(),
        "critical": findings.filter(severity=Finding.Severity.CRITICAL).count(),
        "approvals": approvals.count(),
        "mails": mails.count(),
    }
    if not any(counts.values()):
        return None
    by_day = disputes.select_related("office").order_by("due_at", "pk")[:SHOWN]
    return {
        "count": counts,
        "disputes": [(one.office, one.money, one.answer_by_day) for one in by_day],
        "approvals": [(one.office, one.in_words) for one in approvals.select_related("office").order_by("pk")[:SHOWN]],
        "link": settings.SITE_URL + reverse("admin:index"),
    }
