"""Whether another process has a database file open, and what does not look like one."""

import pytest
from django.db import OperationalError, transaction
from django.db.utils import load_backend

from billing.moving import in_use
from tests.moving.places import Place, needs_cipher, opened

FORMS = ["file", pytest.param("encrypted", marks=needs_cipher)]


@pytest.fixture(params=FORMS)
def place(request, places) -> Place:
    return getattr(places, request.param)()


def test_another_connection_is_seen_until_it_is_closed(place):
    with opened(place) as connection:
        assert not in_use.others_connected(connection)
        other = load_backend(connection.settings_dict["ENGINE"]).DatabaseWrapper({**connection.settings_dict}, "other")
        with other.cursor() as cursor:
            cursor.execute("SELECT * FROM sqlite_master")
        assert in_use.others_connected(connection)
        other.close()
        assert not in_use.others_connected(connection)


def test_another_error_is_not_taken_for_another_process(place):
    with (
        opened(place) as connection,
        transaction.atomic(),
        pytest.raises(OperationalError, match="from within a transaction"),
    ):
        in_use.others_connected(connection)
