"""The pages on which an Office's owners decide who belongs to it."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from billing import errors
from billing.access import invitations, members
from billing.audit import actor
from billing.models import Office, User
from billing.office_pages.forms import MemberForm
from billing.office_pages.frame import of_office, shown
from billing.office_pages.texts import ENGLISH
from billing.sent_twice import done_once


@of_office("GET", "POST")
def who(request: HttpRequest, office: Office) -> HttpResponse:
    """List the members and the open invitations, and invite a person."""
    members.check_permitted(office, by=actor.person(request.user), what="list the members")
    if request.method == "GET":
        return _listed(request, office, MemberForm())
    return done_once(request, _page(office), lambda: _invited(request, office, MemberForm(request.POST)))


def _invited(request: HttpRequest, office: Office, form: MemberForm) -> HttpResponse:
    if form.is_valid():
        try:
            members.add(office, by=actor.person(request.user), **form.cleaned_data)
        except errors.NotPermitted:
            raise
        except errors.BillingError as refusal:
            form.add_error(None, str(refusal))
        else:
            return _told(request, office, ENGLISH.sent)
    return _listed(request, office, form)


@of_office("GET", "POST")
def remove(request: HttpRequest, office: Office, person_id: Any) -> HttpResponse:
    """Ask whether to end a membership, and end it. The last owner cannot be removed."""
    by = actor.person(request.user)
    members.check_permitted(office, by=by, what="remove a member")
    person = get_object_or_404(User.objects.filter(memberships__office=office), public_id=person_id)

    def asked(refusal: str = "") -> HttpResponse:
        says = ENGLISH.remove_says.format(person, office)
        return shown(request, office, "remove.html", person=person, says=says, refusal=refusal, back=_page(office))

    def removed() -> HttpResponse:
        try:
            members.remove(office, person, by=by)
        except errors.NotPermitted:
            raise
        except errors.BillingError as refusal:
            return asked(str(refusal))
        return _told(request, office, ENGLISH.removed)

    return asked() if request.method == "GET" else done_once(request, _page(office), removed)


@of_office("POST")
def withdraw(request: HttpRequest, office: Office, invitation_id: Any) -> HttpResponse:
    """Withdraw an invitation. Its link stops working. Repeating is a no-op."""
    by = actor.person(request.user)
    members.check_permitted(office, by=by, what="withdraw an invitation")
    invitation = get_object_or_404(office.invitations, public_id=invitation_id)
    try:
        if invitation.withdrawn_at is None:
            invitations.withdraw(invitation, by=by)
    except errors.InvitationOver as refusal:
        return _told(request, office, str(refusal), level=messages.WARNING)
    return _told(request, office, ENGLISH.withdrawn)


def _listed(request: HttpRequest, office: Office, form: MemberForm) -> HttpResponse:
    in_force = office.memberships.in_force().select_related("user").order_by("user__email")
    return shown(
        request,
        office,
        "members.html",
        form=form,
        members=in_force,
        invitations=invitations.open_of(office).order_by("email", "pk"),
    )


def _page(office: Office) -> str:
    return reverse("office_pages:members", args=[office.public_id])


def _told(request: HttpRequest, office: Office, says: str, *, level: int = messages.SUCCESS) -> HttpResponse:
    """Go back to the list. Whoever removed themselves sees it no more, and is led to their first page."""
    messages.add_message(request, level, says)
    is_one = office.memberships.in_force().filter(user=cast(User, request.user)).exists()
    return redirect(_page(office) if is_one else "office_pages:offices")
