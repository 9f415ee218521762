"""The kinds of e-mails: subject, text, and what happens if nobody knows whether one was sent.

The text is in templates/mail/, as plain text and as HTML, in English. ``notice_texts`` writes those to Offices,
in their language. A text is filled when the e-mail is sent. Only then its link is made, and it is kept nowhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from billing import zones
from billing.access import invitations, links, roles
from billing.access.roles import Power
from billing.models import ApprovalRequest, EmergencyRole, Finding, Invitation, Notification, OperationStep
from billing.models.observation import Level
from billing.outbox import notice_texts, staff_digest, suppression
from billing.outbox.notice_texts import Written
from billing.stripe_api import gateway


def nothing(row: Notification) -> dict[str, Any] | None:
    return {}


@dataclass(frozen=True, slots=True)
class Kind:
    """``fill`` returns what the templates need, or None if the e-mail is not needed any more.

    ``look_up`` asks Stripe for more, outside any transaction, and returns None for the same reason.
    ``repeat_when_unknown``: it is sent again if nobody knows whether it was sent. That is for links and alerts, which
    do no harm twice. Others wait for a person. ``is_for_staff``: nobody else gets it, so SUPPORT_EMAIL is not in it.
    Others name it, and take no replies: a reply would quote the link.
    """

    subject: str
    fill: Callable[[Notification], dict[str, Any] | None]
    repeat_when_unknown: bool
    look_up: Callable[[Notification], dict[str, Any] | None] = nothing
    is_for_staff: bool = False
    takes_replies: ClassVar[bool] = False

    def write(self, row: Notification, found: dict[str, Any]) -> Written | None:
        filled = self.fill(row)
        if filled is None:
            return None
        support = "" if self.is_for_staff else settings.SUPPORT_EMAIL
        context = {**filled, **found, "subject": self.subject, "site": settings.SITE_URL, "support": support}
        text, html = (render_to_string(f"mail/{row.kind}.{form}", context) for form in ("txt", "html"))
        return Written(self.subject, text, html)


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A notice to an Office. Nobody sends it again by itself: asking twice for money, or thanking twice, is wrong.

    Its links open nothing of the Office without signing in, so it may be answered. That of a reminder only turns
    reminders off.
    """

    repeat_when_unknown: bool = False
    look_up: Callable[[Notification], dict[str, Any] | None] = nothing
    is_for_staff: ClassVar[bool] = False
    takes_replies: ClassVar[bool] = True

    def write(self, row: Notification, found: dict[str, Any]) -> Written | None:
        return notice_texts.of_row(row)


def _invitation(row: Notification) -> dict[str, Any] | None:
    found = Invitation.objects.select_related("office", "made_by").filter(public_id=row.context["invitation"])
    invitation = found.select_for_update(of=("self",)).first()
    if invitation is None or not invitations.holds(invitation):
        return None
    days = links.LASTS[links.Purpose.INVITATION].days
    by = invitation.made_by
    owner = by if by and not by.is_staff else None  # the vendor's people are not named to others
    return {"invitation": invitation, "owner": owner, "link": links.to_accept(invitation), "days": days}


def _password_reset(row: Notification) -> dict[str, Any] | None:
    if row.user is None or not row.user.is_active or not row.user.has_usable_password():
        return None
    return {"link": links.to_set_password(row.user)}


def _role_given(row: Notification) -> dict[str, Any] | None:
    if row.user is None or not row.user.is_active:
        return None
    return {"role": row.context["role"], "office": row.office}


def _approval_waits(row: Notification) -> dict[str, Any] | None:
    found = ApprovalRequest.objects.waiting().select_related("office").filter(public_id=row.context["request"])
    request = found.first()
    if request is None or row.user is None or not roles.has(row.user, Power.APPROVE):
        return None
    return {"request": request, "link": _admin_page(request)}


def _emergency_role(row: Notification) -> dict[str, Any] | None:
    found = EmergencyRole.objects.select_related("person", "given_by").filter(pk=row.context["emergency_role"])
    given = found.first()
    if given is None or row.user is None or not roles.has(row.user, Power.PEOPLE):
        return None
    return {"given": given, "link": _admin_page(given)}


