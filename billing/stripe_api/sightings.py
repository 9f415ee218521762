"""What each answer of Stripe shows beside its content: whether it comes, whether the key is accepted, and the time."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from billing import clock
from billing.models.observation import Level
from billing.observations import CLOCK, STRIPE, note
from billing.stripe_api.known_account import ACCOUNT as ACCOUNT_PATH

MOST_SECONDS_OFF = 60
FAILURES_IN_A_ROW = 3
"""One lost answer is no outage."""
REFUSED_KEY, FORBIDDEN = 401, 403
SERVER_ERROR = 500

_failures = 0


def note_answer(path: str, status: int | None, headers: Mapping[str, str]) -> None:
    """Note what an answer with this status shows. ``status`` is None if there was none.

    A key that may not even ask whose it is, is as useless as a refused one.
    """
    global _failures  # noqa: PLW0603  in a row, of this process
    if status is None or status >= SERVER_ERROR:
        _failures += 1
        if _failures >= FAILURES_IN_A_ROW:
            note(STRIPE, Level.AMBER, "no_answer")
        return
    _failures = 0
    if status == REFUSED_KEY or (status == FORBIDDEN and path == ACCOUNT_PATH):
        note(STRIPE, Level.RED, "key_refused")
    else:
        note(STRIPE, Level.GREEN)
    _note_clock(headers.get("date") or headers.get("Date") or "")


def _note_clock(date: str) -> None:
    """Note how far Stripe's clock is ahead of ours. The header is in whole seconds.

    Source: https://www.rfc-editor.org/rfc/rfc9110#name-date
    """
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:  # a proxy took it away
        return
    if theirs.tzinfo is None:  # "-0000"
        theirs = theirs.replace(tzinfo=UTC)
    off = round((theirs - clock.wall()).total_seconds())
    if abs(off) > MOST_SECONDS_OFF:
        note(CLOCK, Level.RED, "off", seconds=off)
    else:
        note(CLOCK, Level.GREEN, seconds=off)
