import uuid
from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Office, Operation, OperationStep
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.offices.contact import ChangeContact
from billing.operations.offices.customer import EnsureCustomer, OpenPortal
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api import gateway
from billing.stripe_api.fixed_key import FixedKey
from tests.conftest import a_member, an_office, price_id

REASON = "they told us"
NEW = {"name": "Maple Street Family Care", "billing_email": "accounts@maple.example", "locale": "es"}


@pytest.fixture
def known(stripe, operator, office):
    return perform(EnsureCustomer(), office, by=operator, reason="new")


def at_stripe(stripe):
    [found] = stripe.listed("customers")
    return {"name": found["name"], "billing_email": found["email"], "locale": found["preferred_locales"][0]}


def ours(office):
    return Office.objects.values(*NEW).get(pk=office.pk)


def due_again(*, hours=0):
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(hours=hours))


def test_the_contact_is_changed_here_and_at_stripe(stripe, operator, known):
    office = perform(ChangeContact(**NEW), known, by=operator, reason=REASON)

    assert ours(office) == at_stripe(stripe) == NEW


def test_what_is_not_given_stays(stripe, operator, known):
    perform(ChangeContact(locale="pt-BR"), known, by=operator, reason=REASON)

    assert at_stripe(stripe) == {"name": known.name, "billing_email": known.billing_email, "locale": "pt-BR"}


@pytest.mark.usefixtures("commits_are_kept")
def test_before_there_is_a_customer_only_our_own_columns_change(stripe, operator, office):
    perform(ChangeContact(**NEW), office, by=operator, reason=REASON)

    assert ours(office) == NEW
    assert stripe.requests() == []
    perform(EnsureCustomer(), Office.objects.get(pk=office.pk), by=operator, reason="new")
    assert at_stripe(stripe) == NEW


def test_the_operation_keeps_the_address_masked_and_the_trail_says_who(stripe, operator, known, caplog):
    caplog.set_level("DEBUG")
    perform(ChangeContact(**NEW), known, by=operator, reason=REASON)

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
        perform(ChangeContact(**given), known, by=operator, reason=REASON)

    assert stripe.requests() == []
    assert "no address" not in str(refused.value)


def test_what_stripe_says_of_an_address_is_passed_on_without_it(stripe, known):
    address = '"a.b@c"@maple.example'  # it can be an address, but Stripe does not take it
    contact = gateway.customers.contact(name="x", email=address, locale="en", operation=str(uuid.uuid4()))

    with pytest.raises(errors.StripeRejected, match="Invalid email address: …") as refused:
        gateway.customers.update_customer(known.payment_provider_customer_id, contact, step=FixedKey("k"))

    assert "maple" not in str(refused.value)


def test_a_contact_that_stripe_refuses_changes_nothing(stripe, operator, known):
    Office.objects.filter(pk=known.pk).update(payment_provider_customer_id="cus_that_is_gone")

    with pytest.raises(errors.StripeRejected):
        perform(ChangeContact(**NEW), known, by=operator, reason=REASON)

    assert ours(known)["billing_email"] == "billing@maple.example"
    assert Operation.objects.get(kind="update_customer").status == "rejected"


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_answer_ends_with_the_same_contact_on_both_sides(stripe, operator, known, kind):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeContact(**NEW), known, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    operation = Operation.objects.get(kind="update_customer")
    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert ours(known) == at_stripe(stripe)
    assert (ours(known) == NEW) is (kind != "500_after")


def test_a_changed_contact_is_found_when_its_answer_can_no_longer_come(stripe, operator, known):
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeContact(**NEW), known, by=operator, reason=REASON)
    due_again(hours=21)
    resume_unsettled()

    assert Operation.objects.get(kind="update_customer").status == "succeeded"
    assert ours(known) == at_stripe(stripe) == NEW


def on_trial():
    return StartSubscription(price=price_id("practice-monthly"), trial_days=7)


