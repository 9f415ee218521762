"""Who belongs to an Office: adding, changing and removing a member.

An Office's owners do this for their own Office, and the vendor's administrators for each. Each act is in the audit
trail, and so is each refusal. Stripe is not asked.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from billing import clock, errors
from billing.access import grants, invitations, second_factor
from billing.access.roles import Power
from billing.audit import trail
from billing.audit.actor import Actor
from billing.models import Invitation, Membership, Office, User


def check_permitted(office: Office, *, by: Actor, what: str) -> None:
    """Refuse who may not do this, before anything that they wrote is read. Raises: NotPermitted."""
    grants.require_on_record(by, Power.MEMBERS, office, what=what)


def require_second_factor(office: Office, *, required: bool, by: Actor) -> None:
    """Let the Office be seen only by members with a second factor, or by all again. Repeating is a no-op.

    Raises:
        NotPermitted: as for every act on members.
        SecondFactorToEnrol: an owner has none, and would be shut out first.
    """
    check_permitted(office, by=by, what="require a second factor")
    is_member = office.memberships.filter(user=by.user).exists()
    if required and is_member and by.user and not second_factor.is_enrolled(by.user):
        raise errors.SecondFactorToEnrol(second_factor.page())
    if office.requires_second_factor != required:
        office.requires_second_factor = required
        with trail.acting(by, office=office):
            office.save(update_fields=["requires_second_factor"])


def add(office: Office, *, email: str, role: str, until: datetime | None = None, by: Actor) -> Invitation:
    """Invite the person with this address. They are a member once they accepted. Repeating it sends no second e-mail.

    ``until`` is the moment from which the membership gives nothing any more. One who was a member before is one again.

    Raises:
        NotPermitted, OfficeArchived, DateInvalid, AlreadyMember, TooManyInvitations.
        InvitationOpen: with another role or end. NobodyToAdd: an administrator asks.
    """
    with _changing(office, "add a member", by) as office:
        _check_end(until)
        try:
            invitation = invitations.invite(email, role, office=office, until=until, by=by)
        except errors.InvitationOpen:
            before = invitations.open_of(office).get(email__iexact=email)
            if (before.role, before.until) != (role, until):
                raise
            return before
        assert invitation  # there is none only for a staff role
        return invitation


def change(office: Office, person: User, *, role: str, until: datetime | None, by: Actor) -> Membership:
    """Give the member this role, and this end or none. Repeating is a no-op.

    Raises: NotPermitted, OfficeArchived, DateInvalid, NotAMember, LastOwner.
    """
    with _changing(office, "change a member", by) as office:
        _check_end(until)
        member = _member(office, person)
        if role != Membership.Role.OWNER or until:
            _refuse_last_owner(office, member, by)
        return _saved(member, role, until)


def remove(office: Office, person: User, *, by: Actor) -> Membership:
    """End the membership now. It stays on record. Raises: NotPermitted, OfficeArchived, NotAMember, LastOwner."""
    with _changing(office, "remove a member", by) as office:
        member = _member(office, person)
        _refuse_last_owner(office, member, by)
        return _saved(member, member.role, clock.wall())


@contextmanager
def _changing(office: Office, what: str, by: Actor) -> Iterator[Office]:
    """Hold the Office's lock, so that two owners cannot remove each other. A refusal is recorded after it."""
    check_permitted(office, by=by, what=what)
    with trail.acting(by, office=office):
        try:
            with transaction.atomic(durable=True):
                locked = Office.objects.select_for_update().get(pk=office.pk)
                if locked.archived_at:
                    raise errors.OfficeArchived(locked)
                yield locked
        except errors.BillingError as refusal:
            trail.record_refusal(office, f"{what}: {refusal.on_record}", code=refusal.code)
            raise


def _member(office: Office, person: User) -> Membership:
    member = office.memberships.in_force().filter(user=person).select_related("user").first()
    if member is None:
        raise errors.NotAMember
    return member


def _saved(member: Membership, role: str, until: datetime | None) -> Membership:
    if member.pk is None or (member.role, member.ended_at) != (role, until):
        member.role, member.ended_at = role, until
        member.save()
        grants.write_grants(member)
    return member


def _check_end(until: datetime | None) -> None:
    if until is not None and until <= clock.wall():
        raise errors.DateInvalid("A membership can end in the future. To end it now, remove the member.")


def _refuse_last_owner(office: Office, member: Membership, by: Actor) -> None:
    """Refuse to take the Office's last owner away, unless the vendor does it. Raises: LastOwner.

    An owner whose membership ends on a day that is set, or who cannot sign in, is not one who stays.
    """
    if grants.acts_for_vendor(by, Power.MEMBERS):
        return
    stay = office.memberships.filter(role=Membership.Role.OWNER, ended_at=None, user__is_active=True)
    if stay.filter(pk=member.pk).exists() and not stay.exclude(pk=member.pk).exists():
        raise errors.LastOwner
