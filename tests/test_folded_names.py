"""A folded name is written on every path that writes a name, and mended where it was written past that."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from billing import clock, folded_names, jobs
from billing.access import grants
from billing.audit import actor, trail
from billing.models import AuditEntry, Job, Membership, Office, Plan, User
from billing.operations.engine.begin import perform
from billing.operations.offices.contact import ChangeContact
from billing.reconciliation import reconcile
from tests.conftest import ADMINISTRATOR, OPERATOR, a_person, an_office, subscribed_office


@pytest.fixture(autouse=True)
def somebody():
    with trail.acting(actor.job("tests"), reason="tests"):
        yield


def folded(row):
    """What the database holds."""
    return type(row).objects.values_list("name_folded", flat=True).get(pk=row.pk)


def signed_in(group):
    client = Client()
    client.force_login(a_person(f"{group.split()[0]}@vendor.example", group=group))
    return client


def by_the_version_before(row, name=""):
    """A row as it is left by code that does not know the folded name: renamed, or else new."""
    written = {"name": name} if name else {"name_folded": ""}
    type(row).objects.filter(pk=row.pk).update(**written)


def found(typed):
    return list(Office.objects.filter(name_folded__finds=typed))


def test_an_office_a_plan_and_a_person_are_made(db):
    office = Office.objects.create(name="Élan Vital", billing_email="b@elan.example")
    plan = Plan.objects.create(name="Ärzte plus", code="a")
    person = User.objects.create_user("z@vendor.example", "x", name="Žofie")

    assert [folded(row) for row in (office, plan, person)] == ["elan vital", "arzte plus", "zofie"]


def test_a_name_is_saved_with_other_columns_by_itself_and_not_at_all(db):
    office = an_office("One")
    office.name = "SÜD"
    office.save()
    assert folded(office) == "sud"

    office.name = "Élan"
    office.save(update_fields=["time_zone"])
    assert folded(office) == "sud"

    office.save(update_fields=["name"])
    assert folded(office) == "elan"

    Office.objects.update_or_create(pk=office.pk, defaults={"name": "Ärzte"})
    assert folded(office) == "arzte"

    unread = Office.objects.only("pk").get(pk=office.pk)
    unread.save()
    assert folded(office) == "arzte"


def test_staff_type_names_in_the_admin(db):
    client = signed_in(ADMINISTRATOR)
    form = {"name": "Élan Vital", "billing_email": "b@elan.example", "time_zone": "UTC", "locale": "fr"}
    form["is_the_practices"] = "on"
    client.post(reverse("admin:billing_office_add"), form)
    office = Office.objects.get()
    assert folded(office) == "elan vital"

    client.post(reverse("admin:billing_office_change", args=[office.pk]), {**form, "name": "SÜD", **no_rows(client)})

    assert (Office.objects.get().name, folded(office)) == ("SÜD", "sud")


def no_rows(client):
    """What a form says of the lists below it, none of which is edited."""
    shown = client.get(reverse("admin:billing_office_change", args=[Office.objects.get().pk]))
    formsets = [inline.formset for inline in shown.context["inline_admin_formsets"]]
    return {f"{one.prefix}-{name}": "0" for one in formsets for name in ("TOTAL_FORMS", "INITIAL_FORMS")}


def test_the_contact_is_changed(stripe, operator, office):
    subscribed = subscribed_office(office, by=operator)

    perform(ChangeContact(name="Élan  Vital"), subscribed, by=operator, reason="renamed")

    assert folded(office) == "elan vital"
    recorded = [entry.changes or {} for entry in AuditEntry.objects.filter(office=office)]
    assert any("name" in changes for changes in recorded)
    assert not any("name_folded" in changes for changes in recorded)


def test_a_look_leaves_it_as_it_is(stripe, operator):
    office = subscribed_office(an_office("SÜD Praxis"), by=operator)

    stripe.deliver_and_apply()

    assert folded(office) == "sud praxis"


def test_an_office_and_a_plan_are_adopted(empty_stripe):
    product = empty_stripe.post("products", name="Ärzte plus")["id"]
    sold = {"product": product, "currency": "usd", "unit_amount": 900, "recurring[interval]": "month"}
    sold_at = empty_stripe.post("prices", **sold)["id"]
    customer = empty_stripe.post("customers", name="Élan Vital", email="b@elan.example")["id"]
    card = empty_stripe.post("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    paid_by = {"default_payment_method": card, "items[0][price]": sold_at}
    empty_stripe.post("subscriptions", customer=customer, **paid_by)

    reconcile(by=actor.job("tests"), reason="taking over", adopts=True, products=[product])

    assert [folded(Plan.objects.get()), folded(Office.objects.get())] == ["arzte plus", "elan vital"]


def test_nothing_of_it_is_shown_or_recorded(db):
    office, plan, owner = (
        an_office("SÜD-Praxis"),
        Plan.objects.create(code="a", name="ÄRZTE"),
        a_person("o@sud.example"),
    )
    grants.write_grants(Membership.objects.create(user=owner, office=office, role="owner"))
    client, api = signed_in(ADMINISTRATOR), APIClient()
    api.force_authenticate(owner)

    pages = [client.get(f"/admin/billing/{row._meta.model_name}/{row.pk}/change/") for row in (office, plan, owner)]
    answers = [api.get(address) for address in ("/api/v1/offices/", f"/api/v1/offices/{office.public_id}/")]
    shown = [one.content.decode() for one in [*pages, *answers, api.get("/api/v1/schema/")]]

    assert ["SÜD-Praxis" in one for one in shown] == [True, False, False, True, True, False]
    assert not [one for one in shown if "folded" in one.lower() or "sud-praxis" in one]
    assert not [entry for entry in AuditEntry.objects.all() if "name_folded" in (entry.changes or {})]


def test_a_new_row_of_the_version_before_is_found_by_its_letters_at_once(db):
    by_the_version_before(an_office("SÜD Praxis"))

    shown = signed_in(OPERATOR).get("/admin/billing/office/", {"q": "SÜD"})

    assert [one.name for one in shown.context["cl"].queryset] == ["SÜD Praxis"]


def test_a_worker_mends_what_the_version_before_wrote(db):
    new, renamed, right = an_office("SÜD Praxis"), an_office("Maple Street"), an_office("Ärzte")
    plan, person = (
        Plan.objects.create(code="a", name="ÄRZTE"),
        User.objects.create_user("z@vendor.example", name="Žofie"),
    )
    for row in (new, plan, person):
        by_the_version_before(row)
    by_the_version_before(renamed, "Élan Vital")
    assert found("süd") == found("élan") == []

    jobs.enqueue("fold-names")
    jobs.run_due()

    assert [found(typed) for typed in ("süd", "élan", "ärzte", "maple")] == [[new], [renamed], [right], []]
    assert [folded(plan), folded(person)] == ["arzte", "zofie"]
    assert not AuditEntry.objects.filter(action=AuditEntry.Action.UPDATE).exists()
    assert Job.objects.get(name="fold-names").due_at > clock.wall()


def test_migrate_mends_too_and_what_only_shows_does_not(db):
    office = an_office("SÜD Praxis")
    by_the_version_before(office)

    for only_shows in ("--plan", "--check"):
        call_command("migrate", only_shows, verbosity=0, stdout=StringIO())
    assert found("süd") == []

    call_command("migrate", verbosity=0)
    assert found("süd") == [office]


def test_a_great_many_are_mended_in_parts(db, monkeypatch, django_assert_num_queries):
    offices = [an_office(f"Ärzte {number}") for number in range(5)]
    for one in offices:
        by_the_version_before(one)
    monkeypatch.setattr(folded_names, "AT_A_TIME", 2)
    monkeypatch.setattr(folded_names, "AT_MOST", 3)

    assert (folded_names.fold_some(), len(found("ärzte"))) == (True, 3)
    assert (folded_names.fold_some(), len(found("ärzte"))) == (False, 5)
    with django_assert_num_queries(len(folded_names.NAMED)):
        assert folded_names.fold_some() is False


def test_the_longest_name_of_letters_that_become_many_can_be_saved(db):
    office = an_office("\ufdfa" * 200)  # eighteen letters each

    assert len(folded(office)) > 3_000
    assert found("\ufdfa") == [office]
