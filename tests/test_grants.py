import pytest

from billing.access import grants
from billing.audit import actor
from billing.models import Membership
from tests.conftest import a_member, a_person, an_office


@pytest.mark.parametrize("permission", ["view_office", "view_billing", "manage_billing"])
def test_one_query_finds_the_same_offices_as_the_question_for_each(office, permission):
    other = an_office("Another Practice")
    people = [a_person(f"{group}@vendor.example", group=group) for group in ("auditor", "operator", "administrator")]
    people += [a_member(office, role) for role in Membership.Role.values]
    people += [a_person("outsider@elsewhere.example")]

    for user in people:
        asked_each = {one for one in (office, other) if grants.may(actor.person(user), permission, one)}
        assert set(grants.offices_where(user, permission)) == asked_each
