"""The page where a person sets a new password, after a link that was sent to them."""

from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from billing import errors
from billing.access import passwords
from billing.pages.layout import done, link_not_valid, page


class NewPasswordForm(SetPasswordForm):
    """Django's own form. ``user`` need not be saved: it is what the password must not be similar to."""


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
