"""A role for one hour: it allows what the role allows, ends by itself, is told of, and makes nobody two people."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.access import effective, emergency, grants, roles
from billing.access.roles import VENDOR, Power
from billing.audit import actor
from billing.findings import KINDS
from billing.models import ApprovalRequest, AuditEntry, EmergencyRole, Finding, User
from billing.operations.engine import approvals, second_person
from billing.operations.engine.begin import perform
from billing.operations.money.credit import AdjustCredit
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
