"""What differs here from allauth's own rules: nobody signs up, our outbox sends links, and secrets are encrypted."""

import time
from typing import Any

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth import authenticate
from django.http import HttpRequest

from billing.access import encrypted, passwords, second_factor
from billing.access.network import address_of
from billing.audit import actor, trail
from billing.limits import lockout
from billing.models import User


class Account(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "The e-mail address or the password is wrong.",
        "enter_current_password": "This is not your present password.",
        "incorrect_password": "The password is wrong.",
        "too_many_login_attempts": "There were too many wrong tries. Wait five minutes, then try again.",
        "rate_limited": "There were too many tries. Wait five minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_login_stages(self) -> list[str]:
        ours = {"allauth.mfa.stages.AuthenticateStage": "billing.sign_in.provider.AskForSecondFactor"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Ask again only if the person signed in, or was asked, more than five minutes ago."""
        records = get_authentication_records(self.request, self.request.user)
        last = max((one["at"] for one in records), default=0)
        return time.time() - last > app_settings.REAUTHENTICATION_TIMEOUT

    def reauthenticate(self, user: Any, password: str) -> bool:
        return authenticate(self.request, username=user.email, password=password) == user

    def set_password(self, user: Any, password: str) -> None:
        """Set it, after a change and after a reset. What let the person in before ends; their own request goes on."""
        with trail.acting(actor.person(user)):
            super().set_password(user, password)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address of the browser. As many proxies are believed as TRUSTED_PROXIES says."""
        return str(address_of(request) or lockout.UNKNOWN)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Leave it to billing.limits.lockout whether a password is looked at, as everywhere."""

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return no link: the worker makes one of our own when it sends the e-mail."""
        return ""

    def send_password_reset_mail(self, user: Any, email: str, context: dict[str, Any]) -> None:
        """Put the e-mail into the outbox, to the address of the account."""
        passwords.ask_for_reset(user, by=actor.service("visitor who forgot a password"))


class SecondFactor(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "The code is wrong. Wait for the next one, and try again.",
        "cannot_delete_authenticator": "This is your only second factor, and you must have one. First add another.",
    }

    def encrypt(self, text: str) -> str:
        return encrypted.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encrypted.decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user: User = authenticator.user
        return not (second_factor.is_required_of(user) and second_factor.is_last(authenticator))

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        return f"Key {Authenticator.objects.filter(user=user, type=type).count() + 1}"
