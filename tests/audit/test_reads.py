"""What people look at is in the trail: once for each person and Office in 15 minutes, whatever page it is."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.test import APIClient

from billing import time_limits
from billing.audit import reads
from billing.models import AuditEntry, User
from tests.access.addresses import ADMIN, API, OF_STAFF, named
from tests.access.test_matrix import furnished, rows
from tests.api.services import a_service, asking
from tests.api.test_api import path
from tests.append_only import rewrite
from tests.conftest import ADMINISTRATOR, a_member, a_person, an_office, price_id, rolled_back
from tests.other_connections import ON_SERVER, locked_by_another

NO_READ = {"plans", "schema", "docs", "problems", "entitlement", "export-audit-trail"}
LISTS = {"offices"}
ROWS_OF_NO_OFFICE = """
    plan reconciliation receivedevent job workerheartbeat user agreement vouching emergencyrole serviceidentity
    trailreview journal
""".split()
"""Of the vendor itself, or about people: their pages show nobody's billing."""
MAY_BE_OF_NO_OFFICE = ("invitation", "notification", "auditentry", "bulkact")


def found(**how: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(kind="read", **how).order_by("pk"))


def an_owner(office) -> tuple[User, APIClient]:
    user, client = a_member(office, "owner"), APIClient()
    client.force_authenticate(User.objects.get(pk=user.pk))
    return user, client


def staff(email: str = "all@vendor.example") -> Client:
    client = Client()
    client.force_login(a_person(email, group=ADMINISTRATOR))
    return client


def test_each_address_of_the_api_that_shows_an_office(stripe, office):
    owner, client = an_owner(office)
    ids, answered = furnished(office), 0
    for method, name in API:
        if method != "GET":
            continue
        wanted = re.findall(r"<uuid:(\w+)>", named()[f"api:{name}"][0])
        reads.forget()
        with rolled_back():
            answer = client.get(reverse(f"api:{name}", kwargs={one: ids[one] for one in wanted}))
            written = found()
        if name in NO_READ or answer.status_code >= 400:
            assert written == [], name
            continue
        answered += 1
        assert len(written) == 1, name
        [entry] = written
        assert (entry.actor, entry.actor_kind) == (owner, "person"), name
        assert entry.office == (None if name in LISTS else office), name
        assert (entry.remote_addr, bool(entry.request_id), bool(entry.billing_at)) == ("127.0.0.1", True, True), name
    assert answered > 12


def test_each_page_of_the_admin_that_shows_an_office(stripe, office, administrator, operator):
    at, client, answered = rows(office, administrator, operator), staff(), 0
    for name in (*ADMIN, "index"):
        path_, _ = named()[f"admin:{name}"]
        model = name.split("_")[1] if "_" in name else ""
        reads.forget()
        with rolled_back():
            answer = client.get("/" + re.sub(r"<[^>]+>", str(at.get(model, 0)), path_))
            written = found()
        if answer.status_code != 200 or model in ROWS_OF_NO_OFFICE or name.endswith("_add"):
            assert len(written) <= (answer.status_code != 200), name
            continue
        answered += 1
        is_list = name == "index" or name.endswith(("_changelist", "_export"))
        if name == "billing_auditentry_export":  # it asks first, and shows nobody's rows
            assert written == []
            continue
        if model in MAY_BE_OF_NO_OFFICE and not is_list:
            assert len(written) <= 1, name
            continue
        assert len(written) == 1, name
        [entry] = written
        assert entry.actor.email == "all@vendor.example", name
        assert (entry.office is None) is is_list, name
        assert entry.office in (None, office), name
    assert answered > 40
    assert "index" in OF_STAFF


def test_one_entry_for_each_person_and_office_in_a_window(stripe, office):
    other = an_office("Another Practice")
    first, second = staff("first@vendor.example"), staff("second@vendor.example")
    for client in (first, second, first):
        for one in (office, other):
            for page in ("change", "history"):
                assert client.get(reverse(f"admin:billing_office_{page}", args=[one.pk])).status_code == 200

    assert {(one.actor.email, one.office) for one in found()} == {
        (f"{who}@vendor.example", one) for who in ("first", "second") for one in (office, other)
    }
    assert len(found()) == 4


@pytest.mark.parametrize("page", ["billing_office_changelist", "billing_office_timeline", "billing_office_change"])
def test_a_page_that_comes_back_to_a_form_that_was_sent_is_one_too(stripe, office, page):
    client = staff()
    at = reverse(f"admin:{page}", args=[] if page.endswith("list") else [office.pk])

    assert client.post(at, {"name": ""}).status_code == 200
    assert len(found()) == 1


