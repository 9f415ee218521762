"""Days that Stripe keeps for later: how far ahead they may be."""

from datetime import datetime, timedelta

from billing import clock, errors

MOST_YEARS = 5
"""Our own limit. Stripe says none for most of its fields, and refuses what is too far ahead in words of its own."""


def check_later(at: datetime, *, what: str, past: str, most_years: int = MOST_YEARS) -> None:
    """Check that it is in the future, and not too far ahead. ``what`` is the field for people, ``past`` the refusal.

    Raises: DateInvalid.
    """
    now = clock.billing()
    if at <= now:
        raise errors.DateInvalid(past)
    if at > now + timedelta(days=365 * most_years):
        years = {2: "two", 5: "five"}[most_years]
        raise errors.DateInvalid(f"{what} must be within {years} years from now.")
