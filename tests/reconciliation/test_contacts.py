"""Whom invoices are addressed to at Stripe, held against the Office."""

import pytest

from billing import errors
from billing.audit import actor
from billing.models import Finding, Office
from billing.operations.engine.begin import perform
from billing.operations.offices.contact import ChangeContact
from billing.reconciliation import reconcile
from tests.conftest import subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


@pytest.fixture
def customer(stripe, operator, office):
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return office.payment_provider_customer_id


def compared():
    reconcile(by=actor.job("tests"), reason="a test")
    return list(Finding.objects.filter(kind="contact_differs", resolved_at=None))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "Elm Street Clinic"}, "another name than"),
        ({"email": "pay@elm.example"}, "another address than"),
        ({"preferred_locales[0]": "es"}, "another language than"),
        ({"name": "Elm Street Clinic", "email": ""}, "another name and address than"),
    ],
)
def test_what_was_changed_at_stripe_is_told_without_its_values(stripe, customer, changed, says):
    assert compared() == []
    stripe.post(f"customers/{customer}", **changed)

    (found,) = compared()

    assert found.office == Office.objects.get()
    assert says in found.detail
    assert "elm" not in found.detail.lower()


def test_sent_again_as_it_is_stripe_has_it_and_the_finding_is_over(stripe, operator, customer):
    office = Office.objects.get()
    with pytest.raises(errors.NothingToChange):
        perform(ChangeContact(name=office.name), office, by=operator, reason="agreed")
    stripe.post(f"customers/{customer}", name="Elm Street Clinic")
    compared()

    perform(ChangeContact(name=office.name), office, by=operator, reason="agreed")

    assert stripe.listed("customers")[0]["name"] == office.name
    assert Finding.objects.get().resolution == "Stripe was told"
    assert compared() == []


def test_where_it_is_equal_again_the_finding_is_over(stripe, customer):
    name = Office.objects.get().name
    stripe.post(f"customers/{customer}", name="Elm Street Clinic")
    compared()
    stripe.post(f"customers/{customer}", name=name)

    assert compared() == []
    assert Finding.objects.get().resolution == "equal when it was compared again"
