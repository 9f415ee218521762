"""The page where a person sets a new password, after a link that was sent to them."""

from typing import Any

from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminPasswordWidget

from billing import errors
from billing.access import passwords
from billing.models import User
from billing.pages.layout import done, link_not_valid, page


class NewPasswordForm(SetPasswordForm):
    """Django's own form, in our look. ``user`` need not be saved: it is what the password must not be similar to."""

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        for name in ("new_password1", "new_password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


@never_cache
def new_password(request: HttpRequest) -> HttpResponse:
    """Ask for a new password twice, and set it. Opening the page uses nothing up."""
    secret = request.GET.get("link", "")
    try:
        form = NewPasswordForm(passwords.person_of(secret), request.POST or None)
        if request.method == "POST" and form.is_valid():
            user = passwords.set_by_link(secret, form.cleaned_data["new_password1"])
            return done(request, "Your new password is set", user)
    except errors.LinkNotValid as error:
        return link_not_valid(request, error)
    return page(request, form, title="Set a new password", says=f"For {form.user}", button="Set the password")
