"""Finding entries by person, kind, period, request and Office: in the admin's list and in the API, on an index each."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import clock
from billing.admin.audit_trail import AuditEntryAdmin
from billing.audit import actor, search, trail
from billing.models import AuditEntry
from tests.api.test_api import path, signed_in
from tests.conftest import a_member, an_office

LIST = "/admin/billing/auditentry/"


@pytest.fixture
def browser(auditor):
    client = Client()
    client.force_login(auditor.user)
    return client


@pytest.fixture
def noted(office, operator):
    """Four acts about two Offices: by a person, a job and a member, each in a request of its own."""
    other = an_office("Oak Avenue Clinic")
    owner = a_member(office, "owner")
    for by, about, what in (
        (operator, office, "by a person"),
        (actor.job("nightly"), office, "by a job"),
        (operator, other, "elsewhere"),
        (actor.person(owner), office, "by a member"),
    ):
        with trail.acting(by, office=about, request_id=f"request-{what.replace(' ', '-')}"):
            trail.record_act(about, what, office=about)
    with trail.acting(operator, office=office):
        trail.record_refusal(office, "refused here", code="office_archived")
    return owner


ACTS = {"by a person", "by a job", "elsewhere", "by a member", "refused here"}


def found(browser, query):
    answer = browser.get(LIST + query)
    assert answer.status_code == 200, answer.headers
    return {one for one in ACTS if re.search(rf">\s*{one}\s*<", answer.content.decode())}


class TestTheList:
    def test_without_a_filter_has_all(self, browser, noted):
        assert found(browser, "") == ACTS

    def test_by_person_in_any_case(self, browser, noted):
        assert found(browser, "?person=Operator@vendor.example") == {"by a person", "elsewhere", "refused here"}
        assert found(browser, "?person=nobody@vendor.example") == set()

    def test_by_job(self, browser, noted):
        assert found(browser, "?person=nightly") == {"by a job"}

    def test_by_kind(self, browser, noted):
        assert found(browser, "?kind__exact=refusal") == {"refused here"}

    def test_by_request(self, browser, noted):
        assert found(browser, "?request=request-by-a-job") == {"by a job"}

    def test_by_office_by_a_part_of_its_name_or_its_id(self, browser, noted, office):
        assert found(browser, "?about_office=oak") == {"elsewhere"}
        assert found(browser, f"?about_office={office.public_id}") == ACTS - {"elsewhere"}
        assert found(browser, "?about_office=nothing+like+it") == set()

    def test_by_period(self, browser, noted):
        today = clock.wall().date()
        assert found(browser, f"?since={today}&until={today}") == ACTS
        assert found(browser, f"?since={today + timedelta(days=1)}") == set()
        assert found(browser, f"?until={today - timedelta(days=1)}") == set()
        at = AuditEntry.objects.get(what="by a job").timestamp
        moment = at.astimezone(UTC).isoformat().replace("+", "%2B")
        assert "by a job" in found(browser, f"?since={moment}")
        assert "by a job" not in found(browser, f"?until={moment}")

    @pytest.mark.parametrize("query", ["?since=yesterday", "?until=2026-13-01", "?unusual=exports&since=2020-01-01"])
    def test_what_is_no_day_leads_back_to_the_list(self, browser, query):
        assert browser.get(LIST + query).headers["Location"].endswith("?e=1")

    def test_what_is_unusual(self, browser, noted):
        assert found(browser, "?unusual=refusals") == {"refused here"}
        assert found(browser, "?unusual=exports") == set()

    def test_counts_nothing_and_leaves_nothing_out_by_itself(self, browser, noted):
        with CaptureQueriesContext(connection) as seen:
            shown = browser.get(LIST)

        said = " ".join(one["sql"] for one in seen if 'FROM "billing_auditentry"' in one["sql"])
        assert "COUNT(" not in said
        assert "DISTINCT" not in said
        assert shown.context["cl"].is_whole


class TestTheApi:
    def ask(self, user, office, **query):
        answer = signed_in(user).get(path(office, "audit-trail/"), query)
        assert answer.status_code == 200, answer.content
        return {one["what"] for one in answer.json()["results"]} & ACTS

    def test_an_owner_finds_their_own_people_and_not_the_vendors(self, noted, office):
        assert self.ask(noted, office, person="OWNER@maple.example") == {"by a member"}
        assert self.ask(noted, office, person="operator@vendor.example") == set()
        assert self.ask(noted, office, person="nightly") == set()
        assert self.ask(noted, office, request_id="request-by-a-member") == {"by a member"}
        assert self.ask(noted, office, request_id="request-by-a-person") == set()

    def test_an_auditor_finds_everybody(self, noted, office, auditor):
        assert self.ask(auditor.user, office, person="operator@vendor.example") == {"by a person", "refused here"}
        assert self.ask(auditor.user, office, person="nightly") == {"by a job"}
        assert self.ask(auditor.user, office, request_id="request-by-a-person") == {"by a person"}

    def test_by_kind_and_period(self, noted, office):
        at = AuditEntry.objects.get(what="by a job").timestamp.isoformat()
        assert self.ask(noted, office, kind="refusal") == {"refused here"}
        assert self.ask(noted, office, **{"to": at}) == {"by a person"}
        assert self.ask(noted, office, **{"from": at, "kind": "act"}) == {"by a job", "by a member"}

    def test_another_office_is_not_there(self, noted, office):
        assert self.ask(noted, office) == ACTS - {"elsewhere"}

    def test_its_request_is_named_to_those_who_may_know_who_it_was(self, noted, office, auditor):
        def requests(user):
            rows = signed_in(user).get(path(office, "audit-trail/")).json()["results"]
            return {one["request_id"] for one in rows if one["what"] in ACTS}

        assert requests(noted) == {"", "request-by-a-member"}
        assert "request-by-a-job" in requests(auditor.user)

    @pytest.mark.parametrize("query", [{"kind": "x"}, {"from": "yesterday"}, {"person": "x" * 300}])
    def test_what_cannot_be_asked_is_told(self, noted, office, query):
        assert signed_in(noted).get(path(office, "audit-trail/"), query).status_code == 400


QUERIES = {
    "nothing": "",
    "person": "?person=operator@vendor.example",
    "job": "?person=nightly",
    "kind": "?kind__exact=refusal",
    "period": "?since=2026-01-01&until=2026-01-31",
    "request": "?request=request-by-a-job",
    "office": "?about_office=oak",
    **{name: f"?unusual={name}" for name in search.UNUSUAL},
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_each_filter_of_the_list_is_on_an_index(browser, noted, query, monkeypatch):
    monkeypatch.setattr(AuditEntryAdmin, "list_per_page", 1)  # all rows of a single page are read without a limit
    with CaptureQueriesContext(connection) as seen:
        browser.get(LIST + query)

    asked = [one["sql"] for one in seen if 'FROM "billing_auditentry"' in one["sql"]]
    assert asked
    for sql in asked:
        assert_no_scan(sql, may_read_in_order=not query)


@pytest.mark.parametrize("who", ["owner", "auditor"])
@pytest.mark.parametrize("query", [{}, {"person": "operator@vendor.example"}, {"kind": "refusal"}, {"request_id": "x"}])
def test_each_filter_of_the_api_is_on_an_index(noted, office, auditor, who, query):
    client = signed_in(noted if who == "owner" else auditor.user)

    with CaptureQueriesContext(connection) as seen:
        client.get(path(office, "audit-trail/"), query)

    asked = [one["sql"] for one in seen if 'FROM "billing_auditentry"' in one["sql"]]
    assert asked
    for sql in asked:
        assert_no_scan(sql)


def test_each_statement_of_the_timeline_is_on_an_index(browser, noted, office):
    with CaptureQueriesContext(connection) as seen:
        browser.get(f"/admin/billing/office/{office.pk}/timeline/")

    asked = [one["sql"] for one in seen if 'FROM "billing_auditentry"' in one["sql"]]
    assert asked
    for sql in asked:
        assert_no_scan(sql)


def test_a_scan_is_told(noted):
    without_index = 'SELECT "id" FROM "billing_auditentry" WHERE "reason" = \'x\' ORDER BY "timestamp" LIMIT 5'
    with pytest.raises(AssertionError):
        assert_no_scan(without_index)


def assert_no_scan(sql, *, may_read_in_order=False):
    """Let the database say how it would find the rows. Fail if it would read all, or all in order until some fit."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # of a small table it would read all
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            found = cursor.fetchone()[0]
            cursor.execute("SET LOCAL enable_seqscan = on")
            plan = json.loads(found) if isinstance(found, str) else found
            for node in nodes(plan[0]["Plan"]):
                if node.get("Relation Name") == "billing_auditentry":
                    is_found = "Index Cond" in node or "Recheck Cond" in node
                    assert is_found or (may_read_in_order and "LIMIT" in sql), (node, sql)
            return
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        for *_, step in cursor.fetchall():
            if "billing_auditentry" in step:
                is_in_order = step.startswith("SCAN") and "USING" in step and "LIMIT" in sql
                assert step.startswith("SEARCH") or (may_read_in_order and is_in_order), (step, sql)


