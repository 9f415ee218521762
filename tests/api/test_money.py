"""An amount has one shape in each answer of the API."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from billing.api import document
from billing.models import IdempotentRequest, Office
from tests.api.test_api import path, signed_in
from tests.conftest import a_member

NO_AMOUNTS = set("attempt_count count hours interval_count open_invoices quantity days_until_due status".split())


def test_each_number_of_an_answer_is_an_amount_of_this_shape_or_no_amount():
    made = SchemaGenerator().get_schema(request=None, public=True)
    asked = {
        content["schema"]["$ref"].rpartition("/")[2]
        for _, _, one in document.operations(made)
        for content in one.get("requestBody", {}).get("content", {}).values()
        if "$ref" in content["schema"]
    }
    numbers = {
        (schema, name)
        for schema, name, said in document.fields(made)
        if "integer" in (said.get("type"), *(said.get("type") or ())) and schema not in asked
    }

    assert {(schema, name) for schema, name in numbers if name not in NO_AMOUNTS} == {("Money", "amount")}
    assert set(made["components"]["schemas"]["Money"]["properties"]) == {"amount", "currency", "formatted"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("amount", "currency", "formatted"),
    [
        (129_900, "usd", "1,299.00 USD"),
        (-5, "eur", "-0.05 EUR"),
        (1_234_567, "jpy", "1,234,567 JPY"),
        (1_234_560, "kwd", "1,234.560 KWD"),
        (38_500, "isk", "385 ISK"),
        (0, "usd", "0.00 USD"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency(office, amount, currency, formatted):
    Office.objects.filter(pk=office.pk).update(credit_balance=amount, credit_currency=currency, currency="usd")

    answer = signed_in(a_member(office, "owner")).get(path(office)).json()

    assert answer["credit_balance"] == {"amount": amount, "currency": currency, "formatted": formatted}


@pytest.mark.django_db
def test_there_is_no_amount_while_no_currency_is_known(office):
    client = signed_in(a_member(office, "owner"))
    told = client.get(path(office, "subscription/")).json()

    assert client.get(path(office)).json()["credit_balance"] is None
    assert [told[one] for one in ("monthly_amount", "balance_due", "credit_balance")] == [None, None, None]
    assert client.get(path(office, "standing/")).json()["owed"] is None


@pytest.mark.django_db
def test_an_answer_that_was_kept_in_an_older_shape_is_repeated_as_it_was_given(stripe, office):
    client = signed_in(a_member(office, "owner"))
    ask = {"path": path(office, "contact/"), "data": {"locale": "es"}, "format": "json", "HTTP_IDEMPOTENCY_KEY": "k"}
    first = client.post(**ask)
    assert first.status_code == 200
    as_before = first.content.decode().replace('"credit_balance":null', '"credit_balance":0')
    IdempotentRequest.objects.update(answer=as_before)

    again = client.post(**ask)

    assert (again["Idempotent-Replayed"], again.content.decode()) == ("true", as_before)
    assert '"credit_balance":0' in as_before
