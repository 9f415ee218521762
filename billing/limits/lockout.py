"""Lockout: who gave too many wrong passwords waits. django-axes counts the failures, in the database.

| | |
|---|---|
| one account, from one network | after 5 wrong tries none is looked at from there, for 15 minutes after the last |
| one account, from all networks | after 20 wrong tries one in ten seconds is looked at; who is locked out has none |

Only failures count, and only those of passwords. So sessions, passkeys and sign-ins through the provider go on, and
nobody can lock somebody else out of them. What was typed is kept as a keyed digest only.
"""

import math
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Q, Sum
from django.db.models.functions import Coalesce
from django.db.models.signals import pre_save
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from billing import clock, errors, jobs, rate_counts
from billing.access.network import network_of
from billing.folding import fold
from config.rate_limits import RateLimit

UNKNOWN = "0.0.0.0"  # noqa: S104  a web server behind a Unix socket knows no address
SLOWED_AFTER = 20
SLOWED = RateLimit("slowed", 1, 10, True, "passwords of one account that are looked at, after many wrong ones")


def account_of(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the account that somebody tried, as axes keeps it: a keyed digest of what they typed, folded."""
    given = credentials or {}
    typed = given.get("username") or given.get("email") or ""
    return salted_hmac("billing.limits.lockout", fold(typed), algorithm="sha256").hexdigest()


def network_for_axes(request: HttpRequest) -> str:
    """Return the network as axes keeps it: an address, which for IPv6 is the first one of the /64."""
    network = network_of(request).partition("/")[0]
    return UNKNOWN if network == "unknown" else network


class Lockout(AxesDatabaseHandler):
    """How axes counts here, and whom it lets try."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        request.waits_to_sign_in = self._seconds(request, credentials)
        return bool(request.waits_to_sign_in)

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **more: Any) -> None:
        """Count one failure of the account from this network, whatever the browser says that it is."""
        request.axes_user_agent = request.axes_http_accept = request.axes_path_info = ""
        super().user_login_failed(sender, credentials, request, **more)

    def _seconds(self, request: Any, credentials: dict[str, Any] | None) -> int:
        """Return the seconds to wait until a password is looked at. 0: now."""
        now, lasts = request.axes_attempt_time, settings.AXES_COOLOFF_TIME
        account = account_of(request, credentials)
        here = Q(ip_address=request.axes_ip_address)
        found = AccessAttempt.objects.filter(username=account, attempt_time__gt=now - lasts).aggregate(
            here=Coalesce(Sum("failures_since_start", filter=here), 0),
            everywhere=Coalesce(Sum("failures_since_start"), 0),
            last=Max("attempt_time", filter=here),
        )
        if found["here"] >= settings.AXES_FAILURE_LIMIT:
            return math.ceil((found["last"] + lasts - now).total_seconds())
        if found["everywhere"] >= SLOWED_AFTER:
            left, seconds = rate_counts.take(SLOWED, account)
            return math.ceil(seconds) if left < 0 else 0
        return 0


def was_refused(request: HttpRequest) -> bool:
    """Return whether the password of this request was not even looked at."""
    return bool(getattr(request, "waits_to_sign_in", 0))


def is_locked_out(request: HttpRequest) -> bool:
    """Return whether the next password will not be looked at, or the one of this request was not."""
    return bool(getattr(request, "axes_locked_out", False))


def seconds_to_wait(request: HttpRequest) -> int:
    waits: int = getattr(request, "waits_to_sign_in", 0)
    return waits or math.ceil(settings.AXES_COOLOFF_TIME.total_seconds())


def refuse_if_locked(request: HttpRequest) -> None:
    """Raises: TooManyTries."""
    if is_locked_out(request):
        raise errors.TooManyTries(seconds_to_wait(request))


def watch() -> None:
    """Keep nothing of what somebody typed. It is called once, when the apps are ready."""
    pre_save.connect(_forget_what_was_typed, sender=AccessAttempt, dispatch_uid="lockout-forget")


def _forget_what_was_typed(instance: AccessAttempt, **_: Any) -> None:
    instance.get_data = instance.post_data = ""


@jobs.job("forget-failed-sign-ins", every=timedelta(hours=1))
def purge() -> None:
    """Delete the failures that count no more."""
    AccessAttempt.objects.filter(attempt_time__lte=clock.wall() - settings.AXES_COOLOFF_TIME).delete()
