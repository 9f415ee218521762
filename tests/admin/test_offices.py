import pytest
from django.test import Client
from django.urls import reverse

from billing.models import AuditEntry, Office, Operation
from tests.conftest import a_person, an_office, price, subscribed_office


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(name, office):
    return f"/admin/billing/office/{office.pk}/{name}"


FORM = {
    "quantity": "1",
    "trial_days": "0",
    "confirmed": "yes",
    "payment_method": "pm_card_visa",
    "why": "other",
    "note": "signed up by phone",
}


def test_staff_create_an_office_and_the_trail_says_who(stripe, operator):
    client = signed_in(operator.user)
    client.post(
        reverse("admin:billing_office_add"),
        {
            "name": "New Practice",
            "billing_email": "b@new.example",
            "time_zone": "UTC",
            "locale": "en",
            "is_the_practices": "on",
        },
    )

    office = Office.objects.get(name="New Practice")
    assert AuditEntry.objects.filter(office=office, actor=operator.user, action=AuditEntry.Action.CREATE).exists()


def test_staff_subscribe_an_office_and_see_that_it_is_active(stripe, operator, office):
    client = signed_in(operator.user)
    form = {**FORM, "price": str(price("practice-monthly").public_id)}

    answer = client.post(page("subscribe/", office), form, follow=True)

    assert "Start a subscription: done" in answer.content.decode()
    assert Office.objects.get(pk=office.pk).subscription_status == "active"
    assert "active" in client.get(page("change/", office)).content.decode()


def test_a_declined_card_is_told_on_the_form_and_the_input_stays(stripe, operator, office):
    form = {**FORM, "price": str(price("practice-monthly").public_id), "payment_method": "pm_card_chargeCustomerFail"}

    shown = signed_in(operator.user).post(page("subscribe/", office), form).content.decode()

    assert "declined" in shown
    assert "signed up by phone" in shown


def test_a_reason_must_be_given(stripe, operator, office):
    form = {**FORM, "price": str(price("practice-monthly").public_id), "why": ""}

    shown = signed_in(operator.user).post(page("subscribe/", office), form).content.decode()

    assert "This field is required" in shown
    assert not Operation.objects.exists()


def test_staff_cancel_at_the_end_of_the_period(stripe, operator, office):
    client = signed_in(operator.user)
    client.post(page("subscribe/", office), {**FORM, "price": str(price("practice-monthly").public_id)})

    seen = client.post(page("cancel/", office), {"when": "period_end", "why": "closing"}).context["step"].loss.seen
    client.post(page("cancel/", office), {"when": "period_end", "why": "closing", "confirmed": "yes", "seen": seen})

    assert Office.objects.get(pk=office.pk).ends_with_this_period


@pytest.mark.parametrize("name", ["subscribe/", "cancel/"])
def test_an_auditor_reads_and_may_not_act(stripe, auditor, office, name):
    client = signed_in(auditor.user)

    assert client.get(page("change/", office)).status_code == 200
    assert client.get(page(name, office)).status_code == 403
    assert client.post(page(name, office), {"reason": "try"}).status_code == 403


LISTS = (
    "office plan subscription invoice payment adjustment operation receivedevent finding auditentry user membership "
    "agreement job workerheartbeat notification invitation"
).split()


@pytest.mark.parametrize("model", LISTS)
def test_every_list_opens_for_staff_and_nothing_can_be_deleted(stripe, administrator, operator, office, model):

    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    client = signed_in(administrator.user)

    shown = client.get(reverse(f"admin:billing_{model}_changelist"))

    assert shown.status_code == 200
    assert "delete_selected" not in shown.content.decode()
    for key in ("cus_", "sub_", "in_1"):
        assert f">{office.payment_provider_customer_id}<" not in shown.content.decode(), key


def test_every_record_opens(stripe, administrator, operator, office):
    from django.apps import apps

    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    client = signed_in(administrator.user)
    whole = Office.objects.get(pk=office.pk).payment_provider_customer_id
    for model in LISTS:
        row = apps.get_model("billing", model).objects.first()
        if row is not None:
            shown = client.get(reverse(f"admin:billing_{model}_change", args=[row.pk]))
            assert shown.status_code == 200, model
            assert whole not in shown.content.decode(), model


def test_dj_stripes_own_admin_is_not_there(administrator):
    from django.contrib import admin

    assert not [model for model in admin.site._registry if model._meta.app_label == "djstripe"]


def test_people_who_are_not_staff_cannot_enter(db):
    client = signed_in(a_person("owner@maple.example"))
    assert client.get("/admin/").status_code == 302


def test_a_membership_is_never_moved_to_another_office(stripe, administrator, office):
    from billing.models import Membership, OfficeUserPermission
    from tests.conftest import a_member, an_office

    a_member(office, "owner")
    other, membership = an_office("Another"), Membership.objects.get()
    client, of = signed_in(administrator.user), reverse("admin:billing_membership_change", args=[membership.pk])
    stamp = client.get(of).context["stamp"]
    form = {"user": membership.user_id, "office": other.pk, "role": "viewer", "stamp": stamp}

    assert client.post(of, form).status_code == 302

    membership.refresh_from_db()
    assert (membership.office, membership.role) == (office, "viewer")
    grants = OfficeUserPermission.objects.values_list("content_object", "permission__codename")
    viewers = ("view_office", "view_billing", "see_details", "open_documents", "preview_billing")
    assert set(grants) == {(office.pk, one) for one in viewers}


def test_an_address_that_is_no_office_is_not_found(stripe, operator):
    assert signed_in(operator.user).get("/admin/billing/office/abc/subscribe/").status_code == 404


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


def test_a_change_is_shown_to_the_cent_and_made_only_when_it_is_confirmed(stripe, operator, team):
    client = signed_in(operator.user)
    form = {"price": str(price("seats-monthly").public_id), "quantity": "5", "settle": "now", "why": "office_asked"}

    seen = client.post(page("change-plan/", team), form)
    assert "Confirm and charge 98.00 USD" in seen.content.decode()
    assert Office.objects.get(pk=team.pk).quantity == 3

    preview = seen.context["preview"]
    confirmed = {**form, "confirmed": "yes", "as_of": preview.as_of.isoformat()}
    done = client.post(page("change-plan/", team), confirmed, follow=True)

    assert "Change plan or seats: done" in done.content.decode()
    assert Office.objects.get(pk=team.pk).quantity == 5
    assert Operation.objects.get(kind="change_subscription").reason == "The Office asked for it"


@pytest.mark.parametrize(
    ("why", "says"),
    [
        ({"why": "other"}, "does not explain the reason"),
        ({"why": "other", "note": "patient moved away"}, "words about patients"),
        ({"why": "agreed", "note": "call me at 555 123 4567 89"}, "telephone"),
        ({"why": ""}, "required"),
    ],
    ids=str,
)
def test_the_reason_is_of_the_catalogue_and_neutral(stripe, operator, team, why, says):
    answer = signed_in(operator.user).post(page("cancel/", team), {"when": "now", **why})

    assert says in answer.content.decode()
    assert Office.objects.get(pk=team.pk).subscription_status == "active"


def test_only_what_can_be_done_is_offered(stripe, operator, office, team):
    other = an_office("Another Practice")
    client = signed_in(operator.user)

    live, none = (client.get(page("change/", one)).content.decode() for one in (team, other))

    assert page("cancel/", team) in live
    assert page("subscribe/", team) not in live
    assert page("subscribe/", other) in none
    assert page("cancel/", other) not in none