def nodes(node):
    """Yield each step of a plan."""
    yield node
    for one in node.get("Plans", []):
        yield from nodes(one)


def unusual(name):
    now = clock.wall()
    rows = search.unusual(name, now - timedelta(days=1), now + timedelta(days=1), zone="UTC")
    return set(rows.values_list("what", flat=True))


def refusal_from_before(what):
    with trail.acting(actor.service("somebody")):
        AuditEntry.objects.log_create(trail.NOBODY, force_log=True, action=3, kind="refusal", what=what)


def test_kinds_of_refusals_are_found_by_their_code_in_whatever_words(operator, office):
    with trail.acting(operator, office=office):
        for what, code in (
            ("may not close a finding", "not_permitted"),
            ("the API token only looks", "token_only_reads"),
            ("the one who asked is not allowed to any more", "requester_may_no_longer"),
            ("nobody came in", search.SIGN_IN_FAILED),
            ("another code, please", "second_factor_wrong"),
            ("sign-in: a page that was closed", "changed_meanwhile"),
        ):
            trail.record_refusal(office, what, code=code)

    assert unusual("denials") == {"may not close a finding", "the API token only looks"}
    assert unusual("failed_sign_ins") == {"nobody came in", "another code, please"}


def test_refusals_from_before_there_were_codes_are_found_by_their_words(db):
    denied = {"not permitted: a page", "refund: You are not allowed to give back", "trial: Only the vendor's staff may"}
    failed = {"sign-in: wrong address or password", "second factor: wrong code", "API token: second_factor_missing"}
    for what in denied | failed | {"refund: it is too much"}:
        refusal_from_before(what)

    assert unusual("denials") == denied
    assert unusual("failed_sign_ins") == failed


