"""People in the admin: invited by e-mail, and nobody types another person's password."""

import re
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from billing import clock
from billing.access import invitations
from billing.findings import report
from billing.models import AuditEntry, Finding, Invitation, Notification, OneTimeLink, User
from billing.outbox import delivery
from tests.admin.test_offices import signed_in
from tests.conftest import a_person, can_sign_in
from tests.pages.test_links import GOOD, page_of, text

pytestmark = pytest.mark.django_db
INVITE = "/admin/billing/invitation/invite/"


def page(model, row, act="change"):
    return f"/admin/billing/{model}/{row.pk}/{act}/"


def link_in(mail):
    return page_of(re.search(r"http\S+\?link=\S+", mail.body)[0])


def test_an_administrator_invites_staff_who_choose_their_own_password(administrator, mailoutbox):
    client = signed_in(administrator.user)
    users = client.get(reverse("admin:billing_user_changelist"))
    assert "/admin/billing/user/invite/" in users.content.decode()
    assert client.get("/admin/billing/user/invite/").url == INVITE

    shown = client.post(INVITE, {"email": "nora@vendor.example", "role": "operator"}, follow=True)
    delivery.work_off()

    assert "A worker sends the invitation within a minute" in text(shown)
    assert mailoutbox[0].to == ["nora@vendor.example"]
    Client().post(link_in(mailoutbox[0]), GOOD)
    nora = User.objects.get(email="nora@vendor.example")
    assert [group.name for group in nora.groups.all()] == ["operator"]
    assert "accepted" in text(client.get(reverse("admin:billing_invitation_changelist")))


def test_an_administrator_invites_a_person_of_an_office_on_the_offices_page(administrator, office, mailoutbox):
    client = signed_in(administrator.user)
    assert page("office", office, "invite") in client.get(page("office", office)).content.decode()
    assert f"They become a member of {office}" in text(client.get(page("office", office, "invite")))

    client.post(page("office", office, "invite"), {"email": "nora@maple.example", "role": "owner"})
    delivery.work_off()

    assert office.name in mailoutbox[0].body
    Client().post(link_in(mailoutbox[0]), GOOD)
    assert User.objects.get(email="nora@maple.example").memberships.get().role == "owner"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email": "nora", "role": "operator"}, "Enter a valid email address"),
        ({"email": "nora@vendor.example", "role": "owner"}, "Select a valid choice"),
        ({"email": "nora@vendor.example", "role": ""}, "This field is required"),
        ({"email": "invited@vendor.example", "role": "operator"}, "This address is already invited. Send that"),
        ({"email": "administrator@vendor.example", "role": "administrator"}, "This person already has this role"),
    ],
)
def test_a_refusal_stays_on_the_page_with_what_was_typed(administrator, given, says):
    invitations.invite("invited@vendor.example", "operator", by=administrator)

    shown = signed_in(administrator.user).post(INVITE, given)

    assert says in text(shown)
    assert f'value="{given["email"]}"' in shown.content.decode()
    assert Invitation.objects.count() == 1


def test_an_open_invitation_is_sent_again_and_withdrawn(administrator, mailoutbox):
    client = signed_in(administrator.user)
    invitation = invitations.invite("nora@vendor.example", "operator", by=administrator)
    shown = client.get(page("invitation", invitation)).content.decode()
    for act in ("send-again", "withdraw"):
        assert page("invitation", invitation, act) in shown
        assert "operator" in text(client.get(page("invitation", invitation, act)))

    client.post(page("invitation", invitation, "send-again"), {"csrfmiddlewaretoken": "x"})
    delivery.work_off()
    assert len(mailoutbox) == 2
    assert {Client().get(link_in(mail)).status_code for mail in mailoutbox} == {200}

    client.post(page("invitation", invitation, "withdraw"), {"csrfmiddlewaretoken": "x"})
    assert {Client().get(link_in(mail)).status_code for mail in mailoutbox} == {404}
    assert page("invitation", invitation, "withdraw") not in client.get(page("invitation", invitation)).content.decode()
    again = client.post(page("invitation", invitation, "withdraw"), {"csrfmiddlewaretoken": "x"})
    assert "This invitation was accepted or withdrawn" in text(again)


def test_one_address_gets_few_invitations_in_an_hour_and_the_page_says_so(administrator):
    client = signed_in(administrator.user)
    invitation = invitations.invite("nora@vendor.example", "operator", by=administrator)
    ask = partial(client.post, page("invitation", invitation, "send-again"), {"csrfmiddlewaretoken": "x"})
    for _ in range(invitations.TO_ADDRESS.times - 1):
        assert ask().status_code == 302

    refused = ask()

    assert "Too many invitations were sent in the last hour. This one was not sent" in text(refused)
    assert Notification.objects.count() == invitations.TO_ADDRESS.times


def test_a_person_gets_a_link_for_a_new_password_and_the_administrator_never_sees_it(administrator, mailoutbox):
    client, mira = signed_in(administrator.user), a_person("mira@maple.example")
    assert page("user", mira, "reset-link") in client.get(page("user", mira)).content.decode()

    shown = client.post(page("user", mira, "reset-link"), {"csrfmiddlewaretoken": "x"}, follow=True)
    delivery.work_off()

    assert "?link=" not in shown.content.decode()
    assert "?link=" not in client.get(reverse("admin:billing_notification_changelist")).content.decode()
    assert Client().post(link_in(mailoutbox[0]), GOOD).status_code == 200
    assert can_sign_in(mira.email, GOOD["new_password1"])
    assert AuditEntry.objects.filter(kind="act", actor=administrator.user).count() == 1


