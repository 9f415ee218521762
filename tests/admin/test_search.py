"""Staff find a name however they write it, on every database alike."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from billing import search_parts
from billing.audit import actor, trail
from billing.models import Adjustment, Invoice, Membership, Office, Operation, Payment, Plan, Subscription, User
from tests.conftest import ADMINISTRATOR, a_person, an_office

AT = "2026-11-24T10:30:00Z"


@pytest.fixture
def staff(db):
    client = Client()
    client.force_login(a_person("administrator@vendor.example", group=ADMINISTRATOR))
    return client


@pytest.fixture
def offices(db):
    for name in ("Élan Vital", "SÜD Praxis", "Ärztehaus", "Straße 7", "Işık Kliniği", "Κλινική Αθηνών", "Maple Street"):
        an_office(name)
    Office.objects.update(billing_email="billing@office.example")
    search_parts.mend(Office)


def found(client, model, typed):
    """The rows that the list shows for what was typed, in their order."""
    answer = client.get(reverse(f"admin:billing_{model}_changelist"), {"q": typed})
    assert answer.status_code == 200
    return [str(one) for one in answer.context["cl"].queryset]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *((one, "Élan Vital") for one in ("Élan", "élan", "ELAN", "elan", "ÉLAN VITAL", "vital élan", "E\u0301lan")),
        *((one, "SÜD Praxis") for one in ("SÜD", "süd", "sud", "praxis süd", '"süd  praxis"', "üd p")),
        *((one, "Ärztehaus") for one in ("ärztehaus", "ÄRZTEHAUS", "arztehaus")),
        *((one, "Straße 7") for one in ("STRASSE", "straße", "strasse")),
        *((one, "Işık Kliniği") for one in ("IŞIK", "isik", "KLİNİĞİ")),
        *((one, "Κλινική Αθηνών") for one in ("ΑΘΗΝΩΝ", "κλινικη")),
        ("MAPLE", "Maple Street"),
    ],
)
def test_an_office_is_found_by_its_name_however_it_is_written(staff, offices, typed, name):
    assert found(staff, "office", typed) == [name]


@pytest.mark.parametrize("typed", ["élan praxis", "aerztehaus", "süden", "%", "_"])
def test_an_office_with_another_name_is_not(staff, offices, typed):
    assert found(staff, "office", typed) == []


def test_an_office_is_found_by_its_address_as_before(staff, offices):
    assert len(found(staff, "office", "BILLING@office")) == 7
    assert found(staff, "office", "office.example élan") == ["Élan Vital"]


@pytest.mark.parametrize("model", ["subscription", "invoice", "payment", "adjustment", "operation", "membership"])
def test_what_is_of_an_office_is_found_by_its_name(staff, model):
    office = an_office("SÜD Praxis")
    of_it = {"office": office, "created_at": AT}
    seen = {**of_it, "ticket": 1, "currency": "usd"}
    amounts = {"subtotal": 5, "total": 5, "amount_paid": 0, "amount_remaining": 5}
    made = {
        "subscription": lambda: Subscription.objects.create(**seen, stripe_id="sub_1", quantity=1),
        "invoice": lambda: Invoice.objects.create(**seen, **amounts, stripe_id="in_1"),
        "payment": lambda: Payment.objects.create(**seen, stripe_id="ch_1", amount=5),
        "adjustment": lambda: Adjustment.objects.create(**seen, stripe_id="re_1", amount=5, kind="refund"),
        "operation": lambda: Operation.objects.create(**of_it, kind="cancel", lease_until=AT),
        "membership": lambda: Membership.objects.create(office=office, user=a_person("o@maple.example")),
    }
    with trail.acting(actor.job("tests")):
        row = made[model]()

    assert found(staff, model, "süd") == [str(type(row).objects.get())]
    assert found(staff, model, "nord") == []


def test_a_plan_is_found_by_its_name_and_its_code(staff):
    with trail.acting(actor.job("tests")):
        Plan.objects.create(code="doctors", name="Ärzte plus")

    assert found(staff, "plan", "ärzte") == found(staff, "plan", "Doctors") == ["Ärzte plus"]
    assert found(staff, "plan", "nurses") == []


def test_a_person_is_found_by_name_and_by_address(staff):
    with trail.acting(actor.job("tests")):
        User.objects.create_user("z@vendor.example", "x", name="Žofie Řehořová")

    assert found(staff, "user", "zofie ŘEHOŘOVÁ") == found(staff, "user", "Z@vendor") == ["z@vendor.example"]


def test_the_choice_of_an_office_in_a_form_searches_in_the_same_way(staff, offices):
    asked = {"app_label": "billing", "model_name": "membership", "field_name": "office", "term": "élan"}

    assert [one["text"] for one in staff.get(reverse("admin:autocomplete"), asked).json()["results"]] == ["Élan Vital"]


class AnyName(TestCase):
    @given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0'\""), max_size=200), st.data())
    @example("Işık ᾍδης", None)
    @example("\u00af \u00b4\u0301", None)
    def test_any_casing_of_any_word_of_a_name_finds_the_office(self, name, data):
        with trail.acting(actor.job("tests")):
            office = Office.objects.create(name=name, billing_email="billing@maple.example")
        request = RequestFactory().get("/")
        request.user = AnonymousUser()
        ours = admin.site._registry[Office]

        for word in name.split():
            for written in {word, word.upper(), word.lower(), word.title(), word.swapcase()}:
                seen, _ = ours.get_search_results(request, Office.objects.all(), written)
                assert office in seen, (written, word)


def test_a_number_finds_each_invoice_and_names_too(staff, db):
    clinic, seen = an_office("24h Clinic"), {"ticket": 1, "currency": "usd", "created_at": AT}
    amounts = {"subtotal": 5, "total": 5, "amount_paid": 0, "amount_remaining": 5}
    oak = an_office("Oak")
    many = [Invoice(office=oak, stripe_id=f"in_{n}", number=f"24-{n}", **seen, **amounts) for n in range(1_001)]
    Invoice.objects.bulk_create([*many, Invoice(office=clinic, stripe_id="in_x", number="X-1", **seen, **amounts)])
    request = RequestFactory().get("/")
    request.user = a_person("operator@vendor.example", group="operator")

    for typed, found in (("24", 1_002), ("24h", 1), ("24-1000", 1)):
        shown, _ = admin.site.get_model_admin(Invoice).get_search_results(request, Invoice.objects.all(), typed)
        assert shown.count() == found


def test_a_payment_is_found_by_the_number_of_its_invoice_and_by_the_name(staff, db):
    seen = {"ticket": 1, "currency": "usd", "created_at": AT}
    amounts = {"subtotal": 5, "total": 5, "amount_paid": 5, "amount_remaining": 0}
    oak = an_office("Oak")
    with trail.acting(actor.job("tests"), reason="tests"):
        paid = Invoice.objects.create(office=oak, stripe_id="in_1", number="24-1", **seen, **amounts)
        Payment.objects.create(office=oak, invoice=paid, stripe_id="ch_1", amount=5, **seen)
        Payment.objects.create(office=an_office("24h Clinic"), stripe_id="ch_2", amount=6, **seen)
    page = reverse("admin:billing_payment_changelist")

    assert staff.get(page, {"q": "24"}).context["cl"].result_count == 2
    assert staff.get(page, {"q": "24-1"}).context["cl"].result_count == 1
