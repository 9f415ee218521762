"""Inviting people: an invitation by e-mail to one role, its one-time link, and accepting it.

Nobody types another person's password. The account is made when the person accepts. It then counts as made by whoever
invited them, and the audit trail says so. Somebody who has an account signs in to it before they accept.

An Office's owners learn from none of this whether an address has an account.
"""

import contextlib
import math
from datetime import datetime

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.crypto import salted_hmac

from billing import clock, errors, rate_counts
from billing.access import grants, links, roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.folding import fold
from billing.models import Invitation, Membership, Notification, Office, User
from billing.text import fields
from config.rate_limits import RateLimit

REASON = "an invitation"
OF_OFFICE = RateLimit("invitations", 50, 3_600, True, "e-mails with an invitation to one Office, or to the staff")
TO_ADDRESS = RateLimit("invited", 5, 3_600, True, "e-mails with an invitation to one address, from one Office")


def invite(
    email: str, role: str, *, office: Office | None = None, until: datetime | None = None, by: Actor
) -> Invitation | None:
    """Invite this address to a staff role, or to a role in an Office. A worker sends the link.

    ``until`` is the end that the membership in the Office gets. The caller has checked that it is in the future.

    A user who is invited to a staff role has it at once and is told by e-mail, and None is returned. Only the vendor's
    administrators can do this, and they see all users anyway. To an Office everybody is invited in the same way. For
    the vendor's staff, and for people who were deactivated, the invitation of an owner gives nothing and is not sent.

    Raises:
        NotPermitted, AddressInvalid, TextNotNeutral, RoleUnknown, OfficeArchived, TooManyInvitations.
        RoleGiven: the user has this staff role already.
        AlreadyMember: the user is a member of this Office.
        InvitationOpen: the address is invited already.
        PersonNotActive: the user was deactivated, and is invited to a staff role.
        NobodyToAdd: the invitation to an Office would give nothing, and an administrator asks.
    """
    require_may_invite(by, office)
    email = _checked(email, role, office)
    with trail.acting(by, office=office, reason=REASON), transaction.atomic():
        user = User.objects.filter(email__iexact=email).first()
        if office:
            _refuse_to_invite(email, user, office, by)
        elif user:
            _give_to_staff(user, role)
            told = f"role_given:{user.public_id}:{role}:staff:{clock.wall().isoformat()}"
            Notification.objects.put(Notification.Kind.ROLE_GIVEN, told, user=user, role=role)
            return None
        invitation = _made(email, role, office, by, until=until)
        _mail(invitation)
    return invitation


def link_on_server(email: str, role: str, *, by: Actor) -> str:
    """Return a link with which this address can accept a staff role, for a command on the server. No e-mail is sent.

    Earlier links of the same invitation end. Raises: AddressInvalid, TextNotNeutral, RoleUnknown, RoleGiven.
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
    """Send another link. The earlier ones end. Raises: NotPermitted, InvitationOver, TooManyInvitations."""
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
    found, user = _openable(secret, lock=False)
    if user is not None:  # this link may have made the user after it was read: then it is used, and nobody signs in
        links.find(secret, links.Purpose.INVITATION, lock=False)
    return found, user


def accept(secret: str, *, name: str = "", password: str = "", signed_in: User | None = None) -> User:
    """Accept the invitation. Make the user with this name and password, or give the role to the user that there is.

    ``signed_in`` is who asks. The face has checked the password.

    Raises: LinkNotValid, TextNotNeutral. SignInToAccept: the address has a user, who is not ``signed_in``.
    """
    fields.check("User", name=name)
    with transaction.atomic():
        invitation, user = _openable(secret, lock=True)
        if user is not None and user != signed_in:
            raise errors.SignInToAccept
        inviter = actor.person(invitation.made_by) if invitation.made_by else actor.job("create_administrator")
        with trail.acting(inviter, office=invitation.office, reason="the invitation was accepted"):
            user = user or _new_user(invitation.email, password, name)
            with contextlib.suppress(errors.RoleGiven, errors.AlreadyMember):  # somebody gave it in the meantime
                _give(user, invitation)
        with trail.acting(actor.person(user), office=invitation.office, reason=REASON):
            invitation.accepted_at, invitation.accepted_by = clock.wall(), user
            invitation.save()
            links.end(invitation=invitation)
    return user


def holds(invitation: Invitation) -> bool:
    """Return whether it can be accepted: whoever made it may still invite, and whoever has the address may accept."""
    archived = invitation.office is not None and invitation.office.archived_at is not None
    may = invitation.made_by is None or _may_invite(actor.person(invitation.made_by), invitation.office)
    user = User.objects.filter(email__iexact=invitation.email).first()
    return invitation.can_be_accepted(clock.wall()) and not archived and may and _may_accept(user, invitation.office)


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


def _may_accept(user: User | None, office: Office | None) -> bool:
    """Return whether an invitation can give this user something. The roles of the vendor's staff say what they may."""
    return user is None or (user.is_active and not (office and user.is_staff))


