"""What each of these pages goes through: who sees it, in which time zone, and how a refusal is shown."""

import functools
from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from billing import errors, zones
from billing.access import grants, seen
from billing.access.roles import Power
from billing.audit import actor, reads
from billing.models import Office, User
from billing.office_pages.texts import ENGLISH

Page = Callable[..., HttpResponse]


def for_people(*methods: str) -> Callable[[Page], Page]:
    """Open a page to whoever is signed in, and to nobody if these pages are turned off. No browser stores it."""

    def opened(view: Page) -> Page:
        @functools.wraps(view)
        def answer(request: HttpRequest, **address: Any) -> HttpResponse:
            if not settings.OFFICE_PAGES:
                raise Http404
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path() if request.method == "GET" else first_page())
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            response = view(request, **address)
            add_never_cache_headers(response)
            return response

        return answer

    return opened


def of_office(*methods: str) -> Callable[[Page], Page]:
    """Open a page of one Office to its members. To everybody else, there is none. Staff have the admin.

    The view gets the request, the Office, and what else the address names. A person who may not do what the page is for
    is told so: 403. Whoever checks the permission has recorded it.
    """

    def opened(view: Page) -> Page:
        @for_people(*methods)
        @functools.wraps(view)
        def answer(request: HttpRequest, public_id: Any, **address: Any) -> HttpResponse:
            person = cast(User, request.user)
            if person.is_staff:
                raise Http404
            try:
                office = seen.office(person, public_id)
            except Office.DoesNotExist:
                raise Http404 from None
            except errors.SecondFactorToEnrol:
                messages.warning(request, ENGLISH.office_needs_second_factor)
                return redirect("mfa_index")
            reads.look_at(request, office)
            try:
                return view(request, office, **address)
            except errors.NotPermitted:
                return shown(request, office, "refused.html", status=403)

        return answer

    return opened


def shown(request: HttpRequest, office: Office, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page of this Office, with its days in the Office's zone."""
    by = actor.person(request.user)
    powers = {
        "may_change": grants.may(by, Power.MANAGE, office),
        "may_change_members": grants.may(by, Power.MEMBERS, office),
    }
    whole = {
        "office": office,
        "t": ENGLISH,
        "page": page_of(office),
        "support": settings.SUPPORT_EMAIL,
        **powers,
        **context,
    }
    with timezone.override(zones.of(office.time_zone)):
        return render(request, f"billing/office_pages/{template}", whole, status=status)


def page_of(office: Office) -> str:
    return reverse("office_pages:office", args=[office.public_id])


def first_page() -> str:
    return reverse("office_pages:offices")


def told(request: HttpRequest, office: Office, says: str, *, level: int = messages.SUCCESS) -> HttpResponse:
    """Go back to the Office's page, which says this once."""
    messages.add_message(request, level, says)
    return redirect(page_of(office))


def to_stripe(request: HttpRequest, office: Office, find: Callable[[], str]) -> HttpResponse:
    """Lead on to the address at Stripe that ``find`` returns. It is stored nowhere. Without one, say why."""
    try:
        return redirect(find())
    except errors.NotPermitted:
        raise
    except errors.BillingError as refusal:
        return told(request, office, str(refusal), level=messages.WARNING)
