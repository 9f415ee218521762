from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Office, Operation, OperationStep
from billing.operations import change_contact, ensure_customer, open_portal, resume_unsettled, subscribe
from billing.operations.catalogue import FixedKey
from billing.stripe_api import gateway
from tests.conftest import a_member, an_office, price

REASON = "they told us"
NEW = {"name": "Maple Street Family Care", "billing_email": "accounts@maple.example", "locale": "es"}


@pytest.fixture
def known(stripe, operator, office):
    return ensure_customer(office, by=operator, reason="new")


def at_stripe(stripe):
    [found] = stripe.listed("customers")
    return {"name": found["name"], "billing_email": found["email"], "locale": found["preferred_locales"][0]}


def ours(office):
    return Office.objects.values(*NEW).get(pk=office.pk)


def due_again(*, hours=0):
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(hours=hours))


def test_the_contact_is_changed_here_and_at_stripe(stripe, operator, known):
    office = change_contact(known, by=operator, reason=REASON, **NEW)

    assert ours(office) == at_stripe(stripe) == NEW


def test_what_is_not_given_stays(stripe, operator, known):
    change_contact(known, by=operator, reason=REASON, locale="pt-BR")

    assert at_stripe(stripe) == {"name": known.name, "billing_email": known.billing_email, "locale": "pt-BR"}


def test_before_there_is_a_customer_only_our_own_columns_change(stripe, operator, office):
    change_contact(office, by=operator, reason=REASON, **NEW)

    assert ours(office) == NEW
    assert stripe.requests() == []
    ensure_customer(Office.objects.get(pk=office.pk), by=operator, reason="new")
    assert at_stripe(stripe) == NEW


def test_the_operation_keeps_the_address_masked_and_the_trail_says_who(stripe, operator, known, caplog):
    caplog.set_level("DEBUG")
    change_contact(known, by=operator, reason=REASON, **NEW)

    operation = Operation.objects.get(kind="update_customer")
    assert operation.request["before"]["billing_email"] == "b…@maple.example"
    assert operation.request["after"]["billing_email"] == "a…@maple.example"
    assert NEW["billing_email"] not in caplog.text
    entry = AuditEntry.objects.get(
        office=known, content_type__model="office", action=AuditEntry.Action.UPDATE, changes__has_key="billing_email"
    )
    assert (entry.actor, entry.reason) == (operator.user, REASON)
    about = AuditEntry.objects.filter(content_type__model="operation")
    assert not [one for one in about if NEW["billing_email"] in str(one.changes)]


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"name": " "}, errors.ContactInvalid),
        ({"billing_email": "no address"}, errors.ContactInvalid),
        ({"locale": "English"}, errors.ContactInvalid),
        ({"billing_email": "billing@maple.example"}, errors.NothingToChange),
        ({}, errors.NothingToChange),
    ],
    ids=str,
)
def test_what_cannot_be_a_contact_is_refused_before_stripe_is_asked(stripe, operator, known, given, refusal):
    stripe.forget_requests()

    with pytest.raises(refusal) as refused:
        change_contact(known, by=operator, reason=REASON, **given)

    assert stripe.requests() == []
    assert "no address" not in str(refused.value)


def test_what_stripe_says_of_an_address_is_passed_on_without_it(stripe, known):
    contact = gateway.contact(name="x", email="a.b@c@maple.example", locale="en", operation="")

    with pytest.raises(errors.StripeRejected, match="Invalid email address: …") as refused:
        gateway.update_customer(known.payment_provider_customer_id, contact, step=FixedKey("k"))

    assert "maple" not in str(refused.value)


def test_a_contact_that_stripe_refuses_changes_nothing(stripe, operator, known):
    Office.objects.filter(pk=known.pk).update(payment_provider_customer_id="cus_that_is_gone")

    with pytest.raises(errors.StripeRejected):
        change_contact(known, by=operator, reason=REASON, **NEW)

    assert ours(known)["billing_email"] == "billing@maple.example"
    assert Operation.objects.get(kind="update_customer").status == "rejected"


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_answer_ends_with_the_same_contact_on_both_sides(stripe, operator, known, kind):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        change_contact(known, by=operator, reason=REASON, **NEW)
    due_again()
    resume_unsettled()

    operation = Operation.objects.get(kind="update_customer")
    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert ours(known) == at_stripe(stripe)
    assert (ours(known) == NEW) is (kind != "500_after")


