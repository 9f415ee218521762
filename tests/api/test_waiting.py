"""While a subscription waits for its first payment, whoever may use it is shown the page for it, stored nowhere."""

import pytest
from django.apps import apps
from django.core import serializers

from billing.models import AuditEntry, IdempotentRequest, Operation
from billing.operations.engine.begin import perform
from billing.operations.offices.customer import EnsureCustomer
from tests.admin.test_offices import signed_in as staff
from tests.admin.test_terms import sent
from tests.api.test_api import path, signed_in
from tests.at_stripe import begun_at_stripe
from tests.conftest import a_member, price

ADDRESSES = ["subscription/", "subscription/preview/", "subscription/payment-link/"]


@pytest.fixture
def page(stripe, operator, office):
    """The address of the page where the payment is completed, of a subscription that others began."""
    office = perform(EnsureCustomer(), office, by=operator, reason="agreed")
    begun = begun_at_stripe(stripe, office.payment_provider_customer_id, "pm_card_authenticationRequired")
    return begun["latest_invoice"]["hosted_invoice_url"]


def asked(client, office, address, **headers):
    body = {"price": str(price("practice-monthly").public_id)}
    body |= {} if address.endswith("preview/") else {"reason": "agreed"}
    body |= {"payment_method": "pm_card_visa"} if address == "subscription/" else {}
    return client.post(path(office, address), body, format="json", **headers)


def in_the_database():
    models = apps.get_app_config("billing").get_models()
    return "".join(serializers.serialize("json", model.objects.all()) for model in models)


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_refusal_shows_the_page_and_stores_it_nowhere(stripe, office, page, address, told):
    if told:
        stripe.deliver_and_apply()
    owner = signed_in(a_member(office, "owner"))
    key = {} if address.endswith("preview/") else {"HTTP_IDEMPOTENCY_KEY": "one"}

    for _ in range(2):
        answer = asked(owner, office, address, **key)
        assert (answer.status_code, answer.json()["code"]) == (409, "subscription_waiting")
        assert answer.json()["payment_page"] == page
        assert answer.headers["Cache-Control"] == "no-store"

    assert page not in in_the_database()
    assert IdempotentRequest.objects.exists() is bool(key)
    assert AuditEntry.objects.filter(what="opened the invoice's page").count() == 2


def test_who_may_only_look_is_refused_without_the_page(stripe, office, page):
    stripe.deliver_and_apply()
    answer = asked(signed_in(a_member(office, "viewer")), office, "subscription/preview/")

    assert (answer.status_code, answer.json()["payment_page"]) == (409, None)


def test_where_stripe_does_not_answer_the_refusal_stands_without_the_page(stripe, office, page):
    stripe.deliver_and_apply()
    stripe.fail_next("503", method="GET", path_prefix="/v1/invoices/")
    answer = asked(signed_in(a_member(office, "owner")), office, "subscription/")

    assert (answer.status_code, answer.json()["payment_page"]) == (409, None)


def test_the_office_ends_it_itself(stripe, office, page):
    stripe.deliver_and_apply()
    owner = signed_in(a_member(office, "owner"))
    ended = owner.post(path(office, "subscription/waiting/end/"), {}, format="json")

    assert (ended.status_code, ended.json()["status"]) == (200, "")
    assert [one["status"] for one in stripe.listed("invoices")] == ["void"]


def test_staff_see_the_way_to_the_page_beside_the_refusal(stripe, operator, office, page):
    form = {"price": str(price("practice-monthly").public_id), "quantity": "1", "trial_days": "0"}
    refused = sent(operator, "subscribe/", office, **form).content.decode()

    assert "has been waiting for its first payment" in refused
    way = f"/admin/billing/office/{office.pk}/complete-payment/"
    assert f'href="{way}"' in refused
    assert not Operation.objects.filter(kind="subscribe").exists()
    assert staff(operator.user).get(way).headers["Location"] == page
