"""Inviting people: an invitation by e-mail to one role, its one-time link, and accepting it.

Nobody types another person's password. The account is made when the person accepts. It then counts as made by whoever
invited them, and the audit trail says so.
"""

import contextlib
from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from billing import clock, errors
from billing.access import grants, links, roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import Invitation, Membership, Notification, Office, User

REASON = "an invitation"


def invite(
    email: str, role: str, *, office: Office | None = None, until: datetime | None = None, by: Actor
) -> Invitation | None:
    """Invite this address to a staff role, or to a role in an Office. A worker sends the link.

    ``until`` is the end that the membership in the Office gets. The caller has checked that it is in the future.

    If the address has a user, there is nothing to accept: the user has the role at once and is told by e-mail, and
    None is returned.

    Raises:
        NotPermitted, AddressInvalid, RoleUnknown, OfficeArchived.
        RoleGiven: the user has this role, or belongs to the Office already.
        InvitationOpen: the address is invited already.
        PersonNotActive: the user was deactivated.
    """
    require_may_invite(by, office)
    email = _checked(email, role, office)
    with trail.acting(by, office=office, reason=REASON), transaction.atomic():
        if user := User.objects.filter(email__iexact=email).first():
            _give(user, role, office, until)
            about = f"{office.public_id if office else 'staff'}:{clock.wall().isoformat()}"
            Notification.objects.put(
                Notification.Kind.ROLE_GIVEN,
                f"role_given:{user.public_id}:{role}:{about}",
                user=user,
                office=office,
                role=role,
            )
            return None
        invitation = _made(email, role, office, by, until=until)
        _mail(invitation)
    return invitation


def link_on_server(email: str, role: str, *, by: Actor) -> str:
    """Return a link with which this address can accept a staff role, for a command on the server. No e-mail is sent.

    Earlier links of the same invitation end. Raises: AddressInvalid, RoleUnknown, RoleGiven.
    """
    email = _checked(email, role, None)
    with trail.acting(by, reason=REASON), transaction.atomic():
        if User.objects.filter(email__iexact=email).exists():
            raise errors.RoleGiven(f"A user with the address {email} already exists.")
        waiting = Invitation.objects.filter(
            email__iexact=email, role=role, office=None, made_by=None, accepted_at=None, withdrawn_at=None
        )
        invitation = waiting.first() or _made(email, role, None, by)
        links.end(invitation=invitation)
        return links.to_accept(invitation)


def send_again(invitation: Invitation, *, by: Actor) -> None:
    """Send another link. The earlier ones end. Raises: NotPermitted, InvitationOver."""
    require_may_invite(by, invitation.office)
    with trail.acting(by, office=invitation.office, reason=REASON), transaction.atomic():
        _lock_open(invitation)
        links.end(invitation=invitation)
        _mail(invitation)
        trail.record_act(invitation, "sent again")


def withdraw(invitation: Invitation, *, by: Actor) -> None:
    """Withdraw the invitation. Its links end. Raises: NotPermitted, InvitationOver."""
    require_may_invite(by, invitation.office)
    with trail.acting(by, office=invitation.office, reason=REASON), transaction.atomic():
        fresh = _lock_open(invitation)
        fresh.withdrawn_at = clock.wall()
        fresh.save()
        links.end(invitation=fresh)


def open_by(secret: str) -> tuple[Invitation, User | None]:
    """Return the invitation that a link with this secret can accept, and the user if the address has one by now.

    Raises: LinkNotValid.
    """
    return _openable(secret, lock=False)


