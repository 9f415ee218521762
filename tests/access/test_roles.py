"""The table of powers and roles, and what is made of it: the groups, the grants, docs/access.md."""

import functools
import importlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader
from django.test import Client

from billing import clock, jobs, member_grants, zones
from billing.access import effective, grants, roles
from billing.access.roles import OFFICE, PERMISSIONS, VENDOR, Power
from billing.admin.acts.customer import ACTS
from billing.audit import actor, trail
from billing.findings import KINDS
from billing.models import AuditEntry, Finding, Membership, Office, OfficeUserPermission, User
from billing.reconciliation import decisions
from tests.conftest import a_member, a_person, an_office

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"


def test_every_permission_exists_and_is_of_one_power(db):
    named = [one for codenames in PERMISSIONS.values() for one in codenames]
    found = set(Permission.objects.filter(content_type__app_label="billing").values_list("codename", flat=True))

    assert set(PERMISSIONS) == set(Power)
    assert len(named) == len(set(named))
    assert set(named) <= found


def test_an_administrator_operates_nothing_and_an_operator_rules_over_nobody():
    operating = {Power.MANAGE, Power.OPERATE, Power.GIVE_BACK, Power.APPROVE, Power.PREVIEW, Power.PORTAL}
    ruling = {Power.PEOPLE, Power.MEMBERS, Power.PLANS, Power.DETERMINATIONS}

    assert not VENDOR["administrator"] & operating
    for role in ("support", "operator", "finance", "auditor"):
        assert not VENDOR[role] & ruling, role
    assert not VENDOR["auditor"] & operating
    assert VENDOR["support"] == {Power.LOOK}
    for powers in OFFICE.values():
        assert not powers & {Power.OPERATE, Power.GIVE_BACK, Power.APPROVE, Power.PEOPLE, Power.PLANS}


def test_what_several_roles_allow_adds_up(office):
    by = actor.person(a_person("both@vendor.example", group="auditor finance"))

    assert {power for power in Power if grants.may(by, power, office)} == VENDOR["auditor"] | VENDOR["finance"]


def test_groups_are_written_as_the_table_says(db):
    group = Group.objects.get(name="auditor")
    group.permissions.add(Permission.objects.get(codename="give_back"))

    roles.write_groups()

    held = set(group.permissions.values_list("codename", flat=True))
    assert held == roles.permissions_of(VENDOR["auditor"])


def test_the_document_has_the_same_table():
    """One row for each power, one column for each role: ``yes`` or empty."""
    lines = DOCUMENT.read_text().splitlines()
    begins = next(number for number, line in enumerate(lines) if line.startswith("| It allows to … |"))
    names, _, *table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[begins:]]
    rows = {}
    for row in table:
        if len(row) != len(names):
            break
        rows[row[0]] = {name for name, cell in zip(names[1:], row[1:], strict=True) if cell == "yes"}

    everything = {**VENDOR, **OFFICE}
    assert names[1:] == list(everything)
    assert rows == {power.value: {role for role in everything if power in everything[role]} for power in Power}


# --- People of before.


@functools.cache
def at_that_time():
    """The models as the migration sees them."""
    return MigrationLoader(None).project_state(("billing", "0024_roles")).apps


def migrated():
    importlib.import_module("billing.migrations.0024_roles").leave_people_what_they_can_do(at_that_time(), None)


BEFORE = {
    "operator": {"add_office", "change_office", "manage_billing", "prepare_agreement", "view_auditentry"},
    "administrator": {"add_office", "change_office", "manage_billing", "add_user", "change_user", "add_membership"}
    | {"change_membership", "add_plan", "change_plan", "add_planprice", "prepare_agreement", "approve_agreement"}
    | {"view_auditentry", "view_user", "view_office", "view_billing"},
    "auditor": {"view_auditentry", "view_office", "view_billing", "view_user"},
}
"""Some of what each role allowed before it was split."""


def test_people_of_before_may_do_as_much_and_a_person_is_asked_to_review_them(db, administrator):
    cast = {role: a_person(f"{role}@before.example", group=role) for role in BEFORE}
    by, group = cast["operator"], Group.objects.get(name="finance")

    migrated()
    migrated()

    for role, permissions in BEFORE.items():
        user = User.objects.get(pk=cast[role].pk)
        assert not {one for one in permissions if not user.has_perm(f"billing.{one}")}, role
    finding = Finding.objects.get(kind="roles_to_review")
    assert "operator@before.example: was operator; is also auditor, finance." in finding.detail
    assert "administrator@before.example: was administrator; is also auditor, finance, operator." in finding.detail
    assert "auditor@before.example" not in finding.detail
    entry = AuditEntry.objects.get(object_id=by.pk, content_type__model="user", actor_label="migrate")
    assert entry.changes["groups"]["objects"] == ["auditor", "finance"]
    assert group in by.groups.all()
    assert KINDS["roles_to_review"].by_person


def test_the_review_is_closed_by_a_person(db, operator):
    a_person("old@before.example", group="operator")
    migrated()

    decisions.close(Finding.objects.get(), by=operator, reason="we looked at each of them")

    assert Finding.objects.get().resolved_at is not None


def test_on_a_new_database_there_is_nobody_to_review(db):
    migrated()

    assert not Finding.objects.exists()


# --- Grants of members.


def held(user):
    return set(OfficeUserPermission.objects.filter(user=user).values_list("permission__codename", flat=True))


