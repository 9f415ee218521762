"""The page where an invited person chooses a name and a password."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget

from billing import errors
from billing.access import invitations
from billing.models import Invitation, User
from billing.pages.layout import done, link_not_valid, page
from billing.pages.new_password import NewPasswordForm


class WelcomeForm(NewPasswordForm):
    name = forms.CharField(
        max_length=200, label="Your name", widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "name"})
    )
    field_order = ("name", "new_password1", "new_password2")

    def clean_name(self) -> Any:
        self.user.name = self.cleaned_data["name"]
        return self.user.name


@never_cache
def invitation(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a password, and make the account. Somebody who has an account only confirms."""
    secret = request.GET.get("link", "")
    try:
        found, user = invitations.open_by(secret)
        form = forms.Form(request.POST or None) if user else WelcomeForm(User(email=found.email), request.POST or None)
        if request.method == "POST" and (user or form.is_valid()):
            given = form.cleaned_data if form.is_valid() else {}
            person = invitations.accept(secret, name=given.get("name", ""), password=given.get("new_password1", ""))
            return done(request, "You have accepted the invitation", person)
    except errors.LinkNotValid as error:
        return link_not_valid(request, error)
    except errors.PersonNotActive as error:
        return link_not_valid(request, error)
    return page(request, form, title="Welcome to Office Billing", says=_says(found), button="Accept the invitation")


def _says(found: Invitation) -> str:
    where = f"{found.role} of {found.office}" if found.office else found.role
    return f"For {found.email}. Your role: {where}."
