"""Inviting: who may, what is given when it is accepted, and under whose name."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from billing import clock, errors
from billing.access import grants, invitations, links, roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.models import AuditEntry, Invitation, Membership, Notification, OneTimeLink, RateCount, User
from tests.conftest import a_member, a_person, an_office

pytestmark = pytest.mark.django_db
PASSWORD = "a dozen blue kettles"


def secret_of(link):
    return link.partition("?link=")[2]


def invited(email, role, *, by, office=None):
    """An invitation, and the secret of its link as the worker makes it."""
    invitation = invitations.invite(email, role, office=office, by=by)
    return invitation, secret_of(links.to_accept(invitation))


def accepted(secret):
    return invitations.accept(secret, name="Nora New", password=PASSWORD)


@pytest.mark.parametrize("role", roles.VENDOR)
def test_who_accepts_an_invitation_to_staff_has_that_role_and_no_other(administrator, role):
    _, secret = invited(" Nora@vendor.example ", role, by=administrator)
    assert not User.objects.filter(email__iexact="nora@vendor.example").exists()

    user = accepted(secret)

    assert (user.email, user.name, user.is_staff, user.is_active) == ("Nora@vendor.example", "Nora New", True, True)
    assert [group.name for group in user.groups.all()] == [role]
    assert user.check_password(PASSWORD)
    assert not user.memberships.exists()


@pytest.mark.parametrize("role", roles.OFFICE)
def test_who_accepts_an_invitation_to_an_office_is_its_member_and_no_staff(administrator, office, role):
    _, secret = invited("nora@maple.example", role, office=office, by=administrator)

    user = accepted(secret)

    assert (user.is_staff, user.groups.count()) == (False, 0)
    membership = user.memberships.get()
    assert (membership.office, membership.role, membership.ended_at) == (office, role, None)
    assert grants.may(actor.person(user), Power.LOOK, office)
    assert not grants.may(actor.person(user), Power.LOOK, an_office("Another"))


def test_the_trail_says_who_made_the_account_and_who_accepted(administrator, office):
    invitation, secret = invited("nora@maple.example", "owner", office=office, by=administrator)

    user = accepted(secret)

    about_user = AuditEntry.objects.get_for_object(user)
    assert {entry.actor for entry in about_user} == {administrator.user}
    assert "password" not in str([entry.changes for entry in about_user])
    on_invitation = AuditEntry.objects.get_for_object(invitation).order_by("pk")
    assert [(entry.actor, entry.office) for entry in on_invitation] == [(administrator.user, office), (user, office)]


def test_a_link_works_once_and_for_seven_days(administrator):
    invitation, secret = invited("nora@vendor.example", "auditor", by=administrator)
    with pytest.raises(errors.LinkNotValid):
        accepted(secret + "x")
    OneTimeLink.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
    with pytest.raises(errors.LinkNotValid):
        accepted(secret)
    assert OneTimeLink.objects.get().expires_at
    OneTimeLink.objects.update(expires_at=clock.wall() + timedelta(days=6, hours=23))
    accepted(secret)
    with pytest.raises(errors.LinkNotValid):
        accepted(secret)
    assert User.objects.filter(email="nora@vendor.example").count() == 1
    lasts = links.LASTS[links.Purpose.INVITATION]
    assert lasts == timedelta(days=7)
    assert Invitation.objects.get(pk=invitation.pk).accepted_by.email == "nora@vendor.example"


def withdrawn(invitation, administrator, office):
    invitations.withdraw(invitation, by=administrator)


def sent_again(invitation, administrator, office):
    invitations.send_again(invitation, by=administrator)


def inviter_deactivated(invitation, administrator, office):
    User.objects.filter(pk=administrator.user.pk).update(is_active=False)


def inviter_without_the_role(invitation, administrator, office):
    with trail.acting(administrator, reason="x"):
        administrator.user.groups.clear()


def office_archived(invitation, administrator, office):
    type(office).objects.filter(pk=office.pk).update(archived_at=clock.wall())


@pytest.mark.parametrize(
    "change", [withdrawn, sent_again, inviter_deactivated, inviter_without_the_role, office_archived]
)
def test_a_link_is_over_when_the_invitation_no_longer_holds(administrator, office, change):
    invitation, secret = invited("nora@maple.example", "owner", office=office, by=administrator)

    change(invitation, administrator, office)

    for look in (invitations.open_by, accepted):
        with pytest.raises(errors.LinkNotValid):
            look(secret)
    assert not User.objects.filter(email="nora@maple.example").exists()


def test_an_invitation_that_is_over_is_neither_sent_again_nor_withdrawn(administrator):
    invitation, secret = invited("nora@vendor.example", "auditor", by=administrator)
    accepted(secret)
    for act in (invitations.send_again, invitations.withdraw):
        with pytest.raises(errors.InvitationOver):
            act(invitation, by=administrator)


def test_each_invitation_and_each_repetition_puts_one_e_mail_into_the_outbox(administrator):
    invitation = invitations.invite("nora@vendor.example", "auditor", by=administrator)
    invitations.send_again(invitation, by=administrator)

    mails = Notification.objects.all()
    assert [(mail.kind, mail.address, mail.context) for mail in mails] == [
        ("invitation", "nora@vendor.example", {"invitation": str(invitation.public_id)})
    ] * 2


def test_an_address_is_invited_once_at_a_time(administrator, office):
    invited("nora@vendor.example", "auditor", by=administrator)
    invited("nora@vendor.example", "operator", by=administrator)
    invited("nora@vendor.example", "viewer", office=office, by=administrator)
    for given in ({"role": "auditor"}, {"role": "owner", "office": office}):
        with pytest.raises(errors.InvitationOpen):
            invitations.invite("NORA@vendor.example", by=administrator, **given)
    with pytest.raises(IntegrityError), transaction.atomic(), trail.acting(administrator, reason="x"):
        Invitation.objects.create(email="Nora@Vendor.example", role="auditor")


def test_somebody_with_an_account_has_a_staff_role_at_once_and_is_told(administrator):
    user = a_person("otto@vendor.example")

    assert invitations.invite("OTTO@vendor.example", "operator", by=administrator) is None

    user.refresh_from_db()
    assert (user.is_staff, [group.name for group in user.groups.all()]) == (True, ["operator"])
    assert not Invitation.objects.exists()
    assert [mail.kind for mail in Notification.objects.filter(user=user)] == ["role_given"]
    with pytest.raises(errors.RoleGiven):
        invitations.invite("otto@vendor.example", "operator", by=administrator)


def test_somebody_with_an_account_is_a_member_of_an_office_only_once_they_accepted(administrator, office):
    user = a_person("otto@maple.example")

    _, secret = invited("OTTO@maple.example", "viewer", office=office, by=administrator)

    assert not user.memberships.exists()
    assert [mail.kind for mail in Notification.objects.all()] == ["invitation"]
    invitations.accept(secret, signed_in=user)
    assert user.memberships.get().role == "viewer"
    assert grants.may(actor.person(user), Power.LOOK, office)
    with pytest.raises(errors.AlreadyMember):
        invitations.invite("otto@maple.example", "owner", office=office, by=administrator)
    assert user.memberships.get().role == "viewer"


def again_and_again(do, *, times, limit):
    """Do it as often as it may be done and once more. Return what the refusal says."""
    for number in range(times):
        do(number)
    before = (Notification.objects.count(), Invitation.objects.count(), AuditEntry.objects.count())
    with pytest.raises(errors.TooManyInvitations) as refused:
        do(times)
    assert (Notification.objects.count(), Invitation.objects.count(), AuditEntry.objects.count()) == before
    assert limit.seconds - 60 < refused.value.retry_after_seconds <= limit.seconds
    return refused.value


def test_one_address_gets_few_e_mails_however_they_are_asked_for(administrator, office):
    invitation = invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)
    limit = invitations.TO_ADDRESS

    def invite_withdraw_and_send_again(number):
        nonlocal invitation
        if number % 2 == 0:
            invitations.send_again(invitation, by=administrator)
            return
        invitations.withdraw(invitation, by=administrator)
        invitation = invitations.invite("NORA@maple.example", "viewer", office=office, by=administrator)

    again_and_again(invite_withdraw_and_send_again, times=limit.times - 1, limit=limit)

    # another Office is neither stopped by it, nor learns of it
    invitations.invite("nora@maple.example", "viewer", office=an_office("Another"), by=administrator)
    invitations.invite("other@maple.example", "viewer", office=office, by=administrator)
    assert "nora" not in str(list(RateCount.objects.values())).lower()


def test_one_office_sends_many_invitations_and_not_without_end(administrator, office):
    def invite(number):
        invitations.invite(f"n{number}@maple.example", "viewer", office=office, by=administrator)

    again_and_again(invite, times=invitations.OF_OFFICE.times, limit=invitations.OF_OFFICE)

    invitations.invite("n@elm.example", "viewer", office=an_office("Elm"), by=administrator)
    invitations.invite("n@vendor.example", "auditor", by=administrator)


def test_what_was_refused_before_it_was_sent_counts_nothing(administrator, office):
    invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)
    for _ in range(invitations.TO_ADDRESS.times):
        with pytest.raises(errors.InvitationOpen):
            invitations.invite("nora@maple.example", "viewer", office=office, by=administrator)

    assert set(RateCount.objects.values_list("used", flat=True)) == {1}


def test_a_membership_that_ended_begins_again_with_the_new_role(administrator, office):
    member = a_member(office, "owner")
    with trail.acting(administrator, reason="left"):
        membership = member.memberships.get()
        membership.ended_at = clock.wall()
        membership.save()
        grants.write_grants(membership)

    _, secret = invited(member.email, "viewer", office=office, by=administrator)
    invitations.accept(secret, signed_in=member)

    membership.refresh_from_db()
    assert (membership.role, membership.ended_at) == ("viewer", None)
    assert not grants.may(actor.person(member), Power.MANAGE, office)


def test_two_invitations_of_one_person_make_one_account_and_keep_its_password(administrator, office):
    _, first = invited("nora@maple.example", "owner", office=office, by=administrator)
    _, second = invited("nora@maple.example", "owner", office=an_office("Oak"), by=administrator)
    user = accepted(first)

    assert invitations.accept(second, name="Other", password="another long password", signed_in=user) == user

    user.refresh_from_db()
    assert (user.memberships.count(), user.name, user.check_password(PASSWORD)) == (2, "Nora New", True)


def test_somebody_who_was_deactivated_is_not_let_in_again_by_an_invitation(administrator, office):
    _, secret = invited("nora@maple.example", "owner", office=office, by=administrator)
    user = a_person("nora@maple.example")
    User.objects.filter(pk=user.pk).update(is_active=False)

    with pytest.raises(errors.LinkNotValid):
        invitations.accept(secret, signed_in=user)
    with pytest.raises(errors.PersonNotActive):
        invitations.invite("nora@maple.example", "auditor", by=administrator)

    assert not user.memberships.exists()
    assert not user.groups.exists()


def people_and_what_they_may(office):
    """Who may invite to this Office, and who may invite staff."""
    other = an_office("Another")
    ended, stranger = a_person("ended@maple.example"), a_person("stranger@elsewhere.example")
    with trail.acting(actor.job("tests"), reason="the cast"):
        Membership.objects.create(user=ended, office=office, role="owner", ended_at=clock.wall())
        Membership.objects.create(user=stranger, office=other, role="owner")
    return {
        "administrator": (a_person("a@vendor.example", group="administrator"), True, True),
        "operator": (a_person("o@vendor.example", group="operator"), False, False),
        "auditor": (a_person("au@vendor.example", group="auditor"), False, False),
        "owner": (a_member(office, "owner"), True, False),
        "manager": (a_member(office, "manager"), False, False),
        "viewer": (a_member(office, "viewer"), False, False),
        "owner that left": (ended, False, False),
        "owner of another": (stranger, False, False),
        "outsider": (a_person("outsider@elsewhere.example"), False, False),
    }


def test_administrators_invite_everybody_and_owners_the_people_of_their_own_office(office):
    for name, (user, to_office, to_staff) in people_and_what_they_may(office).items():
        for given, may in (({"office": office, "role": "viewer"}, to_office), ({"role": "auditor"}, to_staff)):
            address = f"new-{name.replace(' ', '-')}@maple.example"
            by = actor.person(user)
            before = Invitation.objects.count()
            if may:
                invitation = invitations.invite(address, by=by, **given)
                invitations.send_again(invitation, by=by)
                invitations.withdraw(invitation, by=by)
                continue
            with pytest.raises(errors.NotPermitted):
                invitations.invite("not an address", by=by, **given)
            theirs = Invitation(email=address, pk=1, office=office if "office" in given else None)
            for act in (invitations.send_again, invitations.withdraw):
                with pytest.raises(errors.NotPermitted):
                    act(theirs, by=by)
            assert Invitation.objects.count() == before, name


def test_an_owner_of_an_archived_office_invites_nobody(office):
    owner = a_member(office, "owner")
    office.archived_at = clock.wall()
    type(office).objects.filter(pk=office.pk).update(archived_at=office.archived_at)
    with pytest.raises(errors.OfficeArchived):
        invitations.invite("new@maple.example", "viewer", office=office, by=actor.person(owner))


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b@c", "new@maple.example\nBcc: x@y.example", "x" * 300 + "@y.example"]
)
def test_what_is_no_address_is_refused(administrator, email):
    with pytest.raises(errors.AddressInvalid):
        invitations.invite(email, "auditor", by=administrator)


def test_a_role_of_staff_is_none_of_an_office_and_the_reverse(administrator, office):
    for role, where in (("owner", None), ("administrator", office), ("", None), ("superuser", None)):
        with pytest.raises(errors.RoleUnknown):
            invitations.invite("new@maple.example", role, office=where, by=administrator)
    assert set(roles.VENDOR) <= set(Group.objects.values_list("name", flat=True))
