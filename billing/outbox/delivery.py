"""Sending what waits in the outbox: claim, commit that it is being handed over, hand it over, record the outcome.

The mail server is asked outside any transaction. If a process dies between, nobody knows whether the e-mail was sent.
When the lease has ended, it is sent again or waits for a person, as its kind says.
"""

import contextlib
import logging
import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, QuerySet

from billing import clock, errors, leases, waits
from billing.audit import actor, trail
from billing.database_trouble import TROUBLE
from billing.findings import MAIL_REPORTED_AFTER, report
from billing.models import Notification
from billing.outbox import kinds, suppression
from billing.stripe_api import pace

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=3)
"""Longer than a conversation with a mail server can last, where each answer takes up to EMAIL_TIMEOUT."""
FIRST_RETRY = timedelta(seconds=30)
MOST_ATTEMPTS = 12
MOST_IF_UNKNOWN = 4
"""Each of these attempts may have sent it."""
PERMANENT = 500

State = Notification.State
BY = actor.job("outbox")


class ServerAway(Exception):
    """There is no connection to the mail server, or it does not accept our sign-in. Nothing was sent."""


class ServerRefused(Exception):
    """The mail server said no to this e-mail. ``for_good``: the same again would be refused too."""

    def __init__(self, says: str, *, for_good: bool) -> None:
        super().__init__(says)
        self.for_good = for_good


class OutcomeUnknown(Exception):
    """The connection was lost while the mail server had the e-mail, or a part of it."""


def work_off(*, limit: int = 20) -> int:
    """Send the e-mails that are due, at most ``limit``. Return how many were tried."""
    _take_up_lost()
    tried = 0
    with trail.acting(BY, reason="an e-mail that waited"):
        for row in _due(clock.wall()).order_by("due_at", "pk")[:limit]:
            now = clock.wall()
            attempts = F("attempts") + 1
            if mine := leases.claim(_due(now).filter(pk=row.pk), now=now, lasts=LEASE, attempts=attempts):
                row.attempts += 1
                _deliver(row, Notification.objects.filter(pk=row.pk, claim_id=mine))
                tried += 1
    return tried


def _due(now: datetime) -> QuerySet[Notification]:
    """Return what is due, and of a kind that this version knows."""
    rows = Notification.objects.filter(leases.free(now), state=State.WAITING, due_at__lte=now, kind__in=kinds.KINDS)
    return rows.select_related("user", "office")


def _deliver(row: Notification, own: QuerySet[Notification]) -> None:
    """Send the e-mail, and write the outcome into its row. If another worker has taken it since, ``own`` is empty."""
    try:
        with pace.one_look():
            found = kinds.look_up(row)
        with _connected() as server:
            if message := _handing_over(row, own, found):
                _hand_over(server, message)
                # also if the lease ended meanwhile, and it was given up as unknown
                own.update(**leases.RELEASED, state=State.SENT, sent_at=clock.wall(), last_error="")
                waits.got_an_answer(waits.MAIL_SERVER, row.last_error)
    except TROUBLE:  # the database cannot be used: the lease ends by itself
        raise
    except errors.StripeUnavailable:
        if pace.is_ending():
            leases.give_back(own)
            return
        _put_off(row, own, "Stripe did not answer", park=row.attempts >= MOST_ATTEMPTS)
    except ServerAway as error:
        _put_off(row, own, f"{waits.MAIL_SERVER.code}: {error}", park=False)
    except ServerRefused as error:
        _put_off(row, own, f"the mail server refused it: {error}", park=error.for_good or row.attempts >= MOST_ATTEMPTS)
    except OutcomeUnknown as error:
        _give_up_or_repeat(row, own, f"the connection was lost: {error}")
    except Exception as error:
        log.exception("an e-mail could not be made")
        _put_off(row, own, f"{type(error).__name__}: {error}", park=row.attempts >= MOST_ATTEMPTS)


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    """Yield a connection to the mail server. Raises: ServerAway."""
    server = get_connection()
    try:
        server.open()
    except OSError as error:  # also all errors of smtplib, of TLS, and timeouts
        with contextlib.suppress(OSError):
            server.close()
        raise ServerAway(f"{type(error).__name__}: {error}") from error
    try:
        yield server
    finally:
        try:
            server.close()
        except OSError as error:  # after the outcome is known
            log.info("the mail server did not end the connection well: %s", type(error).__name__)