def _refuse_to_invite(email: str, user: User | None, office: Office, by: Actor) -> None:
    """Refuse to invite a member. Only the vendor's people are told of others whom an invitation would give nothing.

    It asks the database the same for every address, so that the time that it takes tells an owner nothing either.
    """
    member = office.memberships.in_force().filter(user__email__iexact=email).first()
    if member:
        raise errors.AlreadyMember(member.role)
    if grants.acts_for_vendor(by, Power.PEOPLE) and not _may_accept(user, office):
        raise errors.NobodyToAdd


def _made(email: str, role: str, office: Office | None, by: Actor, *, until: datetime | None = None) -> Invitation:
    fields.check("Invitation", email=email)
    try:
        with transaction.atomic():
            return Invitation.objects.create(email=email, role=role, office=office, until=until, made_by=by.user)
    except IntegrityError:
        raise errors.InvitationOpen from None


def _mail(invitation: Invitation) -> None:
    """Put it into the outbox. The worker makes the link. Raises: TooManyInvitations."""
    inviter = str(invitation.office.public_id) if invitation.office else "staff"
    _count(OF_OFFICE, inviter)
    # for each Office by itself: one may not stop the invitations of another, nor tell that there are some
    _count(TO_ADDRESS, salted_hmac(__name__, f"{inviter} {fold(invitation.email)}", algorithm="sha256").hexdigest())
    Notification.objects.put(
        Notification.Kind.INVITATION,
        f"invitation:{invitation.public_id}:{clock.wall().isoformat()}",
        address=invitation.email,
        office=invitation.office,
        invitation=str(invitation.public_id),
    )


def _count(limit: RateLimit, who: str) -> None:
    left, seconds = rate_counts.take(limit, who)
    if left < 0:
        raise errors.TooManyInvitations(math.ceil(seconds))


def _lock_open(invitation: Invitation) -> Invitation:
    fresh = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if not fresh.is_open:
        raise errors.InvitationOver(fresh)
    return fresh


def _openable(secret: str, *, lock: bool) -> tuple[Invitation, User | None]:
    """Return the invitation of this link, if it still holds, and the user of its address.

    Whoever withdraws it, or sends it again, ends the link, so with ``lock`` they wait for it.
    """
    link = links.find(secret, links.Purpose.INVITATION, lock=lock)
    invitation = link.invitation
    assert invitation  # a constraint
    if not holds(invitation):
        raise errors.LinkNotValid
    return invitation, User.objects.filter(email__iexact=invitation.email).first()


def _new_user(email: str, password: str, name: str) -> User:
    """Make the user. If another invitation of the same address was accepted just now, it is theirs already."""
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name)
    except IntegrityError:
        raise errors.SignInToAccept from None


def _give(user: User, invitation: Invitation) -> None:
    if invitation.office:
        _give_in_office(user, invitation.role, invitation.office, invitation.until)
    else:
        _give_to_staff(user, invitation.role)


def _give_to_staff(user: User, role: str) -> None:
    if not user.is_active:
        raise errors.PersonNotActive(user)
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
        raise errors.AlreadyMember(membership.role)
    membership.role, membership.ended_at = role, until
    membership.save()
    grants.write_grants(membership)