def test_no_form_of_the_admin_takes_a_password(administrator):
    client, mira = signed_in(administrator.user), a_person("mira@maple.example")
    before = User.objects.get(pk=mira.pk).password

    assert client.get(f"/admin/billing/user/{mira.pk}/password/").status_code in (302, 404)
    assert client.get("/admin/billing/user/add/").status_code == 403
    shown = client.get(page("user", mira)).content.decode()
    assert not re.findall(r'name="\w*password\w*"', shown)
    assert before not in shown
    stamp = client.get(page("user", mira)).context["stamp"]
    form = {"email": mira.email, "name": "Mira", "is_active": "on", "stamp": stamp}
    form |= {"password": "x", "password1": "y", "password2": "y"}
    assert client.post(page("user", mira), form).status_code == 302

    mira.refresh_from_db()
    assert (mira.name, mira.password) == ("Mira", before)


def test_nobody_searches_for_the_digest_of_a_password(administrator):
    answer = signed_in(administrator.user).get("/admin/billing/user/?password__startswith=md5")

    assert answer.status_code == 400


def test_others_neither_invite_nor_send_links_nor_see_the_buttons(operator, auditor, administrator, office):
    invitation = invitations.invite("nora@vendor.example", "operator", by=administrator)
    asked = [
        INVITE,
        page("office", office, "invite"),
        page("invitation", invitation, "send-again"),
        page("invitation", invitation, "withdraw"),
        page("user", administrator.user, "reset-link"),
    ]
    for by in (operator, auditor):
        client = signed_in(by.user)
        for address in asked:
            assert client.get(address).status_code == 403
            assert client.post(address, {"email": "x@y.example", "role": "operator"}).status_code == 403
        for seen in ("/admin/billing/user/", page("office", office), page("invitation", invitation)):
            assert not [address for address in asked if address in client.get(seen).content.decode()]
    assert (Invitation.objects.count(), Notification.objects.count(), OneTimeLink.objects.count()) == (1, 1, 0)


@pytest.mark.parametrize("state", Notification.State.values)
def test_only_an_e_mail_that_stopped_is_sent_again_by_a_click(administrator, operator, state):
    invitations.invite("nora@vendor.example", "operator", by=administrator)
    row = Notification.objects.get()
    Notification.objects.update(state=state, attempts=3, last_error="550 no such person", due_at=clock.wall())
    report("mail_parked", str(row.public_id), office=None, detail="x")
    client, stopped = signed_in(operator.user), state in ("parked", "unknown")
    assert "nora@vendor.example" in text(client.get(reverse("admin:billing_notification_changelist")))
    shown = client.get(page("notification", row))
    assert "550 no such person" in text(shown)
    assert (page("notification", row, "send-again") in shown.content.decode()) == stopped

    client.post(page("notification", row, "send-again"), {"csrfmiddlewaretoken": "x"})

    row.refresh_from_db()
    assert (row.state, row.attempts) == (("waiting", 0) if stopped else (state, 3))
    assert bool(Finding.objects.get().resolved_at) == stopped
    assert AuditEntry.objects.filter(kind="act", actor=operator.user).count() == stopped


def test_an_auditor_sees_e_mails_and_sends_none(administrator, auditor):
    invitations.invite("nora@vendor.example", "operator", by=administrator)
    Notification.objects.update(state="parked")
    row, client = Notification.objects.get(), signed_in(auditor.user)

    assert client.get(page("notification", row)).status_code == 200
    assert client.post(page("notification", row, "send-again"), {"csrfmiddlewaretoken": "x"}).status_code == 403
    assert Notification.objects.get().state == "parked"


def link_for(capsys, email="first@vendor.example"):
    call_command("create_administrator", email)
    return page_of(re.search(r"http\S+\?link=\S+", capsys.readouterr().out)[0])


def test_the_first_administrator_is_invited_on_the_command_line_and_on_record(db, capsys):
    address = link_for(capsys)
    assert not User.objects.exists()
    assert not Notification.objects.exists()  # there may be no mail server yet

    Client().post(address, GOOD)

    first = User.objects.get()
    assert [group.name for group in first.groups.all()] == ["administrator"]
    assert can_sign_in("FIRST@vendor.example", GOOD["new_password1"])
    about = AuditEntry.objects.get_for_object(first)
    assert {(entry.actor, entry.actor_label) for entry in about} == {(None, "create_administrator")}
    with pytest.raises(CommandError, match="already"):
        call_command("create_administrator", "First@vendor.example")


def test_running_it_again_makes_a_new_link_and_ends_the_old_one(db, capsys):
    old, new = link_for(capsys), link_for(capsys, "FIRST@vendor.example")

    assert [Client().get(address).status_code for address in (old, new)] == [404, 200]
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("email", ["nobody", ""])
def test_the_command_says_what_is_wrong_with_an_address(db, email):
    with pytest.raises(CommandError, match="not a valid e-mail address"):
        call_command("create_administrator", email)
