"""Writing the schedules of an Office, and the findings that tell of them."""

import json
from typing import Any

from billing import clock, schedules
from billing.findings import SCHEDULE, report, resolve
from billing.models import Finding, Office, Subscription
from billing.schedules import Schedule
from billing.stripe_api.inbound.states import Snapshot

OVER = "the schedule has ended, or was released or canceled"
IF_NOT_WANTED = "Nothing else can be started here until then. If it is not wanted, cancel it in Stripe's dashboard."
TO_CHANGE_IT = (
    "As long as it does, the only change that can be made here is to cancel the subscription at once. For any other "
    "change, release the schedule in Stripe's dashboard first."
)


def write(office: Office, snapshot: Snapshot) -> None:
    """Write the schedules that have not started, if the look asked for them and no newer one did.

    The Office is not saved here.
    """
    if snapshot.schedules is None or office.schedules_ticket > snapshot.ticket:
        return
    started = {one.schedule.id for one in snapshot.subscriptions if one.schedule}
    before = {one.id for one in schedules.coming(office)}
    coming = [one for one in snapshot.schedules if one.id not in started]
    office.schedules_ticket = snapshot.ticket
    office.coming_schedules = [one.stored() for one in coming] or None
    resolve(SCHEDULE, *before - started - {one.id for one in coming}, resolution=OVER)


def tell_of_let_go(before: dict[str, Any] | None, row: Subscription) -> None:
    """Resolve the finding about what managed this subscription before, if that manages it no more."""
    was, now = Schedule.read(before) if before else None, schedules.managing(row)
    if was and (now is None or now.id != was.id):
        resolve(SCHEDULE, was.id, resolution=OVER)


def tell(office: Office, live: list[Subscription]) -> None:
    """Report a finding for each schedule: of what is charged or changed by itself.

    It is critical if it starts a second subscription, or one of an Office that is archived.
    """
    for one in schedules.coming(office):
        told = schedules.told_of_coming(one, office.time_zone)
        beside = "The Office is archived." if office.archived_at else ""
        beside = beside or (f"Another subscription is live: {live[0].in_words}." if live else "")
        severity = Finding.Severity.CRITICAL if beside else Finding.Severity.WARNING
        _report(office, one, f"{told} {beside}".strip(), IF_NOT_WANTED, severity, facts=beside)
    for row in live:
        if manages := schedules.managing(row):
            told = schedules.told_of_managing(manages, office.time_zone)
            changes = manages.ends_at or any(phase.starts_at > clock.billing() for phase in manages.phases)
            severity = Finding.Severity.WARNING if changes else Finding.Severity.NOTICE
            _report(office, manages, told, TO_CHANGE_IT, severity)


def _report(
    office: Office, schedule: Schedule, told: str, what_to_do: str, severity: Finding.Severity, *, facts: str = ""
) -> None:
    """Report it. It rests on all that the schedule says, and on what makes it critical."""
    report(
        SCHEDULE,
        schedule.id,
        office=office,
        detail=f"{told} {what_to_do}",
        severity=severity,
        facts=f"{json.dumps(schedule.stored(), sort_keys=True)} {facts}".strip(),
    )
