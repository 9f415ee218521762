"""Pages around signing in that allauth does not have, or has in another way."""

import logging
from http import HTTPStatus
from typing import Any, cast

from allauth.account.views import PasswordChangeView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.views import DeactivateTOTPView
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from requests import RequestException

from billing import errors
from billing.access import second_factor
from billing.limits import lockout
from billing.models import User
from billing.sign_in import recorded

log = logging.getLogger(__name__)


def home(request: HttpRequest) -> HttpResponse:
    """Lead each person to their own first page: "/"."""
    if not request.user.is_authenticated:
        return redirect("account_login")
    if request.user.is_staff:
        return redirect("admin:index")
    return redirect("office_pages:offices" if settings.OFFICE_PAGES else "account")


@login_required
def account(request: HttpRequest) -> HttpResponse:
    person = cast(User, request.user)
    has_pages = settings.OFFICE_PAGES and not person.is_staff
    awaits = second_factor.offices_that_await_it(person)
    return render(request, "account/account.html", {"offices": awaits, "has_pages": has_pages})


def admin_login(request: HttpRequest) -> HttpResponse:
    """Sign in on the one sign-in page, and come back. An Office's own people are told where their page is."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        wanted = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(wanted)
    if not request.user.is_staff:
        return render(request, "account/not_staff.html", {"has_pages": settings.OFFICE_PAGES}, status=403)
    return redirect(wanted)


def locked_out(request: HttpRequest, answer: HttpResponse, credentials: Any) -> HttpResponse:
    """Return the answer to a wrong password after which none is looked at for a while. The API has made its own."""
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return answer
    seconds = lockout.seconds_to_wait(request)
    says = str(errors.TooManyTries(seconds))
    page = render(request, "429.html", {"says": says}, status=HTTPStatus.TOO_MANY_REQUESTS)
    page["Retry-After"] = str(seconds)
    return page


def to_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send the browser to the provider, which is first asked where its pages are. If it is away, a page says so."""
    try:
        return openid_connect.login(request, provider_id)
    except RequestException as error:
        log.warning("the provider of sign-ins does not answer: %s", error)
        return render(request, "socialaccount/authentication_error.html", status=503)


class ChangePassword(PasswordChangeView):
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_usable_password():
            return render(request, "account/no_password.html")
        return super().dispatch(request, *args, **kwargs)

    def get_default_success_url(self) -> str:
        return reverse("account")


class RemoveKey(RemoveWebAuthnView):
    """Removing a passkey or security key, but not the last second factor of somebody who must have one."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        adapter = get_adapter()
        with second_factor.one_at_a_time(cast(User, request.user)):
            if adapter.can_delete_authenticator(self.get_object()):
                return super().post(request, *args, **kwargs)
        messages.error(request, adapter.error_messages["cannot_delete_authenticator"])
        return redirect("mfa_list_webauthn")


class RemoveApp(DeactivateTOTPView):
    """Removing the authenticator app, with the same rule, which its form has."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with second_factor.one_at_a_time(cast(User, request.user)):
            return super().post(request, *args, **kwargs)


class Sessions(ListUserSessionsView):
    """A person's own sessions. ``session`` in the form ends one of them; without it, all but this one end."""

    def form_valid(self, form: Any) -> HttpResponse:
        wanted = self.request.POST.get("session", "")
        if not wanted:
            recorded.act(self.request.user, "ended their other sessions")
            return super().form_valid(form)
        own = UserSession.objects.filter(user=self.request.user, pk=wanted if wanted.isdecimal() else 0)
        for session in own.exclude(session_key=self.request.session.session_key):
            session.end()
            recorded.act(self.request.user, "ended one of their sessions")
        return HttpResponseRedirect(self.get_success_url())
