"""Each face judges what is typed before it is stored or sent. What is here already is never held up."""

import dataclasses
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from rest_framework.test import APIClient

from billing import clock, errors, matters, stored_texts
from billing.access import invitations
from billing.models import Finding, IdempotentRequest, Invitation, Office, Operation, Plan, User
from billing.operations.compliance import prepare_determination
from billing.operations.engine import idempotency
from billing.operations.engine.begin import perform
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.start import StartSubscription
from tests.admin import test_plans
from tests.admin.test_offices import signed_in
from tests.api.test_api import path
from tests.conftest import a_member, a_person, price_id
from tests.operations.test_agreement import BAA
from tests.test_refused_text import everything_kept, memo

MARK = "883122"
MRN = f"Zebedee MRN {MARK}"
AN_OFFICE = {"name": "Elm Practice", "billing_email": "b@elm.example", "time_zone": "UTC", "locale": "en"}


def subscribe(office, by):
    wanted = StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa")
    perform(wanted, office, by=by, reason="begins")


ACTS = {
    "name": lambda office, by: perform(ChangeContact(name=MRN), office, by=by, reason="they moved"),
    "billing email": lambda office, by: perform(
        ChangeContact(billing_email=f"mrn{MARK}@elm.example"), office, by=by, reason="they moved"
    ),
    "coupon": lambda office, by: perform(
        StartSubscription(price=price_id("practice-monthly"), coupon=f"MRN{MARK}"), office, by=by, reason="begins"
    ),
    "legal basis": lambda office, by: prepare_determination(memo(legal_basis=MRN), by=by, reason="counsel wrote"),
    "reviewer": lambda office, by: prepare_determination(memo(reviewer=MRN), by=by, reason="counsel wrote"),
    "name of who signed for us": lambda office, by: prepare_determination(
        dataclasses.replace(BAA, our_signer=MRN), by=by, reason="signed"
    ),
    "e-mail address": lambda office, by: invitations.invite(f"mrn{MARK}@elm.example", "viewer", office=office, by=by),
}


@pytest.mark.parametrize("field", ACTS)
def test_an_act_with_a_text_about_a_patient_is_refused_by_name_and_the_text_kept_nowhere(
    stripe, administrator, office, field
):
    if field in ("name", "billing email"):
        subscribe(office, administrator)
    with pytest.raises(errors.TextNotNeutral, match=f"The {field} seems to contain a record number"):
        ACTS[field](office, administrator)

    assert MARK not in everything_kept()
    assert MARK not in str(stripe.listed("customers"))


FORMS = {
    "billing_office_add": {**AN_OFFICE, "name": MRN, "is_the_practices": "on"},
    "billing_plan_add": test_plans.form(name=MRN),
}


@pytest.mark.parametrize("page", FORMS)
def test_a_form_of_the_admin_keeps_no_text_about_a_patient(stripe, administrator, page, caplog):
    answer = signed_in(administrator.user).post(reverse(f"admin:{page}"), FORMS[page])

    assert "seems to contain a record number" in answer.content.decode()
    assert MARK not in everything_kept()
    assert MARK not in caplog.text


def test_the_api_keeps_no_refused_text_with_its_key_and_no_key(stripe, office, caplog):
    client = APIClient()
    client.force_authenticate(a_member(office, "owner"))
    for number, body in enumerate(({"reason": MRN, "name": "Elm"}, {"reason": "they moved", "name": MRN})):
        key = f"mrn-{MARK}-{number}"
        answer = client.post(path(office, "contact/"), body, format="json", HTTP_IDEMPOTENCY_KEY=key)
        assert (answer.status_code, answer.data["code"]) == (422, "text_not_neutral")
        assert MARK not in str(answer.data)

    assert MARK not in everything_kept()
    assert MARK not in caplog.text


def test_a_code_that_is_unknown_is_in_no_message_that_is_kept(stripe, office):
    client = APIClient()
    client.force_authenticate(a_member(office, "owner"))
    body = {"price": price_id("practice-monthly"), "coupon": "Zebedee", "trial_days": 0, "reason": "we begin"}

    answer = client.post(path(office, "subscription/"), body, format="json", HTTP_IDEMPOTENCY_KEY="one")

    assert answer.data["code"] == "coupon_unknown"
    assert "Zebedee" not in f"{IdempotentRequest.objects.get().answer} {Operation.objects.get().error_message}"


