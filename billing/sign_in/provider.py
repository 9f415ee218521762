"""Signing in through the vendor's OpenID Connect provider: only staff, and only with a group that gives a role.

The ID token decides: who it is (``sub``), the address, the groups, and whether a second factor was used. allauth
fetches it from the provider itself, over TLS, and checks issuer, audience and expiry.
Source: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
"""

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import render

from billing.access import provider_roles
from billing.audit import actor, trail
from billing.models import User
from billing.sign_in import recorded
from billing.text import gate
from billing.text.gate import Typed

log = logging.getLogger(__name__)
NO_ROLE = (
    "None of your groups there gives a role here. Ask the administrator of {name} for a group that does, then sign in "
    "again."
)
NOT_VERIFIED = "{name} does not say that your e-mail address is verified. Ask its administrator."
NOT_ACTIVE = "Your account here is switched off. Ask an administrator of Office Billing."
NO_CONNECTING = "An account is not connected by hand. Sign out, then sign in through {name}."


class StaffProvider(DefaultSocialAccountAdapter):
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the person, and give the roles of their groups. Refused: a page says what to do."""
        account = sociallogin.account
        claims, account.extra_data = account.extra_data["id_token"], {}  # what the provider says is not kept
        if account.pk:
            account.save(update_fields=["extra_data"])
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            raise _refused(request, NO_CONNECTING, about=None)
        roles = provider_roles.given_by(_texts(claims.get(settings.OIDC.groups_claim)))
        by = actor.service(f"sign-in through {settings.OIDC.issuer}"[:254])
        with trail.acting(by, reason="groups at the provider"), transaction.atomic():
            user = sociallogin.user if sociallogin.is_existing else _person_of(sociallogin, claims, roles=roles)
            if user is not None and user.is_active:
                provider_roles.write(user, roles)
                if roles and not sociallogin.is_existing:
                    sociallogin.connect(request, user)
        if not roles:
            raise _refused(request, NO_ROLE, about=user)
        if user is None:
            raise _refused(request, NOT_VERIFIED, about=None)
        if not user.is_active:
            raise _refused(request, NOT_ACTIVE, about=user)
        sociallogin.user = user
        sociallogin.state[recorded.VOUCHED] = vouches(claims)

    def on_authentication_error(self, request: HttpRequest, provider: Any, error: Any = None, **more: Any) -> None:
        """Record that nobody was signed in, and log why. A person who stopped there is no failure."""
        if error != AuthError.CANCELLED:
            log.warning("a sign-in through the provider failed: %s", more.get("exception") or "it was not begun here")
            recorded.refusal(None, "sign-in through the provider: its answer could not be used")


def vouches(claims: dict[str, Any]) -> bool:
    """Return whether the ID token says that a second factor was used: ``amr`` (a list) or ``acr`` (one value).

    Source: https://www.rfc-editor.org/rfc/rfc8176
    """
    said = {*_texts(claims.get("amr")), *_texts(claims.get("acr"))}
    return bool(said & settings.OIDC.second_factor)


class AskForSecondFactor(AuthenticateStage):
    """allauth's question for a code, which a provider that vouches for a second factor has asked already."""

    def _should_handle(self, request: HttpRequest) -> bool:
        through = (self.login.signal_kwargs or {}).get("sociallogin")
        return not (through and through.state.get(recorded.VOUCHED)) and super()._should_handle(request)


def _person_of(sociallogin: SocialLogin, claims: dict[str, Any], *, roles: set[str]) -> User | None:
    """Return the person with the verified address of the token, a new one if nobody here has it. None: not verified."""
    address = next((one.email for one in sociallogin.email_addresses if one.verified), None)
    if address is None:
        return None
    found = User.objects.filter(email__iexact=address).first()
    if found or not roles:
        return found
    name = next(iter(_texts(claims.get("name"))), "")[:200]
    if gate.refusal(name, Typed.PERSON_NAME):
        name = ""
    return User.objects.create_user(address, None, name=name)


def _texts(claim: Any) -> list[str]:
    """Return a claim that may be a text or a list of texts as a list. Anything else in it says nothing."""
    return [one for one in (claim if isinstance(claim, list) else [claim]) if isinstance(one, str)]


def _refused(request: HttpRequest, why: str, *, about: User | None) -> ImmediateHttpResponse:
    says = why.format(name=settings.OIDC.name)
    recorded.refusal(about, f"sign-in through the provider: {says}")
    return ImmediateHttpResponse(render(request, "account/refused.html", {"says": says}, status=403))
