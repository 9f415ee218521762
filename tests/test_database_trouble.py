"""While the database cannot be used, a person is told so with 503, on every way in, and never with a bare 500."""

import pytest
from django.db import InternalError, OperationalError, connections
from django.test import Client

from tests.api.test_api import path, signed_in
from tests.conftest import ADMINISTRATOR, a_person, an_office
from tests.other_connections import out_of_reach

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


@pytest.fixture
def product(db):
    return signed_in(a_person("product@vendor.example", group="auditor"))


@pytest.fixture
def staff(db):
    client = Client(raise_request_exception=False)
    client.force_login(a_person("staff@vendor.example", group=ADMINISTRATOR))
    return client


@pytest.mark.parametrize("rest", ["", "entitlement/", "invoices/"])
def test_the_api_says_that_nobody_knows_and_when_to_try_again(product, rest):
    office = an_office()
    with out_of_reach("default"), out_of_reach("optional"):
        answer = product.get(path(office, rest))

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["Retry-After"] == "5"
    assert "same Idempotency-Key" in answer.json()["detail"]
    assert product.get(path(office, rest)).status_code == 200


@pytest.mark.parametrize("page", ["/admin/", "/admin/billing/office/", "/account/login/", "/"])
def test_a_page_says_that_it_can_be_loaded_again(staff, page):
    with out_of_reach("default"):
        answer = staff.get(page, follow=True)

    assert answer.status_code == 503
    assert "The database cannot be used now" in answer.content.decode()
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize("error", [OperationalError("locked"), InternalError("read-only transaction")])
def test_whatever_way_the_database_refuses(product, monkeypatch, error):
    office = an_office()

    def refuse(execute, sql, params, many, context):
        raise error

    with connections["default"].execute_wrapper(refuse):
        answer = product.get(path(office))

    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


def test_another_error_is_still_a_defect(staff, monkeypatch):
    from billing.admin import overview

    def broken(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(overview, "tasks_of", broken)

    assert staff.get("/admin/").status_code == 500
