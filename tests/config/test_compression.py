"""Answers are compressed for clients that can read it, and the address for events is left alone."""

import gzip
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import reverse

from billing.models import Office
from config.compression import Compressed
from tests.admin.test_offices import signed_in
from tests.conftest import an_office

GZIP = {"accept-encoding": "gzip"}
MOST_BYTES = 40_000

pytestmark = pytest.mark.django_db


def test_a_list_of_fifty_offices_fits_in_forty_kilobytes(stripe, operator):
    for number in range(50):
        an_office(f"Practice number {number:02}")
    client = signed_in(operator.user)

    answer = client.get(reverse("admin:billing_office_changelist"), headers=GZIP)

    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).decode().count("Practice number") >= Office.objects.count() == 50
    assert len(answer.content) <= MOST_BYTES


def test_an_answer_of_the_api_is_compressed(stripe, client):
    answer = client.get("/api/v1/schema/", headers=GZIP)

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]


def test_the_same_page_has_another_length_each_time(stripe, operator):
    client = signed_in(operator.user)

    lengths = {len(client.get("/account/", headers=GZIP).content) for _ in range(20)}

    assert len(lengths) > 1


def test_who_cannot_read_it_gets_it_as_it_is(stripe, operator):
    assert not signed_in(operator.user).get("/account/").has_header("Content-Encoding")


@pytest.mark.parametrize(("path", "is_compressed"), [("/stripe/webhook/", False), ("/account/", True)])
def test_what_stripe_waits_for_is_not_compressed(path, is_compressed):
    asked = RequestFactory().get(path, headers=GZIP)

    answer: Any = Compressed(lambda request: HttpResponse("x" * 1000))(asked)

    assert ("Content-Encoding" in answer.headers) is is_compressed
