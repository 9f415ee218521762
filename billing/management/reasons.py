"""The reason that a command was given, judged before anything is done."""

from typing import Any

from django.core.management.base import CommandError

from billing import errors
from billing.audit import trail


def checked(options: dict[str, Any]) -> str:
    """Return the reason in one line. Raises: CommandError."""
    try:
        return trail.checked_reason(options["reason"])
    except errors.BillingError as error:
        raise CommandError(str(error)) from None
