"""Giving each request an id and an actor, which the audit trail records."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from billing.audit import actor, trail

FORBIDDEN = 403
READS = ("GET", "HEAD", "OPTIONS")
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def _act_of_admin(request: HttpRequest) -> str:
    """Return the name of the admin's page to which a person sent a form, or "". The API records its own refusals."""
    match = request.resolver_match
    is_act = match and "admin" in match.app_names and request.method not in READS and request.user.is_authenticated
    return match.view_name if match and is_act else ""


def audit_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.match(given) else uuid.uuid4().hex
        user = request.user
        by = actor.person(user) if user.is_authenticated else actor.service(f"visitor of {request.path[:100]}")
        with trail.acting(by, request_id=request_id):
            response = get_response(request)
            if response.status_code == FORBIDDEN and (act := _act_of_admin(request)):
                trail.record_refusal(user, f"not permitted: {act}")
        response["X-Request-ID"] = request_id
        return response

    return middleware
