"""The one gate in front of every page for staff: nothing opens before a second factor was used in the session."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from billing.access import second_factor

NOT_BY_SESSION = ("api/", "stripe/", "healthz", "metrics", "account/logout/")
"""Routes where a session opens nothing: a token or a signature does, or it is open to all."""
ENROLLING = "account/"
USING = ("account/2fa/reauthenticate/", "account/2fa/webauthn/reauthenticate/")


class SecondFactorGate:
    """Sends staff to enrol, or to use what they enrolled. Other people's second factor is asked for at sign-in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        assert request.resolver_match
        route = request.resolver_match.route
        if route.startswith(NOT_BY_SESSION) or not request.user.is_authenticated:
            return None
        if not second_factor.is_required_of(request.user) or second_factor.was_used(request):
            return None
        if second_factor.is_enrolled(request.user):
            return None if route.startswith(USING) else _to("mfa_reauthenticate", request)
        request.must_enrol = True  # type: ignore[attr-defined]  # the page about second factors says so
        return None if route.startswith(ENROLLING) else HttpResponseRedirect(reverse("mfa_index"))


def _to(page: str, request: HttpRequest) -> HttpResponse:
    back = request.get_full_path() if request.method == "GET" else reverse("home")
    return HttpResponseRedirect(f"{reverse(page)}?{urlencode({REDIRECT_FIELD_NAME: back})}")
