"""The box that finds: what is typed or pasted, who may find it, and that each search is on record."""

import uuid

import pytest
from django.test import Client

from billing.audit import actor, trail
from billing.models import (
    Adjustment,
    AuditEntry,
    Invoice,
    Membership,
    Office,
    Payment,
    PaymentMethod,
    Subscription,
    User,
)
from tests.conftest import a_person, an_office

AT = "2026-11-24T10:30:00Z"
IDS = {
    "cus_Maple0001": "office",
    "sub_Maple0001": "subscription",
    "in_Maple0001": "invoice",
    "pi_Maple0001": "invoice",
    "ch_Maple0001": "payment",
    "re_Maple0001": "adjustment",
    "dp_Maple0001": "adjustment",
    "pm_Maple0001": "office",
}


def signed_in(group):
    client = Client()
    client.force_login(a_person(f"{group}@vendor.example", group=group))
    return client


@pytest.fixture
def maple(db):
    """An Office with one row of each kind."""
    office = an_office("Maple Street")
    member = a_person("ada@maple.example")
    with trail.acting(actor.job("tests"), reason="tests"):
        office.payment_provider_customer_id = "cus_Maple0001"
        office.save()
        member.name = "Ada Élan"
        member.save()
        Membership.objects.create(office=office, user=member, role="owner")
        seen = {"office": office, "created_at": AT, "ticket": 1, "currency": "usd"}
        amounts = {"subtotal": 5, "total": 5, "amount_paid": 0, "amount_remaining": 5}
        Subscription.objects.create(**seen, stripe_id="sub_Maple0001", quantity=1)
        invoice = Invoice.objects.create(
            **seen, **amounts, stripe_id="in_Maple0001", number="MAPLE-0007", payment_intent_id="pi_Maple0001"
        )
        Payment.objects.create(**seen, stripe_id="ch_Maple0001", amount=5, invoice=invoice)
        Adjustment.objects.create(**seen, stripe_id="re_Maple0001", amount=5, kind="refund")
        Adjustment.objects.create(**seen, stripe_id="dp_Maple0001", amount=5, kind="dispute")
        PaymentMethod.objects.create(
            office=office, ticket=1, stripe_id="pm_Maple0001", brand="visa", last4="4242", expires="2031-04"
        )
    an_office("Other Practice")
    return office


def found(client, typed):
    """Return the pages that the box offers, as the kind of row and its title."""
    answer = client.get("/admin/search/", {"s": typed, "extended": 1})
    assert answer.status_code == 200
    return [(line.link.split("/")[3], line.title) for line in answer.context["lines"]]


@pytest.mark.parametrize("typed", ["Maple", "stree", "MAPLE ree", "billing@maple.example"])
def test_an_office_is_found_by_a_part_of_its_name_or_by_its_address(maple, typed):
    assert ("office", "Maple Street") in found(signed_in("operator"), typed)


def test_an_office_that_is_found_by_its_name_is_not_told_again_as_that_of_a_member(maple):
    assert found(signed_in("operator"), "maple").count(("office", "Maple Street")) == 1


@pytest.mark.parametrize("typed", ["ada@maple", "elan", "ÉLAN ada"])
def test_a_member_leads_to_the_office_and_to_the_person(maple, typed):
    lines = found(signed_in("operator"), typed)

    assert ("office", "Maple Street") in lines
    assert ("user", "ada@maple.example") in lines


@pytest.mark.parametrize("typed", ["MAPLE-0007", "maple-0007", "MAPLE-00", " MAPLE-0007 "])
def test_an_invoice_is_found_by_its_number_or_how_it_begins(maple, typed):
    assert found(signed_in("operator"), typed)[0] == ("invoice", "MAPLE-0007 · Maple Street")


@pytest.mark.parametrize("typed", ["4242", "…4242", "**** 4242", "...4242"])
def test_an_office_is_found_by_the_last_digits_of_its_card(maple, typed):
    assert found(signed_in("operator"), typed) == [("office", "Maple Street")]


@pytest.mark.parametrize(("typed", "page"), IDS.items())
def test_an_id_at_stripe_that_is_pasted_whole_is_found(maple, typed, page):
    assert [one for one, _ in found(signed_in("operator"), typed)] == [page]


def test_an_id_at_stripe_is_compared_letter_by_letter(maple):
    assert found(signed_in("operator"), "cus_maple0001") == []


@pytest.mark.parametrize("model", [Office, Subscription, Invoice, Payment, User])
def test_an_id_of_ours_is_found(maple, model):
    row = model.objects.order_by("pk").first()

    assert [one for one, _ in found(signed_in("operator"), str(row.public_id))] == [model._meta.model_name]


@pytest.mark.parametrize("typed", ["zebra", str(uuid.UUID(int=7)), "cus_Nothing0001", "0000", "%%", "' OR 1=1 --"])
def test_the_box_says_so_when_nothing_is_found(maple, typed):
    client = signed_in("operator")
    answer = client.get("/admin/search/", {"s": typed, "extended": 1}).content.decode()

    assert "Nothing is found" in answer or "at least two letters" in answer


def test_what_a_role_sees_masked_it_does_not_find(maple):
    client = signed_in("support")

    for typed in ("billing@maple.example", "ada@maple", "4242", *IDS):
        assert found(client, typed) == [], typed
    assert found(client, "maple street") == [("office", "Maple Street")]
    assert found(client, "MAPLE-0007") == [("invoice", "MAPLE-0007 · Maple Street")]
    assert found(client, str(maple.public_id)) == [("office", "Maple Street")]


def test_a_person_without_a_role_finds_nothing(maple):
    with trail.acting(actor.job("tests"), reason="tests"):
        nobody = User.objects.create_user("nobody@vendor.example", "x", is_staff=True)
    client = Client()
    client.force_login(nobody)

    for typed in ("maple", "MAPLE-0007", "4242", str(maple.public_id), *IDS):
        assert found(client, typed) == [], typed


def test_many_offices_lead_to_the_list(db):
    for number in range(12):
        an_office(f"Maple {number}")

    lines = found(signed_in("operator"), "maple")
    assert [title for kind, title in lines if kind == "office"][-1] == "All Offices with “maple”"
    assert len(lines) == 11


def test_a_search_is_in_the_audit_trail_without_what_was_typed(maple):
    found(signed_in("operator"), "maple street")

    entry = AuditEntry.objects.filter(kind=AuditEntry.Kind.READ).latest("pk")
    assert entry.what == "looked at a list at admin:search, by a search: 1 rows"
    assert entry.actor_label == "operator@vendor.example"
