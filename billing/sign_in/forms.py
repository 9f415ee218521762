"""Forms of second factors that differ from allauth's own."""

from typing import Any

from allauth.core import context
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms

from billing import errors
from billing.access import encrypted
from billing.text import gate
from billing.text.gate import Typed


class EnrolAppForm(ActivateTOTPForm):
    """Enrolling an authenticator app. Between the two pages the session holds its secret, encrypted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        if kept := session.get(SECRET_SESSION_KEY):
            session[SECRET_SESSION_KEY] = encrypted.decrypt(kept)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = encrypted.encrypt(self.secret)


class KeyName(forms.Form):
    """Beside a form with the name of a key: the name is judged as a note."""

    def clean_name(self) -> str:
        try:
            return gate.checked(self.cleaned_data["name"], Typed.NOTE, called="name")
        except errors.TextNotNeutral as error:
            raise forms.ValidationError(str(error)) from None


class RenameKeyForm(KeyName, EditWebAuthnForm):
    """Giving a key another name."""


class AddKeyForm(KeyName, AddWebAuthnForm):
    """Adding a passkey or security key, in plain words."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "A name for it, such as: phone"
        alone = self.fields["passwordless"]
        alone.label = "Sign in with this key alone, without my password"
        alone.help_text = "The key must then ask you for a PIN, a finger or your face. This is called a passkey."