@pytest.fixture
def owner_of_before(office):
    """An owner with the grants of before the table had more powers."""
    owner = a_member(office, "owner")
    with trail.acting(actor.job("tests")):
        OfficeUserPermission.objects.exclude(permission__codename__in=["view_office", "view_billing"]).delete()
    return owner


@pytest.mark.parametrize("mend", [member_grants.mend, lambda: call_command("migrate", verbosity=0)])
def test_grants_of_before_are_mended(owner_of_before, office, mend):
    by = actor.person(owner_of_before)
    assert not grants.may(by, Power.MEMBERS, office)

    mend()

    assert all(grants.may(by, power, office) for power in OFFICE["owner"])
    assert AuditEntry.objects.filter(actor_label="mend-grants", object_repr__contains="owner").exists()


def test_the_worker_mends_them_and_takes_away_those_of_a_membership_that_is_over(office):
    viewer, gone = a_member(office, "viewer"), a_member(office, "manager")
    Membership.objects.filter(user=gone).update(ended_at=clock.wall() - timedelta(seconds=1))
    assert held(gone)
    before = held(viewer)

    jobs.enqueue("mend-grants")
    jobs.run_due()

    assert (held(gone), held(viewer)) == (set(), before)


def test_where_all_is_right_nothing_is_written(office, django_assert_num_queries):
    for role in OFFICE:
        a_member(office, role)
    with trail.acting(actor.job("tests")), django_assert_num_queries(1 + 2 * len(OFFICE)) as seen:
        assert grants.mend() == 0
    assert not [one for one in seen.captured_queries if not one["sql"].lstrip("(").startswith("SELECT")]


# --- Who can do what on one Office.


def test_effective_access_says_who_may_and_why(office, operator, auditor, capsys):
    owner = a_member(office, "owner")
    a_member(an_office("Another Practice"), "manager")
    ends = clock.wall() + timedelta(days=9)
    Membership.objects.filter(user=owner).update(ended_at=ends)
    inactive = a_person("inactive@vendor.example", group="operator")
    inactive.is_active = False
    with trail.acting(actor.job("tests")):
        inactive.save()

    found = list(effective.on(office))
    call_command("effective_access", str(office.public_id))
    told = capsys.readouterr().out

    assert [one.person.email for one in found if one.until] == ["owner@maple.example"]
    assert {one.person.email for one in found} == {
        "owner@maple.example",
        "operator@vendor.example",
        "auditor@vendor.example",
    }
    for one in found:
        assert all(grants.may(actor.person(one.person), power, office) for power in one.powers)
    today, last = (zones.bare_day(at, office.time_zone) for at in (clock.wall(), ends))
    assert f"owner@maple.example is owner of this Office since {today} until {last}, " in told
    assert "(America/New_York): look," in told
    assert "auditor@vendor.example has the vendor's role auditor: look, details, documents, audit, exports" in told


def test_effective_access_leaves_out_nobody_who_may(office):
    for role in VENDOR:
        a_person(f"{role}@vendor.example", group=role)
    for role in OFFICE:
        a_member(office, role)

    told = {one.person: set(one.powers) for one in effective.on(office)}

    for user in User.objects.all():
        may = {power for power in Power if grants.may(actor.person(user), power, office)}
        assert told.get(user, set()) == may, user


def test_effective_access_shows_who_lacks_the_factor_that_the_office_requires(office, capsys):
    people = {role: a_member(office, role) for role in ("owner", "viewer")}
    staff = a_person("operator@vendor.example", group="operator")
    Authenticator.objects.create(user=people["owner"], type="totp", data={"secret": "x"})
    Office.objects.update(requires_second_factor=True)
    office.refresh_from_db()

    told = {one.person: set(one.powers) for one in effective.on(office)}
    call_command("effective_access", str(office.public_id))

    for user in (*people.values(), staff):
        assert told[user] == {power for power in Power if grants.may(actor.person(user), power, office)}, user
    assert (told[people["owner"]], told[people["viewer"]]) == (OFFICE["owner"], set())
    says = next(line for line in capsys.readouterr().out.splitlines() if "viewer@" in line)
    assert says.endswith(", and lacks the second factor that it requires: nothing")


def test_the_page_of_who_has_access_is_reached_from_the_office(office, client):
    a_member(office, "owner")
    client.force_login(a_person("auditor@vendor.example", group="auditor"))

    page = f"/admin/billing/office/{office.pk}/effective-access/"
    shown = client.get(page).content.decode()

    assert page in client.get(f"/admin/billing/office/{office.pk}/change/").content.decode()
    assert re.search(r"owner@maple.example.*is owner of this Office", shown, re.DOTALL)
    assert "effective_access" in {act.name for act in ACTS}


def test_no_office_of_that_name_is_said(db):
    from django.core.management import CommandError

    an_office("Twice")
    an_office("Twice")
    for given, says in (("Nowhere", "no Office Nowhere"), ("Twice", "2 Offices have the name")):
        with pytest.raises(CommandError, match=says):
            call_command("effective_access", given)
    assert Office.objects.count() == 2


def test_the_trail_inside_a_page_is_for_those_who_read_the_trail(office):
    for role, sees in (("operator", False), ("auditor", True)):
        client = Client()
        client.force_login(a_person(f"{role}@vendor.example", group=role))
        shown = client.get(f"/admin/billing/office/{office.pk}/change/").content.decode()
        assert ("Audit trail" in shown) is sees, role
