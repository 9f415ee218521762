"""What `manage.py check --deploy` says about live charging. It warns, and never stops a start: renewals go on,
and what can charge is refused at the gateway."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError

from billing import clock, errors
from billing.models.agreement import payment_processor
from billing.stripe_api import charging

SOON = timedelta(days=30)


def check_determination(**_: Any) -> list[CheckMessage]:
    """In live mode: whether a determination stands, and for how long."""
    if not settings.STRIPE_LIVE_MODE:
        return []
    now = clock.wall()
    try:
        found = payment_processor(at=now)
    except DatabaseError:
        return [
            Warning(
                "Live mode: the BAA determination could not be read from the database.",
                hint="Run: python manage.py migrate",
                id="billing.W003",
            )
        ]
    if not found.permits_charging:
        return [
            Warning(
                f"Live mode, and charging is refused: {charging.why_not(found)}",
                hint=errors.RECORD_DETERMINATION,
                id="billing.W001",
            )
        ]
    if found.until and found.until - now <= SOON:
        return [
            Warning(
                f"The BAA determination ends on {found.until:%d %B %Y} (UTC); then live charging is refused.",
                hint=errors.RECORD_DETERMINATION,
                id="billing.W002",
            )
        ]
    return []
