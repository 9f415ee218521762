"""A role for one hour: it allows what the role allows, ends by itself, is told of, and makes nobody two people."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from billing import clock, errors
from billing.access import effective, emergency, grants, roles, tokens, two_people
from billing.access.roles import VENDOR, Power
from billing.audit import actor
from billing.findings import KINDS
from billing.models import ApprovalRequest, AuditEntry, EmergencyRole, Finding, Notification, User
from billing.models.audit import AppendOnlyError
from billing.models.emergency_role import ENDING
from billing.operations.engine import approvals, second_person
from billing.operations.engine.begin import perform
from billing.operations.money.credit import AdjustCredit
from billing.outbox import delivery
from tests.admin.test_offices import signed_in
from tests.conftest import a_person, an_office

REASON = "nobody of finance can be reached"


@pytest.fixture
def chief(db):
    return actor.person(a_person("chief@vendor.example", group="administrator"))


@pytest.fixture
def helping(db):
    return a_person("helping@vendor.example", group="support")


def anew(user):
    """The person as the next request knows them."""
    return User.objects.get(pk=user.pk)


def over():
    EmergencyRole.objects.update(ends_at=clock.wall() - timedelta(seconds=1))


@pytest.mark.parametrize("role", VENDOR)
@pytest.mark.parametrize("power", Power)
def test_it_allows_what_the_role_allows_and_no_more(office, chief, role, power):
    User.objects.filter(pk=a_person("no.role@vendor.example").pk).update(is_staff=True)
    user = User.objects.get(email="no.role@vendor.example")
    assert not roles.has(anew(user), power)
    emergency.give(user, role, by=chief, reason=REASON)

    allowed = power in VENDOR[role]
    assert roles.has(anew(user), power) is allowed
    assert grants.may(actor.person(anew(user)), power, office) is allowed
    assert grants.offices_where(anew(user), power).contains(office) is allowed
    assert roles.people_with(power).contains(user) is allowed
    over()
    assert not roles.has(anew(user), power)
    assert not grants.offices_where(anew(user), power).contains(office)
    assert not roles.people_with(power).contains(user)


def test_it_lasts_an_hour_and_everybody_is_told(chief, helping, office):
    row = emergency.give(helping, "finance", by=chief, reason=REASON)

    assert timedelta(minutes=59) < row.ends_at - clock.wall() <= timedelta(hours=1)
    found = Finding.objects.get(kind="emergency_role")
    assert (found.severity, KINDS["emergency_role"].by_person) == ("critical", True)
    assert "chief@vendor.example gave helping@vendor.example the role finance until" in found.detail
    entry = AuditEntry.objects.get(kind="act", content_type__model="user")
    assert (entry.actor, entry.object_id, entry.reason) == (chief.user, helping.pk, REASON)
    access = [one for one in effective.on(office) if one.person == helping and one.until]
    assert [(one.until, Power.APPROVE in one.powers) for one in access] == [(row.ends_at, True)]
    assert REASON in access[0].why


@pytest.mark.parametrize("lacks", ["is_staff", "is_active"])
def test_it_gives_nothing_to_who_is_not_of_the_staff(chief, helping, lacks):
    emergency.give(helping, "finance", by=chief, reason=REASON)
    User.objects.filter(pk=helping.pk).update(**{lacks: False})

    assert not roles.has(anew(helping), Power.GIVE_BACK)
    with pytest.raises(errors.NotOfTheStaff):
        emergency.give(anew(helping), "finance", by=chief, reason=REASON)


def test_only_who_gives_roles_gives_one_and_is_asked_before_a_word_is_judged(operator, helping):
    with pytest.raises(errors.NotPermitted):
        emergency.give(helping, "finance", by=operator, reason="MRN 883122")

    assert not EmergencyRole.objects.exists()


def test_it_never_approves_ones_own_request_and_does_not_make_one_person_two(stripe, chief, helping, subscribed):
    emergency.give(chief.user, "finance", by=chief, reason=REASON)
    own = actor.person(anew(chief.user))
    with pytest.raises(errors.SentForApproval):
        perform(AdjustCredit(amount=1_000_000), subscribed, by=own, reason="goodwill")
    row = ApprovalRequest.objects.get()
    with pytest.raises(errors.OwnRequest):
        approvals.approve(row, by=own, as_of=clock.wall())

    emergency.give(helping, "finance", by=chief, reason=REASON)
    with pytest.raises(errors.OnePersonBehindBoth):
        approvals.approve(row, by=actor.person(anew(helping)), as_of=clock.wall())
    assert helping not in second_person.approvers(row)


def test_each_administrator_is_told_by_e_mail_with_a_link_to_its_page(chief, helping, operator, auditor, mailoutbox):
    second = a_person("second.chief@vendor.example", group="administrator")
    a_person("gone.chief@vendor.example", group="administrator")
    User.objects.filter(email="gone.chief@vendor.example").update(is_active=False)

    row = emergency.give(helping, "finance", by=chief, reason=REASON)

    mails = Notification.objects.filter(kind="emergency_role")
    assert {mail.user for mail in mails} == {chief.user, second}
    assert [mail.context for mail in mails] == [{"emergency_role": row.pk}] * 2
    delivery.work_off()
    assert {mail.to[0] for mail in mailoutbox} == {chief.user.email, second.email}
    for mail in mailoutbox:
        assert "chief@vendor.example gave helping@vendor.example the role finance, until" in mail.body
        assert f"/admin/billing/emergencyrole/{row.pk}/change/" in mail.body
        assert REASON not in mail.body


def test_a_role_that_was_refused_tells_nobody(chief, helping):
    with pytest.raises(errors.NotOfTheStaff):
        emergency.give(helping, "king", by=chief, reason=REASON)

    assert not Notification.objects.exists()


ENDED = {"reason": "finance is back"}


@pytest.mark.parametrize("who", ["another administrator", "the person who has it"])
def test_it_is_ended_early_and_the_next_request_has_no_power(chief, helping, office, who):
    row = emergency.give(helping, "finance", by=chief, reason=REASON)
    other = a_person("second.chief@vendor.example", group="administrator")
    page, credit = f"/admin/billing/emergencyrole/{row.pk}/", f"/admin/billing/office/{office.pk}/credit/"
    helper, ends = signed_in(anew(helping)), other if who == "another administrator" else anew(helping)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {tokens.make(anew(helping))[1]}")
    approvals_page = f"/api/v1/offices/{office.public_id}/approvals/"
    assert (helper.get(credit).status_code, api.get(approvals_page).status_code) == (200, 200)
    client = signed_in(ends)
    assert page + "end/" in client.get(page + "change/").content.decode()

    shown = client.post(page + "end/", ENDED, follow=True).content.decode()

    assert (helper.get(credit).status_code, api.get(approvals_page).status_code) == (403, 403)
    assert not roles.has(anew(helping), Power.GIVE_BACK)
    assert not grants.offices_where(anew(helping), Power.GIVE_BACK).exists()
    assert not roles.people_with(Power.GIVE_BACK).contains(helping)
    assert not [one for one in effective.on(office) if one.until]
    assert "ended early" in shown
    assert ENDED["reason"] in shown
    assert page + "end/" not in shown
    (entry,) = AuditEntry.objects.get_for_object(row).filter(action=AuditEntry.Action.UPDATE)
    assert (entry.actor, entry.reason, set(entry.changes)) == (ends, ENDED["reason"], ENDING)
    again = client.post(page + "end/", {"reason": "another time"})
    assert "has ended already" in again.content.decode()
    assert EmergencyRole.objects.get().end_reason == ENDED["reason"]


def test_only_these_two_end_it_and_only_with_a_reason(chief, helping, operator):
    row = emergency.give(helping, "finance", by=chief, reason=REASON)
    page = f"/admin/billing/emergencyrole/{row.pk}/"
    client = signed_in(operator.user)
    assert page + "end/" not in client.get(page + "change/").content.decode()
    assert client.get(page + "end/").status_code == 403
    assert client.post(page + "end/", ENDED).status_code == 403
    for by in (operator, actor.job("tests")):
        with pytest.raises(errors.NotPermitted):
            emergency.end(row, by=by, reason="MRN 883122")
    with pytest.raises(errors.ReasonRequired):
        emergency.end(row, by=chief, reason=" ")
    signed_in(chief.user).post(page + "end/", {"reason": ""})

    assert EmergencyRole.objects.in_force().contains(row)
    over()
    with pytest.raises(errors.EmergencyRoleOver):
        emergency.end(row, by=chief, reason=REASON)


def test_to_end_one_puts_nobody_behind_the_account(chief, helping):
    other = actor.person(a_person("second.chief@vendor.example", group="administrator"))
    row = emergency.give(helping, "finance", by=chief, reason=REASON)

    emergency.end(row, by=other, reason=ENDED["reason"])

    assert two_people.are_two(other.user, helping)
    assert not two_people.are_two(chief.user, helping)


def test_one_is_only_ended_and_never_edited(chief, helping):
    row = emergency.give(helping, "support", by=chief, reason=REASON)
    row.role = "finance"
    for given in ({}, {"update_fields": ["role"]}, {"update_fields": ["role", *ENDING]}):
        with pytest.raises(AppendOnlyError):
            row.save(**given)


@pytest.fixture(autouse=True)
def limit(settings):
    settings.APPROVAL_LIMITS = {"usd": 10_000}


def test_in_the_admin(stripe, chief, helping):
    client, page = signed_in(chief.user), "/admin/billing/emergencyrole/"

    answer = client.post(page + "give/", {"person": helping.pk, "role": "finance", "reason": REASON}, follow=True)

    assert "Given. It ends by itself after one hour." in answer.content.decode()
    assert "in force" in answer.content.decode()
    assert "1 critical finding needs attention" in client.get("/admin/").content.decode()
    office = an_office("Elm Street Dental")
    helper = signed_in(anew(helping))
    assert helper.get(f"/admin/billing/office/{office.pk}/credit/").status_code == 200
    over()
    assert helper.get(f"/admin/billing/office/{office.pk}/credit/").status_code == 403