def test_another_process_and_the_next_window(stripe, office):
    client, page = staff(), reverse("admin:billing_office_change", args=[office.pk])
    client.get(page)
    reads.forget()
    client.get(page)
    assert len(found()) == 1

    rewrite(AuditEntry.objects.filter(kind="read"), window_key="of the window before")
    reads.forget()
    client.get(page)
    assert len(found()) == 2


def test_a_list_is_one_entry_with_the_names_of_its_filters_and_the_number_of_rows(stripe, office):
    an_office("Another Practice")
    client, page = staff(), reverse("admin:billing_office_changelist")
    client.get(page)
    client.get(page)
    client.get(page, {"q": "Zebedee"})
    client.get(page, {"q": "Street", "archived_at__isempty": "1"})

    client.get(page, {"name__startswith": "Zebedee"})

    plain, searched, filtered, linked = [one.what for one in found()]
    assert plain == "looked at a list at admin:billing_office_changelist: 2 rows"
    assert searched == "looked at a list at admin:billing_office_changelist, by a search: 0 rows"
    assert filtered == "looked at a list at admin:billing_office_changelist, by a search, archived at: 1 rows"
    assert linked == "looked at a list at admin:billing_office_changelist, by another column: 0 rows"
    assert all(one.office is None for one in found())


def test_offices_that_are_looked_up_for_a_form_are_a_list_too(stripe, office):
    given = {"app_label": "billing", "model_name": "membership", "field_name": "office", "term": "Maple"}
    assert "Maple" in staff().get(reverse("admin:autocomplete"), given).content.decode()
    assert [one.what for one in found()] == ["looked at a list at admin:autocomplete, by a search"]


def test_a_preview_is_a_look_and_a_refused_one_is_none(stripe, subscribed):
    _, client = an_owner(subscribed)
    at = f"/api/v1/offices/{subscribed.public_id}/subscription/change/preview/"
    assert client.post(at, {"quantity": -1}, format="json").status_code == 400
    assert found() == []

    assert client.post(at, {"price": price_id("practice-yearly")}, format="json").status_code == 200
    assert [one.office for one in found()] == [subscribed]


def test_whoever_may_not_see_it_looked_at_nothing(stripe, office):
    client = APIClient()
    client.force_authenticate(a_person("outsider@elsewhere.example"))
    assert client.get(path(office, "")).status_code == 404
    assert found() == []


def test_a_service_writes_nothing_and_takes_no_statement_more(subscribed):
    _, token = a_service(scopes=["offices:read", "invoices:read"])
    client = asking(token)
    client.get(path(subscribed, "invoices/"))
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path(subscribed, "invoices/")).status_code == 200
    assert all(one["sql"].startswith("SELECT") for one in seen.captured_queries)
    assert found() == []


def test_the_first_look_takes_one_statement_more_and_the_next_none(stripe, office):
    _, client = an_owner(office)
    client.get(path(office, ""))
    reads.forget()
    rewrite(AuditEntry.objects.filter(kind="read"), window_key=None)
    with CaptureQueriesContext(connection) as first:
        client.get(path(office, ""))
    with CaptureQueriesContext(connection) as second:
        client.get(path(office, ""))

    writes = [one["sql"] for one in first.captured_queries if not one["sql"].startswith(("SELECT", "SET LOCAL"))]
    assert len([one for one in writes if "billing_auditentry" in one]) == 1
    assert all(one["sql"].startswith("SELECT") for one in second.captured_queries)
    assert len(first) - len(second) <= 4  # on a server: the limits, and a savepoint in a test


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_if_it_cannot_be_written_the_answer_goes_out_and_the_loss_is_recorded_later(caplog):
    office = an_office()
    _, client = an_owner(office)
    with locked_by_another("billing_auditentry", mode="EXCLUSIVE"):
        for _ in range(2):
            assert client.get(path(office, "")).status_code == 200
    assert caplog.text.count("not in the audit trail, because the database did not take it") == 2
    assert ON_SERVER or found() == []

    time_limits.forget()  # a second later
    assert client.get(path(office, "")).status_code == 200
    assert [one.office for one in found()] == [office]
    [loss] = AuditEntry.objects.filter(what__contains="were not recorded")
    assert loss.what.startswith("2 looks of people were not recorded from ")
    assert (loss.kind, loss.actor_kind, loss.actor_label) == ("act", "job", "reads")

    client.get(path(an_office("Another Practice"), ""))
    assert AuditEntry.objects.filter(what__contains="were not recorded").count() == 1
