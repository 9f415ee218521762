"""Deleting the rows of sessions, API tokens and counts that are over. They open, and limit, nothing any more."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session

from billing import clock, jobs
from billing.models import AccessToken, RateCount

COUNTS_KEPT_FOR = timedelta(hours=2)
"""Longer than any limit lasts."""


@jobs.job("forget-lapsed-access", every=timedelta(hours=1))
def purge() -> None:
    """Delete sessions and API tokens that are over."""
    now = clock.wall()
    UserSession.objects.filter(created_at__lt=now - settings.SESSION_LASTS).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    AccessToken.objects.filter(expiry__lt=now).delete()


@jobs.job("forget-rate-counts", every=timedelta(hours=1))
def purge_counts() -> None:
    """Delete what was counted long ago."""
    long_ago = clock.wall() - COUNTS_KEPT_FOR
    RateCount.objects.filter(began__lt=long_ago.timestamp() * 1_000).delete()
