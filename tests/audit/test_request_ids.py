"""The id of a request is made here. A client's own id is given back and logged, and decides nothing."""

import logging
import uuid

import pytest
from django.test import Client

from billing.models import AuditEntry

THEIRS = "0b5e7a53-6f0c-4c7e-9a52-1f1f6d0c7a11"


def refused_sign_in(**headers):
    """Return the answer, and the entry that the try left."""
    answer = Client().post("/account/login/", {"login": "a@b.example", "password": "x"}, headers=headers)
    return answer, AuditEntry.objects.latest("pk")


def test_a_clients_id_is_not_the_id_in_the_trail(stripe, caplog):
    with caplog.at_level(logging.INFO, logger="billing.access.request_context"):
        answer, entry = refused_sign_in(**{"X-Request-ID": THEIRS})

    assert entry.request_id == answer["X-Request-ID"] != THEIRS
    assert uuid.UUID(hex=entry.request_id).version == 4
    assert answer["X-Client-Request-ID"] == THEIRS
    assert f"request {entry.request_id} is the client's {THEIRS}" in caplog.text


def test_requests_with_the_same_id_of_a_client_have_ids_of_their_own(stripe):
    ids = {Client().get("/account/login/", headers={"X-Request-ID": THEIRS})["X-Request-ID"] for _ in range(3)}

    assert len(ids) == 3


@pytest.mark.parametrize("given", ["jane-roe-of-maple-street", "a" * 65, "abc", THEIRS + "\n", ""])
def test_what_is_not_opaque_is_neither_given_back_nor_logged(stripe, caplog, given):
    with caplog.at_level(logging.INFO, logger="billing.access.request_context"):
        answer, entry = refused_sign_in(**{"X-Request-ID": given})

    assert entry.request_id == answer["X-Request-ID"]
    assert "X-Client-Request-ID" not in answer
    assert not caplog.records
