"""Checks of what waits here: the worker, events, findings and jobs."""

from django.conf import settings

from billing import held, zones
from billing.access import roles
from billing.access.roles import Power
from billing.durations import how_long, many
from billing.models import Finding
from billing.monitoring.figures import AHEAD, DEAD_SECONDS, worker_lives
from billing.monitoring.outcome import Outcome, Seen, amber, green, red, unknown

WAITS_LONG, WAITS_TOO_LONG = 5 * 60, 30 * 60
START = "Start a worker: python manage.py worker"


def worker(seen: Seen) -> Outcome:
    beat, ahead = seen.figures["heartbeat_seconds"], seen.figures["heartbeats_ahead"]
    if worker_lives(seen.figures):
        return green(f"A worker reported {how_long(beat)} ago.")
    if ahead:
        return unknown(
            f"The heartbeat of {many(ahead, 'worker')} is more than {how_long(AHEAD.total_seconds())} in the future.",
            "Set the clocks of all machines right. Then restart the workers.",
            "clock",
        )
    last = "none has reported yet" if beat is None else f"the last one reported {how_long(beat)} ago"
    waiting = many(seen.figures["waiting"], "event")
    return red(
        "No worker is running.",
        f"Events from Stripe are stored but not applied: {waiting} now; {last}. A worker reports every few seconds, "
        f"and counts as dead after {how_long(DEAD_SECONDS)}. {START}",
    )


def restored(seen: Seen) -> Outcome | None:
    if not held.is_held(using=seen.using):
        return None
    return red(
        "This database was restored from a backup, and is held.",
        "Operations, jobs and e-mails wait. On the server, run after_restore, read its list, and release it: "
        "docs/backup.md says how.",
    )


def alerts(seen: Seen) -> Outcome | None:
    """Whether anybody is told when something turns red."""
    if settings.DEBUG:
        return None
    if settings.ALERT_EMAILS or settings.ALERT_WEBHOOK or roles.people_with(Power.PEOPLE).using(seen.using).exists():
        return green("Somebody gets alerts.")
    return amber("Nobody gets alerts.", "Set ALERT_EMAILS or ALERT_WEBHOOK, or make an administrator.")


def office_mail(seen: Seen) -> Outcome | None:
    """Whether Offices get e-mails from here. Nobody can read at Stripe whether it sends the same ones."""
    since = settings.OFFICE_MAIL_SINCE
    if since is None:
        return None
    if not settings.OFFICE_PAGES:
        return amber(
            "Offices get e-mails that ask them to sign in here, and they find nothing there: OFFICE_PAGES is off.",
            "Turn OFFICE_PAGES on, or make OFFICE_MAIL_SINCE empty.",
        )
    if not settings.SUPPORT_EMAIL:
        return amber(
            "The e-mails to Offices give no address for questions, and say that nobody reads replies: SUPPORT_EMAIL is "
            "empty.",
            "Set SUPPORT_EMAIL to an address that somebody reads.",
        )
    return green(
        f"Offices get e-mails about what happens from {zones.moment(since, 'UTC')} on. In Stripe's dashboard, those "
        "about trials, expiring cards, failed payments, payments to confirm and successful payments must be off: "
        "docs/mail.md."
    )


def waiting_events(seen: Seen) -> Outcome:
    oldest = seen.figures["oldest_waiting_seconds"]
    if oldest is None:
        return green("No event waits.")
    says = f"{many(seen.figures['waiting'], 'event')} of Stripe waited for up to {how_long(oldest)}."
    if oldest < WAITS_LONG:
        return green(says)
    todo = "Look at the errors under Events from Stripe, and whether workers run and Stripe answers."
    return (red if oldest >= WAITS_TOO_LONG else amber)(says, todo)


def parked_events(seen: Seen) -> Outcome:
    if not (parked := seen.figures["parked"]):
        return green("No event is parked.")
    return amber(
        f"{many(parked, 'event')} could not be applied.",
        "Each was tried many times and is now parked with its error. Correct the cause, then read them again.",
    )


def findings(seen: Seen) -> Outcome:
    critical = Finding.objects.using(seen.using).filter(resolved_at=None, severity=Finding.Severity.CRITICAL).count()
    if not critical:
        return green("No critical finding is open.")
    says = f"{many(critical, 'critical finding')} {'is' if critical == 1 else 'are'} open."
    return amber(says, "Look at them under Findings.")
