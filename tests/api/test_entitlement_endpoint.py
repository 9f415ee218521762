"""What the vendor's product asks at every login."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock
from billing.models import Job, Office
from billing.worker import work_once
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, a_person, an_office


@pytest.fixture
def product(subscribed):
    """The vendor's product: it has a role that sees every Office and changes none."""
    return signed_in(a_person("product@vendor.example", group="auditor"))


def ask(client, office, **headers):
    return client.get(path(office, "entitlement/"), **headers)


def unseen_for(office, **age):
    """Its period is over and it was not looked at since."""
    ended = clock.billing() - timedelta(**age)
    Office.objects.filter(pk=office.pk).update(current_period_end=ended, confirmed_at=ended - timedelta(days=1))


def test_the_answer_says_access_reason_and_until_when(product, subscribed):
    answer = ask(product, subscribed)

    assert answer.json() == {
        "access": "full",
        "reason": "active",
        "until": subscribed.current_period_end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_an_unchanged_answer_is_304_and_a_changed_one_is_not(product, subscribed):
    first = ask(product, subscribed)
    again = ask(product, subscribed, HTTP_IF_NONE_MATCH=first.headers["ETag"])
    Office.objects.filter(pk=subscribed.pk).update(subscription_status="unpaid")
    changed = ask(product, subscribed, HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (changed.status_code, changed.json()["reason"]) == (200, "unpaid")
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_another_until_is_another_answer(product, subscribed):
    first = ask(product, subscribed)
    later = subscribed.current_period_end + timedelta(seconds=1)
    Office.objects.filter(pk=subscribed.pk).update(current_period_end=later)

    assert ask(product, subscribed, HTTP_IF_NONE_MATCH=first.headers["ETag"]).status_code == 200


@pytest.mark.parametrize("who", ["auditor", "owner", "viewer"])
def test_it_takes_two_queries_and_no_write(subscribed, who, django_assert_num_queries):
    user = a_person("product@vendor.example", group="auditor") if who == "auditor" else a_member(subscribed, who)
    client = signed_in(user)

    with django_assert_num_queries(2) as seen:
        assert ask(client, subscribed).status_code == 200

    assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries)


def test_who_may_not_see_the_office_is_told_nothing(product, subscribed):
    owner = signed_in(a_member(subscribed, "owner"))

    assert ask(owner, an_office("Another Practice")).status_code == 404
    assert ask(signed_in(a_person("outsider@elsewhere.example")), subscribed).status_code == 404
    product.credentials()
    assert ask(product, subscribed).status_code == 401


def test_blind_it_keeps_access_and_the_worker_looks(stripe, product, subscribed):
    unseen_for(subscribed, hours=1)

    blind = ask(product, subscribed).json()
    assert (blind["access"], blind["reason"]) == ("full", "unconfirmed")
    assert Job.objects.get(name__startswith="look:").name == f"look:{subscribed.public_id}"
    work_once()

    assert not Job.objects.filter(name__startswith="look:").exists()
    assert ask(product, subscribed).json()["reason"] == "active"


def test_a_look_is_queued_once_and_then_nothing_is_written(product, subscribed):
    unseen_for(subscribed, days=9)
    locked_out = ask(product, subscribed).json()

    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert ask(product, subscribed).json() == locked_out

    assert locked_out["access"] == "none"
    assert Job.objects.filter(name__startswith="look:").count() == 1
    assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries)


def test_seen_in_time_no_look_is_queued(product, subscribed):
    ask(product, subscribed)
    assert not Job.objects.exists()