def test_exports_are_found_by_their_code_and_those_from_before_by_their_words(office):
    with trail.acting(actor.job("tests")):
        trail.record_act(office, "took the trail along", data={"code": search.EXPORTED})
        trail.record_act(office, "exported the audit trail")
        trail.record_act(office, "exported nothing", data={"code": "another"})

    assert unusual("exports") == {"took the trail along", "exported the audit trail"}


def test_the_number_of_a_refusal_is_found_with_it(operator, office):
    with trail.acting(operator, office=office):
        trail.record_refusal(office, "may not close a finding", code="not_permitted")
        trail.record_count(AuditEntry.objects.latest("pk"), "3 more until 12:00 UTC: may not close a finding")

    assert len(unusual("denials")) == 2


def test_nights_and_weekends_are_those_of_the_vendors_zone(settings, operator, office):
    settings.VENDOR_TIME_ZONE = "America/New_York"
    at = {
        "Friday, 19:59 there": datetime(2026, 11, 13, 0, 59, tzinfo=UTC) + timedelta(days=1),
        "Friday, 20:00 there": datetime(2026, 11, 14, 1, 0, tzinfo=UTC),
        "Sunday noon there": datetime(2026, 11, 15, 17, 0, tzinfo=UTC),
        "Monday, 6:59 there": datetime(2026, 11, 16, 11, 59, tzinfo=UTC),
        "Monday, 7:00 there": datetime(2026, 11, 16, 12, 0, tzinfo=UTC),
        "Tuesday, 3:00 there": datetime(2026, 11, 17, 8, 0, tzinfo=UTC),
    }
    with trail.acting(operator, office=office):
        for what, moment in at.items():
            AuditEntry.objects.log_create(office, force_log=True, action=3, kind="act", what=what, timestamp=moment)

    def seen(since, until):
        rows = search.unusual("out_of_hours", since, until, zone="America/New_York")
        return set(rows.values_list("what", flat=True))

    month = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert seen(*month) == set(at) - {"Friday, 19:59 there", "Monday, 7:00 there"}
    assert seen(datetime(2026, 11, 15, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)) == {"Sunday noon there"}
