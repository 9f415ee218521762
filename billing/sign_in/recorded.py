"""The audit trail of signing in: every act and every failed try, and never what somebody typed."""

from typing import Any

from allauth.account import signals as account
from allauth.account.authentication import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from billing import errors
from billing.access import ending, second_factor
from billing.audit import actor, search, trail
from billing.limits import lockout
from billing.models import User

VOUCHED = "vouched"
"""In the state of a sign-in through the provider: it says that a second factor was used."""
FACTOR = {
    Authenticator.Type.TOTP: "an authenticator app",
    Authenticator.Type.WEBAUTHN: "a passkey or security key",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}
METHOD = {"password": "a password", "socialaccount": "the provider"}


def act(user: User, what: str) -> None:
    with trail.acting(actor.person(user)):
        trail.record_act(user, what)


def refusal(user: User | None, what: str, *, code: str = search.SIGN_IN_FAILED) -> None:
    """Record a try that failed. Who tried is not known, so nobody is named as the actor."""
    with trail.acting(actor.service("somebody who is not signed in")):
        trail.record_refusal(user or trail.NOBODY, what, code=code)


def watch() -> None:
    """Connect everything that is recorded. It is called once, when the apps are ready."""
    for signal, receiver in (
        (account.user_logged_in, _signed_in),
        (auth.user_logged_out, _signed_out),
        (auth.user_login_failed, _failed),
        (account.password_changed, _password_changed),
        (mfa.authenticator_added, _enrolled),
        (mfa.authenticator_removed, _removed),
        (mfa.authenticator_reset, _codes_made),
        (mfa.authenticator_used, _used),
        (mfa.authentication_failed, _wrong_code),
    ):
        signal.connect(receiver, dispatch_uid=f"recorded-{receiver.__name__}")


def _signed_in(request: HttpRequest, user: User, **more: Any) -> None:
    records = get_authentication_records(request, user)
    used = [METHOD.get(one["method"]) or FACTOR[one["type"]] for one in records]
    through = more.get("sociallogin")
    if through and through.state.get(VOUCHED):
        request.session[second_factor.IN_SESSION] = "provider"
        used.append("a second factor there")
    act(user, f"signed in with {' and '.join(dict.fromkeys(used))}")


def _signed_out(user: User | None, **_: Any) -> None:
    if user is not None:
        act(user, "signed out")


def _failed(credentials: dict[str, Any], request: HttpRequest, **_: Any) -> None:
    typed = credentials.get("username") or credentials.get("email") or ""
    says = "sign-in: wrong address or password"
    if lockout.was_refused(request):
        says = "sign-in: not looked at, after too many wrong tries"
    elif lockout.is_locked_out(request):
        says += ". From this network none is looked at for a while"
    refusal(User.objects.filter(email__iexact=typed).first(), says)


def _password_changed(user: User, **_: Any) -> None:
    act(user, "changed the password")


def _enrolled(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type not in second_factor.FACTORS:
        act(user, "made recovery codes")
        return
    act(user, f"enrolled {FACTOR[authenticator.type]}")
    request.session[second_factor.IN_SESSION] = "enrolled"  # they have just shown that they have it
    if second_factor.is_last(authenticator):
        _end_what_needed_none(request, user)


def _end_what_needed_none(request: HttpRequest, user: User) -> None:
    """End what the person had before their first second factor: a password alone was enough for that."""
    key = request.session.session_key
    ending.end_access(user, by=actor.person(user), reason="a second factor was enrolled", but_not_session=key or "")
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()


def _removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    act(user, f"removed {FACTOR[authenticator.type]}")


def _codes_made(user: User, **_: Any) -> None:
    act(user, "made new recovery codes")


def _used(user: User, authenticator: Authenticator, **_: Any) -> None:
    act(user, f"used a second factor: {FACTOR[authenticator.type]}")


def _wrong_code(user: User, **_: Any) -> None:
    refusal(user, "second factor: wrong code", code=errors.SecondFactorWrong.code)
