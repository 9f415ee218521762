"""The access review: who can do what on what, and what changed that."""

from datetime import timedelta

from billing import clock
from billing.audit import actor, trail
from billing.evidence import access_review
from billing.models import User
from tests.api.services import a_service
from tests.conftest import a_member, a_person


def test_it_has_each_person_with_what_they_may_do_and_why(operator, office):
    owner = a_member(office, "owner")
    stranger = a_person("stranger@elsewhere.example")

    found = {(one["person"], one["office"]): one for one in access_review.access()}
    listed = {one["person"]: one for one in access_review.people()}

    assert "change who belongs to this Office" in found[owner.email, office.name]["may"]
    assert found[owner.email, office.name]["why"].startswith("is owner of this Office since")
    assert (operator.user.email, "every Office") in found
    assert not [person for person, _ in found if person == stranger.email]
    assert listed.keys() == set(User.objects.values_list("email", flat=True))
    assert listed[operator.user.email]["roles"] == ["auditor", "finance", "operator"]


def test_who_was_switched_off_may_do_nothing_and_is_still_listed(operator):
    with trail.acting(actor.job("tests")):
        operator.user.is_active = False
        operator.user.save()

    assert list(access_review.access()) == []
    assert [one["is_active"] for one in access_review.people()] == [False]


def test_a_service_is_listed_with_its_end_and_last_use(administrator):
    service, _ = a_service(by=administrator)

    [found] = access_review.services()

    assert (found["service"], found["expires_at"], found["last_used_at"]) == (service.name, service.expires_at, None)
    assert found["secrets"] == [service.secrets.get().prefix]


def test_changes_of_roles_in_the_period_are_there_with_who_and_why(operator, office, administrator):
    a_member(office, "owner")
    begin = clock.wall()
    with trail.acting(administrator, reason="a new task"):
        operator.user.groups.remove(*operator.user.groups.filter(name="finance"))
        operator.user.name = "Olive"
        operator.user.save()

    [one] = access_review.changes(begin, clock.wall() + timedelta(seconds=1))

    assert (one["by"], one["reason"]) == (administrator.user.email, "a new task")
    assert list(one["changes"]) == ["groups"]
    before = list(access_review.changes(begin - timedelta(hours=1), begin))
    assert [one for one in before if one["about"].startswith("membership") and "owner" in one["about"]]
