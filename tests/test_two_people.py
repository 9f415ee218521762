from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.management import call_command

from billing import clock, errors
from billing.access import second_factor, two_people
from billing.audit import actor, trail
from billing.models import AuditEntry, User, Vouching
from billing.operations.compliance import approve_determination
from tests.admin.test_offices import signed_in
from tests.append_only import rewrite
from tests.conftest import PASSWORD, a_person
from tests.operations.test_agreement import BAA, prepare_determination

REASON = "both were in the room"


@pytest.fixture
def people(db):
    """Five administrators that nobody of them made, with short names."""
    return {name: a_person(f"{name}@vendor.example", group="administrator") for name in "abcde"}


def touch(by, account, *, days_ago=0):
    """This person gave the account a role, so many days ago."""
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with trail.acting(actor.person(by)):
        account.groups.add(Group.objects.get_or_create(name=f"role {AuditEntry.objects.count()}")[0])
    rewrite(AuditEntry.objects.exclude(pk__in=before), timestamp=clock.wall() - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("touches", "two"),
    [
        ([], True),
        (["ab"], False),  # a could act as b
        (["ba"], False),  # b could act as a
        (["ca", "cb"], False),  # c could act as both
        (["ca"], True),  # c could act as a only
        (["ac", "bc"], True),  # a third account that both changed says nothing about the two
        (["ac", "cb"], False),  # a could act as c, and so as b
        (["ca", "dc", "eb", "de"], False),  # d stands behind both
        (["ca", "dc", "eb"], True),
        (["aa", "bb"], True),  # everybody changes their own
        (["ac", "ca"], True),  # in a circle
        (["ac", "ca", "cb"], False),
    ],
)
def test_whether_two_accounts_are_two_people(people, touches, two):
    for by, account in touches:
        touch(people[by], people[account])

    assert two_people.are_two(people["a"], people["b"]) is two
    assert two_people.are_two(people["b"], people["a"]) is two


@pytest.mark.parametrize(("days", "two"), [(0, False), (29, False), (31, True)])
def test_what_was_done_to_an_account_counts_for_thirty_days(people, days, two):
    touch(people["a"], people["b"], days_ago=days)

    assert two_people.are_two(people["a"], people["b"]) is two


@pytest.mark.parametrize(("prepares", "approves"), ["ab", "ba"])
def test_whoever_removed_a_second_factor_is_no_second_person_beside_it(people, prepares, approves):
    Authenticator.objects.create(user=people["b"], type="totp", data={})
    second_factor.remove_all_for(people["b"], by=actor.person(people["a"]), reason="the phone was stolen")
    row = prepare_determination(BAA, by=actor.person(people[prepares]), reason=REASON)

    with pytest.raises(errors.OnePersonBehindBoth):
        approve_determination(row, by=actor.person(people[approves]), reason=REASON)

    rewrite(AuditEntry.objects.all(), timestamp=clock.wall() - timedelta(days=31))
    assert two_people.are_two(people["a"], people["b"])


def test_a_second_factor_that_a_command_removed_has_nobody_behind_it(people):
    Authenticator.objects.create(user=people["b"], type="totp", data={})
    call_command("remove_second_factor", people["b"].email)

    assert two_people.are_two(people["a"], people["b"])


def test_an_attempt_that_was_refused_did_nothing(people):
    with trail.acting(actor.person(people["a"])):
        trail.record_refusal(people["b"], "change a role", code="not_permitted")

    assert two_people.are_two(people["a"], people["b"])


def test_one_account_is_never_two_people(people):
    assert not two_people.are_two(people["a"], people["a"])


def test_nobody_approves_through_an_account_that_they_made(people):
    with trail.acting(actor.person(people["a"])):
        made = User.objects.create_user("made@vendor.example", PASSWORD, is_staff=True)
        made.groups.add(Group.objects.get(name="administrator"))
    row = prepare_determination(BAA, by=actor.person(people["a"]), reason=REASON)

    with pytest.raises(errors.OnePersonBehindBoth) as refused:
        approve_determination(row, by=actor.person(made), reason=REASON)

    said = str(refused.value)
    assert "a@vendor.example made or changed the account of made@vendor.example" in said
    assert "vouches" in said
    assert "create_administrator" in said
    entry = AuditEntry.objects.get(kind="refusal")
    assert (entry.actor, entry.content_type.model) == (made, "agreement")
    assert approve_determination(row, by=actor.person(people["b"]), reason=REASON).approved_by == people["b"]


def test_an_independent_administrator_vouches_for_what_was_done_before(people):
    a, b, c = (people[name] for name in "abc")
    touch(a, b)
    row = prepare_determination(BAA, by=actor.person(a), reason=REASON)

    two_people.vouch(a, b, by=actor.person(c), reason=REASON)

    assert AuditEntry.objects.get(content_type__model="vouching").actor == c
    assert approve_determination(row, by=actor.person(b), reason=REASON).approved_by == b
    touch(a, b)
    assert not two_people.are_two(a, b)


@pytest.mark.parametrize("touches", [["ac"], ["bc"], ["ca"], ["dc", "da"]])
def test_whoever_vouches_is_independent_of_both(people, touches):
    touch(people["a"], people["b"])
    for by, account in touches:
        touch(people[by], people[account])

    with pytest.raises(errors.OnePersonBehindBoth):
        two_people.vouch(people["a"], people["b"], by=actor.person(people["c"]), reason=REASON)

    assert not Vouching.objects.exists()


def test_nobody_vouches_for_themselves_or_without_the_role(people, operator):
    a, b = people["a"], people["b"]
    for by in (a, b):
        with pytest.raises(errors.VouchedByOneOfThem):
            two_people.vouch(a, b, by=actor.person(by), reason=REASON)
    with pytest.raises(errors.VouchedByOneOfThem):
        two_people.vouch(a, a, by=actor.person(b), reason=REASON)
    with pytest.raises(errors.NotPermitted):
        two_people.vouch(a, b, by=operator, reason="MRN 883122")

    assert not Vouching.objects.exists()


def test_in_the_admin_a_third_vouches_and_the_second_approves(people):
    a, b, c = (people[name] for name in "abc")
    touch(a, b)
    row = prepare_determination(BAA, by=actor.person(a), reason=REASON)
    page = f"/admin/billing/agreement/{row.pk}/"
    third = signed_in(c)
    assert "it: c@vendor.example, d@vendor.example, e@vendor.example." in third.get(page + "change/").content.decode()

    answer = third.post(
        "/admin/billing/vouching/vouch/", {"first": a.pk, "second": b.pk, "reason": REASON}, follow=True
    )

    assert "The two now count as two people." in answer.content.decode()
    assert "it: b@vendor.example, c@" in third.get(page + "change/").content.decode()
    signed_in(b).post(page + "approve/", {"reason": REASON})
    row.refresh_from_db()
    assert row.approved_by == b