def _alert(row: Notification) -> dict[str, Any] | None:
    found = Finding.objects.get(pk=row.context["finding"])
    if row.user is not None and not roles.has(row.user, Power.PEOPLE):
        return None
    is_over = row.context["level"] == Level.GREEN
    if found.resolved_at and not is_over:
        return None  # its end was told, or will be
    return {"found": found, "is_over": is_over, "link": _admin_page(found)}


def _of_office(row: Notification) -> dict[str, Any] | None:
    return None if row.office is None or row.office.archived_at else {"office": row.office}


def _open_page(row: Notification) -> dict[str, Any] | None:
    """Return the page at Stripe that the operation opened, if it is still open."""
    steps = OperationStep.objects.filter(operation__public_id=row.context["operation"], object_id__startswith="cs_")
    step = steps.last()
    page = gateway.payment_links.find_open_page(step.object_id) if step else None
    if page is None or row.office is None:
        return None
    return {"link": page.address, "until": zones.moment(page.expires_at, row.office.time_zone)}


def _second_factor_removed(row: Notification) -> dict[str, Any] | None:
    return {} if row.user and row.user.is_active else None


def _admin_page(row: ApprovalRequest | EmergencyRole | Finding) -> str:
    """Return the address of the row's page, which opens for nobody who is not signed in."""
    return settings.SITE_URL + reverse(f"admin:billing_{row._meta.model_name}_change", args=[row.pk])


KINDS: dict[str, Kind | NoticeKind] = {
    Notification.Kind.INVITATION: Kind("Your invitation to Office Billing", _invitation, repeat_when_unknown=True),
    Notification.Kind.PASSWORD_RESET: Kind("Set a new password", _password_reset, repeat_when_unknown=True),
    Notification.Kind.ROLE_GIVEN: Kind(
        "You have a new role", _role_given, repeat_when_unknown=False, is_for_staff=True
    ),
    Notification.Kind.APPROVAL_WAITS: Kind(
        "A request waits for your approval", _approval_waits, repeat_when_unknown=True, is_for_staff=True
    ),
    Notification.Kind.EMERGENCY_ROLE: Kind(
        "An emergency role was given", _emergency_role, repeat_when_unknown=True, is_for_staff=True
    ),
    Notification.Kind.SECOND_FACTOR_REMOVED: Kind(
        "Your second factor was removed", _second_factor_removed, repeat_when_unknown=True
    ),
    Notification.Kind.ALERT: Kind(
        "Office Billing: a check turned red, or is green again", _alert, repeat_when_unknown=True, is_for_staff=True
    ),
    Notification.Kind.PAYMENT_LINK: Kind(
        "Start your subscription", _of_office, repeat_when_unknown=True, look_up=_open_page
    ),
    Notification.Kind.CARD_LINK: Kind("Add a card", _of_office, repeat_when_unknown=True, look_up=_open_page),
    Notification.Kind.STAFF_DIGEST: Kind(
        "What waits for you in Office Billing",
        lambda _: staff_digest.waiting(),
        repeat_when_unknown=True,
        is_for_staff=True,
    ),
    **{kind: NoticeKind() for kind in suppression.NOTICES},
}


def look_up(row: Notification) -> dict[str, Any] | None:
    """Return what Stripe must be asked for this row's e-mail, or None if it is not needed any more.

    Call it outside any transaction. Raises: StripeRejected, StripeUnavailable.
    """
    return KINDS[row.kind].look_up(row)


def message(row: Notification, found: dict[str, Any] | None) -> EmailMultiAlternatives | None:
    """Return the e-mail of this row with its link, or None if it is not needed any more. Call it in a transaction.

    ``found`` is what ``look_up`` returned.

    Its Message-ID is the same each time, so that a mail server can tell a repetition.
    """
    kind = KINDS[row.kind]
    written = None if found is None else kind.write(row, found)
    if written is None:
        return None
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{row.public_id}@{domain}>", "Auto-Submitted": "auto-generated"}
    if written.stop:  # RFC 8058
        headers |= {"List-Unsubscribe": f"<{written.stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = EmailMultiAlternatives(
        written.subject,
        written.text,
        settings.DEFAULT_FROM_EMAIL,
        [row.address],
        headers=headers,
        reply_to=[settings.SUPPORT_EMAIL] if settings.SUPPORT_EMAIL and kind.takes_replies else None,
    )
    mail.attach_alternative(written.html, "text/html")
    return mail
