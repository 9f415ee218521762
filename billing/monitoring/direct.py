"""What a worker tells without the database, because the database takes nothing: it is locked, full or away.

One line in the log, one e-mail and one post, for each code at most every 15 minutes and process. A restart of the
database is no reason: the trouble must last.
"""

import logging
import smtplib
import time

from django.conf import settings
from django.core.mail import send_mail

from billing import clock, errors
from billing.models.observation import Level
from billing.monitoring import posting

log = logging.getLogger(__name__)

LASTS_SECONDS = 60.0
AGAIN_SECONDS = 900.0
CODE = "database_not_written"

_recipients: list[str] = []


def remember(addresses: list[str]) -> None:
    """Remember whom to tell while the database cannot be read."""
    _recipients[:] = addresses


class Trouble:
    """The trouble that a worker has with the database, from its first error until it works again."""

    def __init__(self) -> None:
        self.since = 0.0
        self.began_at = ""
        self.told: dict[str, float] = {}

    def happened(self, error: Exception, *, now: float | None = None) -> None:
        """Note an error of the database, and tell it once it has lasted for a minute."""
        now = time.monotonic() if now is None else now
        if not self.since:
            self.since, self.began_at = now, clock.wall().isoformat(timespec="seconds")
        last = self.told.get(CODE)
        if now - self.since < LASTS_SECONDS or (last is not None and now - last < AGAIN_SECONDS):
            return
        self.told[CODE] = now
        says = (
            f"The database has not accepted writes since {self.began_at} ({type(error).__name__}). Events and "
            f"operations "
            "wait. Is it running? Is its disk full? Does something lock it? Run: python manage.py doctor"
        )
        tell(CODE, says, since=self.began_at)

    def over(self) -> None:
        """Note that the database works."""
        self.since = 0.0


def tell(code: str, says: str, *, since: str) -> None:
    """Write one line, send one e-mail, and post once. What cannot be sent is a line in the log."""
    log.critical("%s: %s", code, says)
    to = settings.ALERT_EMAILS or _recipients
    try:
        if to:
            send_mail(f"Office Billing: {code}", f"{says}\n\n{settings.SITE_URL}\n", settings.DEFAULT_FROM_EMAIL, to)
    except (OSError, smtplib.SMTPException) as error:
        log.error("an alert could not be sent by e-mail: %s", type(error).__name__)  # noqa: TRY400  one line
    try:
        posting.post({"code": code, "level": str(Level.RED), "says": says, "since": since})
    except errors.AlertNotTaken as error:
        log.error("an alert could not be posted: %s", error)  # noqa: TRY400
