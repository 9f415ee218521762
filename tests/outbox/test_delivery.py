"""E-mails leave by SMTP: once, with a link made at that moment, and with every outcome on record."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.db import transaction
from django.test import Client

from billing import clock, matters
from billing.access import invitations
from billing.audit import actor, trail
from billing.findings import report
from billing.models import (
    ApprovalRequest,
    AuditEntry,
    EmergencyRole,
    Finding,
    Invitation,
    Notification,
    OneTimeLink,
    User,
)
from billing.outbox import delivery, keeping, kinds, suppression
from tests.outbox.conftest import Kind, a_wait_is_over, asked_to_reset, link_in, the_row, told_of_role

pytestmark = pytest.mark.django_db
NOBODY_LISTENS = 1


def test_an_e_mail_is_sent_once_as_text_and_as_html(mail_server):
    asked_to_reset("mira@maple.example")

    assert [delivery.work_off(), delivery.work_off()] == [1, 0]

    (mail,) = mail_server.received
    assert (mail["To"], mail["From"], mail["Subject"]) == (
        "mira@maple.example",
        "billing@vendor.example",
        "Set a new password",
    )
    assert mail["Message-ID"] == f"<{the_row().public_id}@vendor.example>"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert link_in(mail) in mail.get_body(("html",)).get_content()
    row = the_row()
    assert (row.state, row.attempts, row.recipient, row.claim_id) == ("sent", 1, "mira@maple.example", None)
    assert row.sent_at


def waits_for_approval(administrator, operator, office):
    request = ApprovalRequest.objects.create(
        office=office, kind="refund_payment", request={}, amount=5_000, currency="usd", requested_by=administrator.user
    )
    put(Kind.APPROVAL_WAITS, operator, request=str(request.public_id))


def has_emergency_role(administrator, operator, office):
    row = EmergencyRole.objects.create(
        person=operator.user, role="finance", given_by=administrator.user, reason="nobody can be reached"
    )
    put(Kind.EMERGENCY_ROLE, administrator, emergency_role=row.pk)


def is_alerted(administrator, *_):
    found = report("check_failed", "clock", office=None, detail="The clock is off.", facts="clock")
    put(Kind.ALERT, administrator, finding=found.pk, level="red")


def put(kind, to, **given):
    Notification.objects.put(kind, "because", user=to.user, **given)


CAUSES: dict[str, Any] = {
    Kind.INVITATION: lambda by, _, office: invitations.invite("new@maple.example", "owner", office=office, by=by),
    Kind.PASSWORD_RESET: lambda *_: asked_to_reset(),
    Kind.ROLE_GIVEN: lambda *_: told_of_role(),
    Kind.APPROVAL_WAITS: waits_for_approval,
    Kind.EMERGENCY_ROLE: has_emergency_role,
    Kind.ALERT: is_alerted,
    Kind.SECOND_FACTOR_REMOVED: lambda _, operator, office: put(Kind.SECOND_FACTOR_REMOVED, operator),
}


def decided(administrator, operator):
    ApprovalRequest.objects.update(expires_at=clock.wall())


def without_role(administrator, operator):
    for person in (administrator.user, operator.user):
        person.groups.clear()


def deactivated(administrator, operator):
    User.objects.update(is_active=False)


@pytest.mark.parametrize(
    ("kind", "meanwhile"),
    [
        (Kind.APPROVAL_WAITS, decided),
        (Kind.APPROVAL_WAITS, without_role),
        (Kind.APPROVAL_WAITS, deactivated),
        (Kind.EMERGENCY_ROLE, without_role),
        (Kind.EMERGENCY_ROLE, deactivated),
        (Kind.ALERT, without_role),
        (Kind.ALERT, deactivated),
        (Kind.SECOND_FACTOR_REMOVED, deactivated),
    ],
)
def test_nobody_is_told_what_does_not_concern_them_any_more(
    mail_server, administrator, operator, office, kind, meanwhile
):
    with transaction.atomic(), trail.acting(actor.job("tests")):
        CAUSES[kind](administrator, operator, office)
        meanwhile(administrator, operator)

    delivery.work_off()

    assert Notification.objects.get().state == "dropped"
    assert mail_server.received == []


ELSEWHERE = {
    *(Kind.PAYMENT_LINK, Kind.CARD_LINK),  # Stripe is asked for the page that they lead to: tests/admin/test_links.py
    *(Kind.STAFF_DIGEST, *suppression.NOTICES),  # tests/outbox/test_notices.py
}


@pytest.mark.parametrize("kind", sorted(set(kinds.KINDS) - ELSEWHERE))
def test_each_kind_has_a_text_in_both_forms_and_is_declared(mail_server, administrator, operator, office, kind):
    with transaction.atomic(), trail.acting(administrator):
        CAUSES[kind](administrator, operator, office)

    delivery.work_off()

    (mail,) = mail_server.received
    plain, html = (mail.get_body((form,)).get_content() for form in ("plain", "html"))
    declared = kinds.KINDS[kind]
    assert isinstance(declared, kinds.Kind)
    assert declared.subject == mail["Subject"]
    assert "{" not in plain + html
    assert "None" not in plain + html
    assert ("?link=" in plain) == ("?link=" in html) == (kind in ("invitation", "password_reset"))
    assert ("/admin/" in plain) == ("/admin/" in html) == (kind in ("approval_waits", "emergency_role", "alert"))
    kept = serializers.serialize("json", Notification.objects.all())
    assert "://" not in kept
    assert "/admin/" not in kept


FOR_STAFF = {Kind.ROLE_GIVEN, Kind.APPROVAL_WAITS, Kind.EMERGENCY_ROLE, Kind.ALERT, Kind.STAFF_DIGEST}


@pytest.mark.parametrize("support", ["billing-help@vendor.example", ""])
@pytest.mark.parametrize("kind", sorted(CAUSES))
def test_who_answers_questions_is_named_to_everybody_but_staff(
    mail_server, settings, administrator, operator, office, kind, support
):
    settings.SUPPORT_EMAIL = support
    with transaction.atomic(), trail.acting(administrator):
        CAUSES[kind](administrator, operator, office)

    delivery.work_off()

    (mail,) = mail_server.received
    named = support if kind not in FOR_STAFF else ""
    assert mail["Reply-To"] is None  # a reply would quote the link
    for form in ("plain", "html"):
        says = mail.get_body((form,)).get_content()
        assert "Please do not reply." in says
        assert ("Do you have a question? Write to" in says and named in says) == bool(named)
        assert ("do not write about patients" in says) == bool(named)
        assert ("Nobody reads replies." in says) == (not named)


def test_the_kinds_for_staff_are_those_that_name_nobody():
    assert {kind for kind, declared in kinds.KINDS.items() if declared.is_for_staff} == FOR_STAFF


def test_every_kind_is_declared():
    assert set(kinds.KINDS) == set(Notification.Kind.values)


def test_the_secret_of_a_link_is_in_no_row(mail_server, administrator):
    invitations.invite("new@vendor.example", "operator", by=administrator)
    asked_to_reset()
    delivery.work_off()

    rows = [*Notification.objects.all(), *OneTimeLink.objects.all(), *Invitation.objects.all()]
    kept = serializers.serialize("json", [*rows, *AuditEntry.objects.all()])
    secrets = [link_in(mail).partition("?link=")[2] for mail in mail_server.received]
    assert [len(secret) for secret in secrets] == [43, 43]  # 32 bytes
    assert [secret in kept for secret in secrets] == [False, False]
    digests = {hashlib.sha256(secret.encode()).hexdigest() for secret in secrets}
    assert set(OneTimeLink.objects.values_list("digest", flat=True)) == digests


def test_it_goes_to_the_address_that_the_person_has_when_it_is_sent(mail_server):
    user = asked_to_reset("old@maple.example")
    type(user).objects.filter(pk=user.pk).update(email="new@maple.example")

    delivery.work_off()

    assert mail_server.received[0]["To"] == the_row().address == "new@maple.example"


@pytest.mark.parametrize("place", ["RCPT", "DATA"])
def test_a_mail_server_that_refuses_for_good_parks_it_with_a_finding_and_a_person_sends_it_again(
    mail_server, operator, place
):
    asked_to_reset()
    mail_server.answers[place] = "550 5.1.1 <mira@maple.example> unknown"

    delivery.work_off()

    row, found = the_row(), Finding.objects.get()
    assert (row.state, row.attempts, found.kind) == ("parked", 1, "mail_parked")
    assert "550 5.1.1" in row.last_error
    assert "mira@" not in row.last_error + found.detail

    mail_server.answers.clear()
    assert keeping.send_again(row, by=operator)
    assert not keeping.send_again(row, by=operator)  # it waits already
    delivery.work_off()

    assert (the_row().state, len(mail_server.received)) == ("sent", 1)
    assert Finding.objects.get().resolved_at
    assert AuditEntry.objects.get(kind="act").actor == operator.user


def test_a_mail_server_that_refuses_for_now_is_asked_again_and_at_last_it_is_parked(mail_server):
    asked_to_reset()
    mail_server.answers["RCPT"] = "451 4.7.1 try again later"
    waits = []

    for _ in range(12):
        assert the_row().state == "waiting"
        delivery.work_off()
        waits.append((the_row().due_at - the_row().created_at).total_seconds())
        a_wait_is_over()

    for wait, least in zip(waits, [30, 60, 120, 240, 480, 900, 900], strict=False):
        assert least <= wait < least + 10  # sending takes a moment too
    assert (the_row().state, mail_server.received) == ("parked", [])
    assert set(Finding.objects.values_list("kind", flat=True)) == {"mail_waits", "mail_parked"}


def test_a_mail_server_that_is_away_parks_nothing_and_a_finding_tells_of_it_until_it_is_over(mail_server, settings):
    asked_to_reset()
    settings.EMAIL_PORT = NOBODY_LISTENS

    for _ in range(20):
        assert delivery.work_off() == 1
        a_wait_is_over()

    found = Finding.objects.get()
    assert (the_row().state, found.kind, found.subject) == ("waiting", "mail_waits", "outbox")
    assert not OneTimeLink.objects.exists()  # none is made before there is a connection
    settings.EMAIL_PORT = mail_server.port
    delivery.work_off()
    matters.close_what_is_over()
    assert (the_row().state, len(mail_server.received)) == ("sent", 1)
    assert Finding.objects.get().resolved_at


def test_a_link_is_sent_again_if_the_connection_was_lost_but_not_for_ever(mail_server):
    asked_to_reset()
    mail_server.hangs_up = True

    for _ in range(10):
        delivery.work_off()
        a_wait_is_over()

    assert the_row().state == "parked"
    assert len(mail_server.received) == delivery.MOST_IF_UNKNOWN
    assert len({mail["Message-ID"] for mail in mail_server.received}) == 1
    for mail in mail_server.received:
        assert Client().get(link_in(mail)).status_code == 200


def test_a_notice_is_not_sent_again_if_the_connection_was_lost_and_a_finding_tells_of_it(mail_server, operator):
    told_of_role()
    mail_server.hangs_up = True

    delivery.work_off()
    a_wait_is_over()
    delivery.work_off()

    assert (the_row().state, len(mail_server.received)) == ("unknown", 1)
    assert Finding.objects.get().kind == "mail_unknown"
    mail_server.hangs_up = False
    keeping.send_again(the_row(), by=operator)
    delivery.work_off()
    assert (the_row().state, len(mail_server.received)) == ("sent", 2)
    assert Finding.objects.get().resolved_at


def test_what_is_not_needed_any_more_is_not_sent(mail_server, administrator):
    left = asked_to_reset("left@maple.example")
    elsewhere = asked_to_reset("elsewhere@maple.example")
    invitation = invitations.invite("new@vendor.example", "operator", by=administrator)
    type(left).objects.filter(pk=left.pk).update(is_active=False)
    elsewhere.set_unusable_password()
    type(left).objects.filter(pk=elsewhere.pk).update(password=elsewhere.password)
    invitations.withdraw(invitation, by=administrator)

    delivery.work_off()

    assert set(Notification.objects.values_list("state", flat=True)) == {"dropped"}
    assert mail_server.received == []


def test_a_mistake_in_an_e_mail_is_on_record_and_holds_up_no_other(mail_server):
    asked_to_reset()
    told_of_role()
    Notification.objects.filter(kind="role_given").update(context={})  # as an older version may have left it

    delivery.work_off()

    assert [mail["Subject"] for mail in mail_server.received] == ["Set a new password"]
    waits = Notification.objects.get(kind="role_given")
    assert (waits.state, waits.last_error) == ("waiting", "KeyError: 'role'")


def test_an_e_mail_of_a_kind_that_a_later_version_knows_waits_for_it(mail_server):
    asked_to_reset()
    Notification.objects.update(kind="of_a_later_version")

    assert delivery.work_off() == 0

    assert the_row().state == "waiting"


def test_a_worker_whose_lease_ended_while_it_connected_hands_nothing_over(mail_server, settings):
    """The mail server is so slow to greet that a second worker has sent it meanwhile."""
    asked_to_reset()
    settings.EMAIL_BACKEND = "tests.outbox.slow.Backend"

    delivery.work_off()

    assert (len(mail_server.received), the_row().state, the_row().attempts) == (1, "sent", 2)
    assert OneTimeLink.objects.count() == 1


def test_old_e_mails_and_links_are_deleted_and_parked_ones_stay(mail_server):
    for email in ("one@maple.example", "two@maple.example", "three@maple.example"):
        asked_to_reset(email)
        delivery.work_off()
    rows = dict(Notification.objects.values_list("user__email", "pk"))
    long_ago = the_first_link().made_at - timedelta(days=91)
    Notification.objects.exclude(pk=rows["three@maple.example"]).update(created_at=long_ago)
    Notification.objects.filter(pk=rows["two@maple.example"]).update(state="parked")
    OneTimeLink.objects.filter(pk=the_first_link().pk).update(expires_at=long_ago)

    assert keeping.purge_settled() is False

    assert set(Notification.objects.values_list("pk", flat=True)) == {
        rows["two@maple.example"],
        rows["three@maple.example"],
    }
    assert OneTimeLink.objects.count() == 2


def the_first_link():
    return OneTimeLink.objects.order_by("pk").first()