def test_a_key_of_the_version_before_is_known_and_a_new_one_is_stored_as_a_digest(db):
    person = a_person("o@elm.example")
    old = IdempotentRequest.objects.create(
        actor=person, key="old", body_hash="x", claim_id="0" * 32, lease_until=clock.wall() + timedelta(minutes=1)
    )

    assert idempotency.claim(person, "old", "x") == (old, False)
    row, ours = idempotency.claim(person, "new", "x")

    assert ours
    assert row.key == "sha256:" + "11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437"
    assert idempotency.claim(person, "new", "x") == (row, False)


@pytest.mark.parametrize("command", ["export_audit", "retire_audit", "reconcile", "move_database"])
def test_a_command_refuses_a_reason_about_a_patient_before_it_does_anything(stripe, command, tmp_path):
    named = {"export_audit": [str(tmp_path / "trail.zip")], "move_database": ["--abandon"]}
    with pytest.raises(CommandError, match="seems to contain a record number"):
        call_command(command, *named.get(command, []), reason=MRN)

    assert MARK not in everything_kept()
    assert not list(tmp_path.iterdir())


def test_an_invited_person_cannot_take_a_name_about_a_patient(stripe, administrator):
    invitation = invitations.invite("n@vendor.example", "operator", by=administrator)
    link = invitations.links.to_accept(invitation)
    secret = link.rpartition("link=")[2]

    with pytest.raises(errors.TextNotNeutral, match="The name"):
        invitations.accept(secret, name=MRN, password="a long and good password")

    assert not User.objects.filter(email="n@vendor.example").exists()
    assert Invitation.objects.get().accepted_at is None


def test_whoever_changes_a_name_or_address_confirms_whose_it_is(stripe, administrator, office):
    client, page = signed_in(administrator.user), reverse("admin:billing_office_add")
    assert "The software cannot check this" in client.post(page, AN_OFFICE).content.decode()
    assert client.post(page, {**AN_OFFICE, "is_the_practices": "on"}).status_code == 302

    given = {"locale": "es", "name": office.name, "billing_email": office.billing_email, "why": "agreed"}
    changed = signed_in(administrator.user).post(
        reverse("admin:billing_office_contact", args=[office.pk]), {**given, "name": "Another Practice"}
    )
    assert "The software cannot check this" in changed.content.decode()


def test_a_time_zone_is_one_that_exists(stripe, administrator):
    form = {**AN_OFFICE, "time_zone": "John Smith", "is_the_practices": "on"}
    answer = signed_in(administrator.user).post(reverse("admin:billing_office_add"), form)

    assert "There is no such time zone" in answer.content.decode()
    assert not Office.objects.exists()


def test_a_name_that_is_here_does_not_stop_a_new_address(stripe, administrator, office):
    subscribe(office, administrator)
    Office.objects.filter(pk=office.pk).update(name=MRN)
    office.refresh_from_db()

    perform(ChangeContact(name=MRN, billing_email="new@elm.example"), office, by=administrator, reason="they moved")

    office.refresh_from_db()
    assert office.billing_email == "new@elm.example"


def test_what_is_here_and_would_be_refused_is_told_once_and_no_more_when_it_was_changed(stripe, office):
    Office.objects.filter(pk=office.pk).update(name=MRN)
    plan = Plan.objects.get(code="practice")
    Plan.objects.filter(pk=plan.pk).update(name="Roe 123-45-6789")
    for hour in range(stored_texts.SLICES):
        stored_texts.judge_slice(hour)

    found = {one.subject: one for one in Finding.objects.filter(kind="text_about_a_patient", resolved_at=None)}
    assert set(found) == {str(office.public_id), str(plan.public_id)}
    assert found[str(office.public_id)].office == office
    assert "the name seems to contain a record number" in found[str(office.public_id)].detail
    assert not [one for one in found.values() if MARK in f"{one.detail} {one.facts}" or "6789" in one.detail]

    Office.objects.filter(pk=office.pk).update(name="Elm Practice")
    matters.close_what_is_over()
    assert Finding.objects.get(subject=str(office.public_id)).resolved_at is not None
    assert Finding.objects.get(subject=str(plan.public_id)).resolved_at is None
