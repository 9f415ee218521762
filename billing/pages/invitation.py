"""The page where an invited person accepts: with the account that they are signed in to, or with a new one."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from billing import errors
from billing.access import invitations
from billing.models import Invitation, User
from billing.pages.layout import done, link_not_valid, page, sign_in_first
from billing.pages.new_password import NewPasswordForm
from billing.text import fields


class WelcomeForm(NewPasswordForm):
    name = forms.CharField(max_length=200, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    field_order = ("name", "new_password1", "new_password2")

    def clean_name(self) -> Any:
        self.user.name = self.cleaned_data["name"]
        try:
            fields.check("User", name=self.user.name)
        except errors.TextNotNeutral as error:
            raise forms.ValidationError(str(error)) from None
        return self.user.name


@never_cache
def invitation(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a password, and make the account. Somebody who has an account signs in, and only confirms."""
    secret = request.GET.get("link", "")
    visitor = request.user if request.user.is_authenticated else None
    try:
        found, user = invitations.open_by(secret)
        if user is not None and user != visitor:
            return sign_in_first(request, user)
        form = forms.Form(request.POST or None) if user else WelcomeForm(User(email=found.email), request.POST or None)
        if request.method == "POST" and (user or form.is_valid()):
            given = form.cleaned_data if form.is_valid() else {}
            name, password = given.get("name", ""), given.get("new_password1", "")
            person = invitations.accept(secret, name=name, password=password, signed_in=user)
            return done(request, "You have accepted the invitation", person)
    except errors.SignInToAccept:
        return redirect(request.get_full_path())  # it was made just now
    except errors.LinkNotValid as error:
        return link_not_valid(request, error)
    return page(request, form, title="Welcome to Office Billing", says=_says(found), button="Accept the invitation")


def _says(found: Invitation) -> str:
    where = f"{found.role} of {found.office}" if found.office else found.role
    return f"For {found.email}. Your role: {where}."
