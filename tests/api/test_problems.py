"""Refusals are problem details, as RFC 9457 describes them, and each code is explained on a page."""

import re

import pytest
from django.test import Client

from billing import problem_details
from tests.api.test_api import signed_in
from tests.conftest import a_member
from tests.test_errors import every_refusal

pytestmark = pytest.mark.django_db


def explained():
    page = Client().get("/api/v1/problems/")
    assert page.status_code == 200
    return re.findall(r'<dt id="([a-z_]+)"><code>\1</code> · (\d+) · .+</dt>\n<dd>(.+)</dd>', page.content.decode())


def test_the_page_explains_each_code_in_words():
    codes = {one.code for one in every_refusal() if hasattr(one, "category")}
    assert codes <= {code for code, _, _ in explained()}
    assert len(explained()) == len(problem_details.explained())


def test_a_refusal_says_where_its_code_is_explained_and_by_what_it_is_found(office):
    answer = signed_in(a_member(office, "owner")).get("/api/v1/offices/00000000-0000-4000-8000-000000000000/")

    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    page, _, code = told.pop("type").partition("#")
    assert page.endswith("/api/v1/problems/")
    assert code in {code for code, _, _ in explained()}
    assert told.pop("request_id") == answer["X-Request-ID"]
    assert told == {
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "There is no such Office, or you may not see it.",
    }
