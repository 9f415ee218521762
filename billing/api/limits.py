"""The limits and scopes of the API: each request is counted once, after it is known who asks.

No body is larger than 64 KiB. The largest of ours has some hundred bytes. It is refused before any of it is read.
"""

from typing import Any

from django.http import HttpRequest
from django.views import View
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from billing import errors
from billing.access import scopes, services, tokens
from billing.audit import actor, trail
from billing.limits import requests
from billing.models import AccessToken, ServiceIdentity

MOST_BYTES = 64 * 1024


class Limited(BaseThrottle):
    def allow_request(self, request: Request, view: Any) -> bool:
        """Count the request, and look at the size of its body. Raises: TooManyRequests, BodyTooLarge, LengthMissing."""
        requests.count(request._request, request.user)
        _refuse_large_body(request._request)
        return True


def _refuse_large_body(request: HttpRequest) -> None:
    """Refuse by the headers alone. config/whole_requests.py has put the length of what was received into them.

    Raises: BodyTooLarge. LengthMissing: another server left the body in chunks, of which nothing can be read.
    """
    if "Transfer-Encoding" in request.headers:
        raise errors.LengthMissing
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise errors.BodyTooLarge


class InScope(BasePermission):
    """A service gets what one of its scopes names. A person's token that can only read changes nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises: ScopeMissing, TokenOnlyReads."""
        if isinstance(request.user, ServiceIdentity):
            _require_scope(request._request, request.user)
        elif isinstance(request.auth, AccessToken):
            _require_opened(request._request, request.auth)
        return True


def _require_opened(request: HttpRequest, token: AccessToken) -> None:
    address = request.resolver_match.url_name or "" if request.resolver_match else ""
    if not tokens.opens(token, address, request.method or ""):
        with trail.acting(actor.person(token.user)):
            what = f"{_method(request)} {address}: the API token can only read"
            trail.record_refusal(token.user, what, code=errors.TokenOnlyReads.code)
        raise errors.TokenOnlyReads


def _require_scope(request: HttpRequest, service: ServiceIdentity) -> None:
    address = request.resolver_match.url_name or "" if request.resolver_match else ""
    scope = scopes.needed(address, request.method or "")
    if scope is None or scope not in service.scopes:
        services.record_lacking_scope(service, f"{_method(request)} {address}")
        raise errors.ScopeMissing(scope or "")


def _method(request: HttpRequest) -> str:
    """Return the method, if it is one that exists: otherwise it is a text that somebody chose."""
    known = (request.method or "").lower() in View.http_method_names
    return str(request.method) if known else "another method"
