"""Deleting the rows of sessions and API tokens that are over. They open nothing any more."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session

from billing import clock, jobs
from billing.models import AccessToken


@jobs.job("forget-lapsed-access", every=timedelta(hours=1))
def purge() -> None:
    """Delete sessions and API tokens that are over."""
    now = clock.wall()
    UserSession.objects.filter(created_at__lt=now - settings.SESSION_LASTS).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    AccessToken.objects.filter(expiry__lt=now).delete()
