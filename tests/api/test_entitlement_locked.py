"""A login gets its answer also where the database cannot be written: at once, and without the look."""

import contextlib
import time
from datetime import timedelta

import pytest
from django.db import InterfaceError, InternalError, OperationalError, connection, connections

from billing import clock, time_limits
from billing.access import tokens
from billing.models import AccessToken, Job, Office
from tests.api.test_api import signed_in
from tests.api.test_entitlement_endpoint import ask
from tests.conftest import a_person, an_office
from tests.other_connections import locked_by_another, not_on_libsql_server

EACH = ["default", "impatient", "optional"]
pytestmark = pytest.mark.django_db(transaction=True, databases=EACH)


def held_by_another():
    return locked_by_another("billing_job", "billing_accesstoken", mode="EXCLUSIVE")


@contextlib.contextmanager
def read_only():
    """As at a standby, or on a disk that is full."""
    if connection.vendor != "sqlite":
        with contextlib.ExitStack() as stack:
            for alias in EACH:
                stack.enter_context(connections[alias].execute_wrapper(in_a_transaction_that_only_reads))
            yield
        return
    for alias in EACH:
        connections[alias].cursor().execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        for alias in EACH:
            connections[alias].cursor().execute("PRAGMA query_only = OFF")


def in_a_transaction_that_only_reads(execute, sql, params, many, context):
    """What is set for the session would stay at a connection that a pooler gives to others."""
    execute(f"SET TRANSACTION READ ONLY; {sql}", params, many, context)
    context["cursor"].nextset()


@pytest.fixture
def product(db):
    return signed_in(a_person("product@vendor.example", group="auditor"))


@pytest.fixture
def unseen(db):
    """An Office whose paid period is over, and that was not looked at since."""
    office = an_office()
    ended = clock.billing() - timedelta(hours=1)
    Office.objects.filter(pk=office.pk).update(
        payment_provider_subscription_id="sub_1",
        subscription_status="active",
        current_period_end=ended,
        confirmed_at=ended - timedelta(days=1),
    )
    return office


def timed(client, office):
    began = time.monotonic()
    return client.get(f"/api/v1/offices/{office.public_id}/entitlement/"), time.monotonic() - began


@pytest.mark.parametrize("unwritable", [held_by_another, pytest.param(read_only, marks=not_on_libsql_server)])
def test_a_login_is_answered_at_once_and_the_next_one_asks_for_the_look(product, unseen, unwritable, caplog):
    with unwritable():
        answer, took = timed(product, unseen)

    assert (answer.status_code, answer.json()["access"], answer.json()["reason"]) == (200, "full", "unconfirmed")
    assert took < 1.5
    assert f"look at Office {unseen.public_id} not queued" in caplog.text
    assert not Job.objects.exists()

    time_limits.forget()  # a second later
    assert ask(product, unseen).json() == answer.json()
    assert Job.objects.get().name == f"look:{unseen.public_id}"


@pytest.mark.parametrize("trouble", [OperationalError, InternalError, InterfaceError])
def test_what_the_database_says_decides_over_no_answer(product, unseen, trouble):
    with connections["optional"].execute_wrapper(raising(trouble("away"))):
        assert timed(product, unseen)[0].status_code == 200


def test_a_defect_of_ours_is_not_hidden(product, unseen):
    with connections["optional"].execute_wrapper(raising(TypeError("a defect"))), pytest.raises(TypeError):
        timed(product, unseen)


def raising(error):
    def wrapper(*_):
        raise error

    return wrapper


@pytest.mark.parametrize("unwritable", [held_by_another, pytest.param(read_only, marks=not_on_libsql_server)])
@pytest.mark.parametrize(("own", "status"), [(True, 401), (False, 200)])
def test_a_token_that_has_expired_holds_no_answer_up(product, unseen, unwritable, own, status):
    expired = AccessToken.objects.get()
    if not own:
        expired, _ = tokens.make(expired.user)
    AccessToken.objects.filter(pk=expired.pk).update(expiry=clock.wall() - timedelta(seconds=1))

    with unwritable():
        answer, took = timed(product, unseen)

    assert answer.status_code == status
    assert took < 1.5


def test_signing_in_deletes_the_tokens_that_have_expired_and_only_the_persons_own(product):
    person, another = AccessToken.objects.get().user, a_person("another@vendor.example", group="auditor")
    signed_in(another)
    AccessToken.objects.update(expiry=clock.wall() - timedelta(seconds=1))

    signed_in(person)

    left = AccessToken.objects.order_by("created").values_list("user", "expiry")
    assert [who for who, _ in left] == [another.pk, person.pk]
