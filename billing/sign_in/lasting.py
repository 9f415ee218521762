"""How long a session lasts: until nobody used it for some minutes, and at most some hours from the sign-in on.

Each session has a row (allauth's ``UserSession``) that says when it began and when it was last used. A session without
its row is over. A page is told when its session ends, so that a script of ours can warn in time. A page without
JavaScript ends all the same.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import signals
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from billing import clock, time_limits
from billing.audit import actor, trail
from billing.models import User
from billing.sign_in.stored_sessions import SessionStore

log = logging.getLogger(__name__)
USE_IS_EXACT_TO = timedelta(seconds=30)
"""A session may end so much too early, because not every request is written down."""
COOKIE = "session_ends"
"""It holds no secret: the present second, the second in which the session ends, and why, for static/billing/idle.js."""


class SessionLimits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        if user.is_authenticated:
            row = cast(SessionStore, request.session).use()
            if why := _why_over(row, user):
                _end(request, user, row, why)
        response = self.get_response(request)
        if user.is_authenticated and request.user.is_authenticated and row and not response.streaming:
            if not refreshes_itself(request):
                _note_use(row)
            _tell(response, row, user)
        elif COOKIE in request.COOKIES:
            response.delete_cookie(COOKIE)
        return response


def refreshes_itself(request: HttpRequest) -> bool:
    """Return whether a page asks how far something is, by itself: nobody has used the session.

    htmx names the element that asks. Source: https://htmx.org/reference/#request_headers
    """
    return request.method == "GET" and request.headers.get("HX-Trigger", "").endswith("-progress")


def ends(row: UserSession, user: User) -> tuple[datetime, bool]:
    """Return when this session ends if nobody uses it, and whether using it puts that off."""
    idle = row.last_seen_at + (settings.STAFF_IDLE if user.is_staff else settings.OFFICE_IDLE)
    at_last = row.created_at + settings.SESSION_LASTS
    return min(idle, at_last), idle < at_last


def watch() -> None:
    """Give each session its row. It is called once, when the apps are ready."""
    signals.user_logged_in.connect(_began, dispatch_uid="lasting-began")


def _began(request: HttpRequest, user: User, **_: Any) -> None:
    now = clock.wall()
    UserSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "created_at": now,
            "last_seen_at": now,
            "ip": get_adapter().get_client_ip(request),
            "user_agent": request.headers.get("User-Agent", "")[:200],
        },
    )


def _why_over(row: UserSession | None, user: User) -> str:
    """Return why the session is over, in words that follow “because”. Empty: it is not."""
    if row is None:
        return "this session was ended"
    end, can_be_put_off = ends(row, user)
    if clock.wall() < end:
        return ""
    if can_be_put_off:
        return "nothing was asked for some time"
    hours = settings.SESSION_LASTS.total_seconds() / 3600
    return f"you signed in {hours:g} hours ago"


def _end(request: HttpRequest, user: User, row: UserSession | None, why: str) -> None:
    """End the session. If that cannot be written it is left out: the session opens nothing, and its cookie goes."""
    try:
        with time_limits.optional() as using, transaction.atomic(using=using), trail.acting(actor.person(user)):
            trail.record_act(user, f"session over: {why}", using=using)
            if row:
                row.delete(using=using)
            Session.objects.using(using).filter(pk=request.session.session_key).delete()
    except AnyDatabaseError:
        log.exception("the end of a session was not written: the database did not take it")
    request.session = type(request.session)()
    request.user = AnonymousUser()
    messages.info(request, f"You were signed out, because {why}. Sign in again.")


def _note_use(row: UserSession) -> None:
    """Write that the session is in use. If that fails it is left out, and the session ends a little earlier."""
    now = clock.wall()
    if now - row.last_seen_at < USE_IS_EXACT_TO:
        return
    try:
        with time_limits.optional() as using:
            UserSession.objects.using(using).filter(pk=row.pk).update(last_seen_at=now)
    except AnyDatabaseError:
        log.exception("the use of a session was not written: the database did not take it")
        return
    row.last_seen_at = now


def _tell(response: HttpResponse, row: UserSession, user: User) -> None:
    end, can_be_put_off = ends(row, user)
    value = f"{clock.wall().timestamp():.0f}.{end.timestamp():.0f}.{'idle' if can_be_put_off else 'at_last'}"
    response.set_cookie(COOKIE, value, secure=settings.SESSION_COOKIE_SECURE, samesite="Strict")
