"""Checks of what an auditor asks for: the audit trail, the determination, second factors and backups."""

from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import Exists, OuterRef

from billing import checks
from billing.access.second_factor import FACTORS
from billing.durations import how_long, many
from billing.models import Backup, TrailProgress, User
from billing.monitoring.figures import AHEAD
from billing.monitoring.outcome import Outcome, Seen, amber, green, of_system_check, red, unknown

UNSEALED_LONG, UNSEALED_TOO_LONG = 5 * 60, 60 * 60
"""A worker seals each minute."""
VERIFIED_WITHIN = timedelta(days=3)
"""A worker verifies each day."""
BACKUP_WITHIN, BACKUP_LATE = timedelta(hours=26), timedelta(days=3)


def triggers(seen: Seen) -> Outcome:
    if missing := seen.figures["unprotected"]:
        return red(
            "The audit trail is not protected.",
            f"{many(missing, 'trigger')} of the database that should refuse a change {'is' if missing == 1 else 'are'} "
            "missing. Find out who removed them. Run: python manage.py migrate, then: python manage.py verify_audit",
        )
    if settings.STRIPE_LIVE_MODE and not settings.AUDIT_HEADS_FILE:
        return amber(
            "No head of the audit trail is kept elsewhere, so nobody can find that its end was cut off.",
            "Set AUDIT_HEADS_FILE to a file on another machine's disk.",
            "heads",
        )
    return green("The database refuses to change the audit trail.")


def seals(seen: Seen) -> Outcome:
    oldest = seen.figures["oldest_unsealed_seconds"] or 0
    if oldest <= UNSEALED_LONG:
        return green("The audit trail is sealed.")
    return (red if oldest > UNSEALED_TOO_LONG else amber)(
        "The audit trail is not sealed.",
        f"The oldest entry has waited for {how_long(oldest)}. Until entries are sealed, nobody can notice if one is "
        f"deleted. "
        "Look at the job seal-audit under Jobs.",
    )


def verification(seen: Seen) -> Outcome:
    whole_at = TrailProgress.objects.using(seen.using).values_list("whole_at", flat=True).first()
    if whole_at is None:
        todo = "A worker does it each day. To do it now: python manage.py verify_audit"
        return unknown("The audit trail was not verified yet.", todo)
    says = f"The audit trail was last found whole {how_long((seen.now - whole_at).total_seconds())} ago."
    if seen.now - whole_at > VERIFIED_WITHIN:
        return amber(says, "Look at the findings, and run: python manage.py verify_audit")
    return green(says)


def determination(seen: Seen) -> Outcome | None:
    """In live mode only: nothing that can charge is sent without one."""
    if not settings.STRIPE_LIVE_MODE:
        return None
    found = [*checks.check_determination(using=seen.using), *checks.check_suppliers(using=seen.using)]
    if any(one.id == checks.CHARGING_REFUSED for one in found):
        return red(str(found[0].msg), str(found[0].hint))
    return of_system_check(found, well="A determination about each supplier is in force.")


def second_factors(seen: Seen) -> Outcome | None:
    if not settings.REQUIRE_SECOND_FACTOR:
        return None if settings.DEBUG else amber("Second factors are switched off.", "Set REQUIRE_SECOND_FACTOR=true.")
    enrolled = Authenticator.objects.filter(user_id=OuterRef("pk"), type__in=FACTORS)
    staff = User.objects.using(seen.using).filter(is_staff=True, is_active=True)
    if without := staff.exclude(Exists(enrolled)).count():
        return amber(
            f"{many(without, 'person')} of the staff {'has' if without == 1 else 'have'} no second factor yet.",
            "They reach nothing until they set one up. Ask them to sign in, or make the account inactive.",
        )
    return green("All staff have a second factor.")


def backups(seen: Seen) -> Outcome | None:
    if settings.DEBUG:
        return None
    if settings.BACKUPS_ELSEWHERE_REASON:
        return green(f"Backups are made elsewhere: {settings.BACKUPS_ELSEWHERE_REASON}")
    last = Backup.objects.using(seen.using).order_by("-made_at").first()
    todo = "Run: python manage.py backup. Let a timer do it each day."
    if last is None:
        return amber("There is no verified backup.", f"{todo} Or set BACKUPS_ELSEWHERE_REASON.", "none")
    age = seen.now - last.made_at
    if age < -AHEAD:
        return unknown(
            "The last backup is from the future.", "Set the clocks of all machines right. Make a new backup."
        )
    says = f"The last verified backup is {how_long(max(0.0, age.total_seconds()))} old."
    if age <= BACKUP_WITHIN:
        return green(says)
    return (red if age > BACKUP_LATE else amber)(says, todo)
