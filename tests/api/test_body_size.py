"""A large body is refused before it is read, whatever address it is sent to.

tests/config/test_asgi.py asks a real server, also in chunks.
"""

import io

import pytest
from rest_framework.test import APIClient

from billing.api.limits import MOST_BYTES, Limited
from tests.access.addresses import named
from tests.api.test_api import path, signed_in
from tests.conftest import a_member

SIGN_IN = "/api/v1/auth/token/"


class Unread(io.BytesIO):
    """A body that must not be read."""

    def read(self, *_):
        raise AssertionError("it was read")


@pytest.fixture
def client(office):
    return signed_in(a_member(office, "owner"))


def posted(client, address, *, length, **headers):
    body = Unread()
    given = {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": "application/json", "wsgi.input": body}
    return client.generic("POST", address, **given, **headers)


def test_each_address_of_the_api_has_the_limit():
    views = [getattr(entry.callback, "cls", None) for name, (_, entry) in named().items() if name.startswith("api:")]

    assert len(views) > 50
    assert [view for view in views if view is None or Limited not in view.throttle_classes] == []


@pytest.mark.parametrize("rest", ["members/", "subscription/cancel/", "subscription/change/preview/"])
def test_a_large_body_is_refused_unread(client, office, rest):
    refused = posted(client, path(office, rest), length=MOST_BYTES + 1)

    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")


def test_signing_in_takes_no_large_body_either(db):
    assert posted(APIClient(), SIGN_IN, length=10**12).status_code == 413


def test_a_body_that_the_server_left_in_chunks_is_refused_unread(client, office):
    refused = posted(client, path(office, "members/"), length="", HTTP_TRANSFER_ENCODING="chunked")

    assert (refused.status_code, refused.json()["code"]) == (400, "length_missing")


def test_a_body_of_the_largest_size_is_read(client, office):
    text = '{"email": "nora@maple.example", "role": "viewer"}'

    invited = client.generic("POST", path(office, "members/"), text.ljust(MOST_BYTES), content_type="application/json")

    assert invited.status_code == 202
