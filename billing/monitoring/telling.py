"""Telling people: a check that turns red becomes a critical finding and an alert, and green again ends both.

The finding, the e-mails and the job that posts to ALERT_WEBHOOK are committed together. So each change is told once,
also if two workers see it at the same moment.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from billing import jobs
from billing.access import roles
from billing.access.roles import Power
from billing.findings import CHECK_FAILED, report, resolve
from billing.jobs import job
from billing.models import Finding, Notification
from billing.models.observation import Level
from billing.monitoring import asking, checks, direct, posting, summary
from billing.monitoring.checks import Result
from billing.monitoring.outcome import Seen
from billing.observations import ACCOUNT, ENDPOINT, STRIPE

OVER = "is green again"


@job("check", every=timedelta(minutes=1))
def check() -> None:
    """Run the checks, and tell what changed since the last time. What was red at Stripe is asked for again."""
    seen = Seen()
    noted = seen.observed
    if any(name in noted and noted[name].state != Level.GREEN for name in (STRIPE, ACCOUNT, ENDPOINT)):
        asking.ask()
        seen = Seen()
    direct.remember(recipients())
    found = list(checks.run(seen, probed=True))
    tell(found)
    summary.keep(seen, found)


def tell(found: list[Result]) -> None:
    """Report what is red, and resolve what is green again. What is amber in between, or was not checked, stays."""
    is_open = dict(Finding.objects.filter(kind=CHECK_FAILED, resolved_at=None).values_list("subject", "facts"))
    for one in found:
        name, is_told = one.check.name, is_open.get(one.check.name)
        if one.check.told and not one.is_well:
            if is_told != one.code:
                _report(one)
        elif is_told is not None and one.level == Level.GREEN:
            _resolve(name)


def recipients() -> list[str]:
    """Return the addresses that alerts go to: ALERT_EMAILS, or each administrator's."""
    return settings.ALERT_EMAILS or list(roles.people_with(Power.PEOPLE).values_list("email", flat=True))


@job("alert:")
def post_alert(about: str) -> None:
    """Post one alert to ALERT_WEBHOOK. After a failure it is posted again, after a growing wait.

    Raises: AlertNotTaken.
    """
    key, _, level = about.partition(":")
    found = Finding.objects.get(pk=int(key))
    is_over = level == Level.GREEN
    if found.resolved_at and not is_over:
        return  # its end was told, or will be
    since = found.resolved_at if is_over and found.resolved_at else found.found_at
    says = f"The check {found.subject} {OVER}." if is_over else found.detail
    posting.post({"code": found.facts, "level": level, "says": says, "since": since.isoformat()})


def _report(one: Result) -> None:
    detail = f"{one.outcome.seen} {one.outcome.todo}".strip()
    with transaction.atomic():
        found = report(CHECK_FAILED, one.check.name, office=None, detail=detail, facts=one.code)
        if not found.resolved_at:
            _alert(found, level=one.level, code=one.code)


def _resolve(name: str) -> None:
    with transaction.atomic():
        found = Finding.objects.select_for_update().filter(kind=CHECK_FAILED, subject=name, resolved_at=None).first()
        if found is None:
            return
        resolve(CHECK_FAILED, name, resolution=f"the check {OVER}")
        _alert(found, level=Level.GREEN, code=found.facts)


def _alert(found: Finding, *, level: Level, code: str) -> None:
    """Put the e-mails and the job of this change beside the finding."""
    once = f"alert:{found.pk}:{code}:{level}"
    about: dict[str, Any] = {"finding": found.pk, "level": str(level)}
    if settings.ALERT_EMAILS:
        for number, address in enumerate(settings.ALERT_EMAILS):
            Notification.objects.put(Notification.Kind.ALERT, f"{once}:{number}", address=address, **about)
    else:
        for person in roles.people_with(Power.PEOPLE):
            Notification.objects.put(Notification.Kind.ALERT, f"{once}:{person.public_id}", user=person, **about)
    if settings.ALERT_WEBHOOK:
        jobs.enqueue(f"alert:{found.pk}:{level}")