def accept(secret: str, *, name: str = "", password: str = "") -> User:
    """Accept the invitation. Make the user with this name and password, or give the user that there is by now the role.

    The face has checked the password. Raises: LinkNotValid, PersonNotActive.
    """
    with transaction.atomic():
        invitation, user = _openable(secret, lock=True)
        inviter = actor.person(invitation.made_by) if invitation.made_by else actor.job("create_administrator")
        with trail.acting(inviter, office=invitation.office, reason="the invitation was accepted"):
            user = user or User.objects.create_user(invitation.email, password, name=name)
            with contextlib.suppress(errors.RoleGiven):  # somebody gave it in the meantime
                _give(user, invitation.role, invitation.office, invitation.until)
        with trail.acting(actor.person(user), office=invitation.office, reason=REASON):
            invitation.accepted_at, invitation.accepted_by = clock.wall(), user
            invitation.save()
            links.end(invitation=invitation)
    return user


def open_of(office: Office) -> QuerySet[Invitation]:
    """Return the invitations to this Office that are neither accepted nor withdrawn."""
    return office.invitations.filter(accepted_at=None, withdrawn_at=None)


def require_may_invite(by: Actor, office: Office | None) -> None:
    """Check who may invite: administrators, and to an Office also its owners. Raises: NotPermitted."""
    if not _may_invite(by, office):
        raise errors.NotPermitted("invite people")


def _may_invite(by: Actor, office: Office | None) -> bool:
    if grants.acts_for_vendor(by, Power.PEOPLE):
        return True
    return office is not None and grants.may(by, Power.MEMBERS, office)


def _checked(email: str, role: str, office: Office | None) -> str:
    email = email.strip()
    try:
        Invitation._meta.get_field("email").clean(email, None)
    except ValidationError:
        raise errors.AddressInvalid from None
    if role not in (roles.OFFICE if office else roles.VENDOR):
        raise errors.RoleUnknown
    if office and office.archived_at:
        raise errors.OfficeArchived(office)
    return email


def _made(email: str, role: str, office: Office | None, by: Actor, *, until: datetime | None = None) -> Invitation:
    try:
        with transaction.atomic():
            return Invitation.objects.create(email=email, role=role, office=office, until=until, made_by=by.user)
    except IntegrityError:
        raise errors.InvitationOpen from None


def _mail(invitation: Invitation) -> None:
    """Put it into the outbox. The worker makes the link."""
    Notification.objects.put(
        Notification.Kind.INVITATION,
        f"invitation:{invitation.public_id}:{clock.wall().isoformat()}",
        address=invitation.email,
        office=invitation.office,
        invitation=str(invitation.public_id),
    )


def _lock_open(invitation: Invitation) -> Invitation:
    fresh = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if not fresh.is_open:
        raise errors.InvitationOver(fresh)
    return fresh


def _openable(secret: str, *, lock: bool) -> tuple[Invitation, User | None]:
    """Return the invitation of this link, if it still holds: whoever made it may still invite.

    Whoever withdraws it, or sends it again, ends the link, so with ``lock`` they wait for it.
    """
    link = links.find(secret, links.Purpose.INVITATION, lock=lock)
    invitation = link.invitation
    assert invitation  # a constraint
    archived = invitation.office is not None and invitation.office.archived_at is not None
    may = invitation.made_by is None or _may_invite(actor.person(invitation.made_by), invitation.office)
    if not invitation.can_be_accepted(clock.wall()) or archived or not may:
        raise errors.LinkNotValid
    return invitation, User.objects.filter(email__iexact=invitation.email).first()


def _give(user: User, role: str, office: Office | None, until: datetime | None = None) -> None:
    if not user.is_active:
        raise errors.PersonNotActive(user)
    if office:
        _give_in_office(user, role, office, until)
        return
    group = Group.objects.get(name=role)
    if user.is_staff and user.groups.filter(pk=group.pk).exists():
        raise errors.RoleGiven
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
    user.groups.add(group)


def _give_in_office(user: User, role: str, office: Office, until: datetime | None) -> None:
    """Make the user a member. A membership that ended begins again, with this role."""
    membership = Membership.objects.select_for_update().filter(user=user, office=office).first()
    if membership is None:
        membership = Membership(user=user, office=office)
    elif membership.is_in_force(clock.wall()):
        raise errors.RoleGiven
    membership.role, membership.ended_at = role, until
    membership.save()
    grants.write_grants(membership)
