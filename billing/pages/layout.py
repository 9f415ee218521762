"""The frame of these pages: that of the pages around signing in."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from billing import errors
from billing.models import User


def page(request: HttpRequest, form: forms.Form, *, title: str, says: str, button: str) -> HttpResponse:
    """Return a page with this form."""
    return _shown(request, "pages/form.html", title=title, says=says, form=form, button=button)


def done(request: HttpRequest, title: str, user: User) -> HttpResponse:
    """Return the page after it was done. It says where this person signs in."""
    return _shown(request, "pages/done.html", title=title, person=user, has_pages=settings.OFFICE_PAGES)


def sign_in_first(request: HttpRequest, user: User) -> HttpResponse:
    """Return the page that asks the visitor to sign in as this person, and leads back to the link."""
    login = reverse("account_login", query={REDIRECT_FIELD_NAME: request.get_full_path()})
    title = "Sign in to accept the invitation"
    return _shown(request, "pages/sign_in_first.html", title=title, person=user, login=login)


def link_not_valid(request: HttpRequest, error: errors.BillingError) -> HttpResponse:
    return _shown(request, "pages/refused.html", status=404, title="This link does not work", says=str(error))


def said(request: HttpRequest, title: str, says: str = "") -> HttpResponse:
    """Return a page that only says something."""
    return _shown(request, "pages/refused.html", title=title, says=says)


def _shown(request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    return TemplateResponse(request, template, context, status=status)