@pytest.mark.parametrize("asked", [EnsureCustomer, on_trial])
def test_a_customer_without_an_answer_is_found_by_the_address_it_was_made_with(stripe, operator, office, asked, caplog):
    caplog.set_level("DEBUG")
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        perform(asked(), office, by=operator, reason="new")
    Office.objects.filter(pk=office.pk).update(billing_email="other@maple.example")
    due_again(hours=21)
    resume_unsettled()

    [customer] = stripe.listed("customers")
    assert Office.objects.get(pk=office.pk).payment_provider_customer_id == customer["id"]
    assert Operation.objects.get().status == ("succeeded" if asked is EnsureCustomer else "abandoned")
    assert "maple.example" not in caplog.text


def test_a_namesake_with_the_same_address_is_not_taken_for_it(stripe, operator, office):
    perform(EnsureCustomer(), an_office("Another Practice"), by=operator, reason="new")
    stripe.fail_next("503", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        perform(EnsureCustomer(), office, by=operator, reason="new")
    due_again(hours=21)
    resume_unsettled()

    assert Office.objects.get(pk=office.pk).payment_provider_customer_id is None


def test_the_portal_is_opened_for_a_customer_alone(stripe, operator, office):
    with pytest.raises(errors.NoCustomer):
        perform(OpenPortal(), office, by=operator, reason=REASON)
    known = perform(EnsureCustomer(), office, by=operator, reason="new")

    assert perform(OpenPortal(), known, by=operator, reason=REASON).startswith(stripe.url)
    stored = str(list(Operation.objects.values())) + str(list(OperationStep.objects.values()))
    assert "/portal/" not in stored


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_a_lost_link_to_the_portal_is_settled_and_another_can_be_asked_for(stripe, operator, known, kind):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/billing_portal/")
    with pytest.raises(errors.StripeUnavailable, match="Ask for another"):
        perform(OpenPortal(), known, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    assert Operation.objects.get(kind="open_portal").status == ("abandoned" if kind == "500_after" else "succeeded")
    assert perform(OpenPortal(), known, by=operator, reason=REASON)


def test_the_portal_can_charge_so_it_waits_for_a_determination(stripe, operator, known, settings):
    settings.STRIPE_LIVE_MODE = True
    stripe.forget_requests()

    with pytest.raises(errors.DeterminationMissing):
        perform(OpenPortal(), known, by=operator, reason=REASON)
    assert stripe.requests() == []


@pytest.mark.parametrize("role", ["viewer", "outsider"])
def test_the_wrong_role_is_refused(stripe, known, outsider, role):
    by = outsider if role == "outsider" else actor.person(a_member(known, "viewer"))

    with pytest.raises(errors.NotPermitted):
        perform(ChangeContact(**NEW), known, by=by, reason=REASON)
    with pytest.raises(errors.NotPermitted):
        perform(OpenPortal(), known, by=by, reason=REASON)


def test_an_offices_own_people_are_told_no_address_of_the_vendor(stripe, operator, known):
    owner, viewer = actor.person(a_member(known, "owner")), actor.person(a_member(known, "manager"))
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeContact(locale="es"), known, by=operator, reason=REASON)
    with pytest.raises(errors.OperationInProgress, match="asked for by the vendor"):
        perform(ChangeContact(locale="de"), known, by=owner, reason=REASON)
    with pytest.raises(errors.OperationInProgress, match=r"asked for by operator@vendor\.example"):
        perform(ChangeContact(locale="de"), known, by=operator, reason=REASON)
    due_again()
    resume_unsettled()

    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeContact(locale="fr"), known, by=owner, reason=REASON)
    for by, words in ((owner, "yourself"), (viewer, "a colleague"), (operator, r"owner@maple\.example")):
        with pytest.raises(errors.OperationInProgress, match=f"asked for by {words}"):
            perform(ChangeContact(locale="de"), known, by=by, reason=REASON)