def _handing_over(
    row: Notification, own: QuerySet[Notification], found: dict[str, Any] | None
) -> EmailMultiAlternatives | None:
    """Make the e-mail, and commit that it is being handed over. Return None if there is nothing to hand over."""
    with transaction.atomic(durable=True):
        why_not = suppression.why_not(row)
        message = None if why_not else kinds.message(row, found)
        if message is None:
            own.update(**leases.RELEASED, state=State.DROPPED, last_error=why_not)
            return None
        held = own.filter(state=State.WAITING, lease_until__gt=clock.wall())
        if not held.update(state=State.SENDING, recipient=row.address):
            transaction.set_rollback(True)  # with its link
            return None
    return message


def _hand_over(server: Any, message: EmailMultiAlternatives) -> None:
    """Raises: ServerRefused, OutcomeUnknown."""
    try:
        server.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        ((code, says),) = error.recipients.values()
        raise _refused(code, says) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPNotSupportedError as error:
        raise ServerRefused(str(error), for_good=True) from error
    except OSError as error:
        raise OutcomeUnknown(f"{type(error).__name__}: {error}") from error


def _refused(code: int, says: bytes | str) -> ServerRefused:
    text = says.decode(errors="replace") if isinstance(says, bytes) else says
    return ServerRefused(f"{code} {text}", for_good=code >= PERMANENT)


def _put_off(row: Notification, own: QuerySet[Notification], error: str, *, park: bool) -> None:
    """Let it wait for another attempt, each time longer, or park it with a finding."""
    values: dict[str, Any] = {**leases.RELEASED, "last_error": _on_record(error)}
    if park:
        if own.update(**values, state=State.PARKED):
            detail = f"An e-mail ({row}) was not sent after {row.attempts} attempts: {_on_record(error)}"
            report("mail_parked", str(row.public_id), office=row.office, detail=detail)
        return
    due_at = clock.wall() + leases.back_off(row.attempts, first=FIRST_RETRY, last=waits.LAST_RETRY)
    own.update(**values, state=State.WAITING, due_at=due_at)
    if row.attempts >= MAIL_REPORTED_AFTER:
        detail = f"An e-mail ({row}) waits after {row.attempts} attempts: {_on_record(error)}"
        report("mail_waits", "outbox", office=None, detail=detail)


def _take_up_lost() -> None:
    """Decide about the e-mails that a worker was handing over when it died."""
    lost = Notification.objects.filter(state=State.SENDING, lease_until__lte=clock.wall(), kind__in=kinds.KINDS)
    for row in lost.select_related("office"):
        own = lost.filter(pk=row.pk, claim_id=row.claim_id)
        _give_up_or_repeat(row, own, "the worker ended while it handed the e-mail over")


def _give_up_or_repeat(row: Notification, own: QuerySet[Notification], error: str) -> None:
    """Send it again if its kind says so. Otherwise it stays unknown, with a finding.

    It keeps its claim, so that a worker that was only slow can still write the outcome.
    """
    if kinds.KINDS[row.kind].repeat_when_unknown:
        _put_off(row, own, error, park=row.attempts >= MOST_IF_UNKNOWN)
    elif own.update(state=State.UNKNOWN, lease_until=None, last_error=_on_record(error)):
        detail = f"Nobody knows whether an e-mail ({row}) was sent: {_on_record(error)}"
        report("mail_unknown", str(row.public_id), office=row.office, detail=detail)


def _on_record(error: str) -> str:
    return errors.without_addresses(errors.without_stripe_ids(error))[:500]
