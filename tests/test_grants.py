import pytest

from billing import errors
from billing.access import grants, roles
from billing.access.roles import Power
from billing.audit import actor
from billing.models import Membership
from tests.conftest import a_member, a_person, an_office

TO = "do this"


@pytest.mark.parametrize("power", Power)
def test_one_query_finds_the_same_offices_as_the_question_for_each(office, power):
    other = an_office("Another Practice")
    people = [a_person(f"{group}@vendor.example", group=group) for group in roles.VENDOR]
    people += [a_member(office, role) for role in Membership.Role.values]
    people += [a_person("outsider@elsewhere.example")]

    for user in people:
        asked_each = {one for one in (office, other) if grants.may(actor.person(user), power, one)}
        assert set(grants.offices_where(user, power)) == asked_each


@pytest.mark.parametrize("lacks", ["is_staff", "is_active"])
def test_a_role_without_the_rest_of_what_makes_staff_is_worth_nothing(office, operator, lacks):
    grants.require_vendor(operator, Power.MANAGE, to=TO)
    assert grants.may(operator, Power.MANAGE, office)

    setattr(operator.user, lacks, False)

    assert not grants.may(operator, Power.MANAGE, office)
    with pytest.raises(errors.NotPermitted):
        grants.require_vendor(operator, Power.MANAGE, to=TO)


def test_a_superuser_who_is_no_staff_has_what_was_granted_and_no_more(office):
    other = an_office("Another Practice")
    user = a_member(office, "viewer")
    user.is_superuser = True
    by = actor.person(user)

    assert grants.may(by, Power.LOOK, office)
    assert not grants.may(by, Power.MANAGE, office)
    assert not grants.may(by, Power.LOOK, other)
    assert list(grants.offices_where(user, Power.LOOK)) == [office]
    with pytest.raises(errors.StaffOnly):
        grants.require_vendor(by, Power.MANAGE, to=TO)


def test_jobs_and_services_act_for_the_vendor_and_members_do_not(office, auditor):
    for by in (actor.job("dunning"), actor.service("stripe")):
        grants.require_vendor(by, Power.MANAGE, to=TO)
    for by, refusal in ((auditor, errors.NotPermitted), (actor.person(a_member(office, "owner")), errors.StaffOnly)):
        with pytest.raises(errors.NotPermitted) as refused:
            grants.require_vendor(by, Power.MANAGE, to=TO)
        assert type(refused.value) is refusal
