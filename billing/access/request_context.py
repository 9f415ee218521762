"""Giving each request an id, an actor and the address that it came from, which the audit trail records.

The id is ours. Its answer has it as ``X-Request-ID``. An id that the client sent decides nothing: the log has it beside
ours, and the answer as ``X-Client-Request-ID``.
"""

import logging
import re
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from billing import errors
from billing.access.network import address_of, network_of
from billing.audit import actor, reads, trail

FORBIDDEN = 403
REQUEST_ID = "request_id"
"""The name of the request's attribute."""
OPAQUE = re.compile(r"(?=.*[A-Fa-f])(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})")
"""A UUID says nothing about anybody. Anything else that a client sends as its id is left out."""

log = logging.getLogger(__name__)


def _act_of_admin(request: HttpRequest) -> str:
    """Return the name of the admin's page to which a person sent a form, or "". The API records its own refusals."""
    match = request.resolver_match
    is_act = (
        match
        and "admin" in match.app_names
        and request.method not in reads.WITHOUT_EFFECT
        and request.user.is_authenticated
    )
    return match.view_name if match and is_act else ""


def identified(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give the request its id before anything else sees it, so that every line of the log and every answer has it.

    The lines keep it until the thread's next request: Django logs a refusal after all middleware has ended.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id, theirs = uuid.uuid4().hex, request.headers.get("X-Request-ID", "")
        setattr(request, REQUEST_ID, request_id)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        if is_opaque := bool(OPAQUE.fullmatch(theirs)):
            log.info("request %s is the client's %s", request_id, theirs)
        response = get_response(request)
        response["X-Request-ID"] = request_id
        if is_opaque:
            response["X-Client-Request-ID"] = theirs
        return response

    return middleware


def audit_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        by = actor.person(user) if user.is_authenticated else actor.service(f"visitor of {request.path[:100]}")
        asked = trail.AskedFrom(getattr(request, REQUEST_ID), _address(request), network_of(request))
        with trail.acting(by, asked_from=asked):
            response = get_response(request)
            if response.status_code == FORBIDDEN and (act := _act_of_admin(request)):
                trail.record_refusal(user, f"not permitted: {act}", code=errors.NotPermitted.code)
            reads.record(request, response)
        return response

    return middleware


def _address(request: HttpRequest) -> str | None:
    """Return the address as the column takes it: without the zone that an IPv6 address of a link can have."""
    address = address_of(request)
    return str(address).partition("%")[0] if address else None