def test_a_changed_contact_is_found_when_its_answer_can_no_longer_come(stripe, operator, known):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        change_contact(known, by=operator, reason=REASON, **NEW)
    due_again(hours=21)
    resume_unsettled()

    assert Operation.objects.get(kind="update_customer").status == "succeeded"
    assert ours(known) == at_stripe(stripe) == NEW


def subscribe_on_trial(office, **given):
    return subscribe(office, price("practice-monthly"), trial_days=7, **given)


@pytest.mark.parametrize("begin", [ensure_customer, subscribe_on_trial])
def test_a_customer_without_an_answer_is_found_by_the_address_it_was_made_with(stripe, operator, office, begin, caplog):
    caplog.set_level("DEBUG")
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        begin(office, by=operator, reason="new")
    Office.objects.filter(pk=office.pk).update(billing_email="other@maple.example")
    due_again(hours=21)
    resume_unsettled()

    [customer] = stripe.listed("customers")
    assert Office.objects.get(pk=office.pk).payment_provider_customer_id == customer["id"]
    assert Operation.objects.get().status == ("succeeded" if begin is ensure_customer else "abandoned")
    assert "maple.example" not in caplog.text


def test_a_namesake_with_the_same_address_is_not_taken_for_it(stripe, operator, office):
    ensure_customer(an_office("Another Practice"), by=operator, reason="new")
    stripe.fail_next("503", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        ensure_customer(office, by=operator, reason="new")
    due_again(hours=21)
    resume_unsettled()

    assert Office.objects.get(pk=office.pk).payment_provider_customer_id is None


def test_the_portal_is_opened_for_a_customer_alone(stripe, operator, office):
    with pytest.raises(errors.NoCustomer):
        open_portal(office, by=operator, reason=REASON)
    known = ensure_customer(office, by=operator, reason="new")

    assert open_portal(known, by=operator, reason=REASON).startswith(stripe.url)
    stored = str(list(Operation.objects.values())) + str(list(OperationStep.objects.values()))
    assert "/portal/" not in stored


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_link_to_the_portal_is_settled_and_another_can_be_asked_for(stripe, operator, known, kind):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/billing_portal/")
    with pytest.raises(errors.StripeUnavailable, match="ask for another"):
        open_portal(known, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    assert Operation.objects.get(kind="open_portal").status == ("abandoned" if kind == "500_after" else "succeeded")
    assert open_portal(known, by=operator, reason=REASON)


def test_the_portal_can_charge_so_it_waits_for_a_determination(stripe, operator, known, settings):
    settings.STRIPE_LIVE_MODE = True
    stripe.forget_requests()

    with pytest.raises(errors.DeterminationMissing):
        open_portal(known, by=operator, reason=REASON)
    assert stripe.requests() == []


@pytest.mark.parametrize("role", ["viewer", "outsider"])
def test_the_wrong_role_is_refused(stripe, known, outsider, role):
    by = outsider if role == "outsider" else actor.person(a_member(known, "viewer"))

    with pytest.raises(errors.NotPermitted):
        change_contact(known, by=by, reason=REASON, **NEW)
    with pytest.raises(errors.NotPermitted):
        open_portal(known, by=by, reason=REASON)


def test_an_offices_own_people_are_told_no_address_of_the_vendor(stripe, operator, known):
    owner, viewer = actor.person(a_member(known, "owner")), actor.person(a_member(known, "manager"))
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        change_contact(known, by=operator, reason=REASON, locale="es")
    with pytest.raises(errors.OperationInProgress, match="asked by the vendor"):
        change_contact(known, by=owner, reason=REASON, locale="de")
    with pytest.raises(errors.OperationInProgress, match=r"asked by operator@vendor\.example"):
        change_contact(known, by=operator, reason=REASON, locale="de")
    due_again()
    resume_unsettled()

    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        change_contact(known, by=owner, reason=REASON, locale="fr")
    for by, words in ((owner, "yourself"), (viewer, "a colleague"), (operator, r"owner@maple\.example")):
        with pytest.raises(errors.OperationInProgress, match=f"asked by {words}"):
            change_contact(known, by=by, reason=REASON, locale="de")
