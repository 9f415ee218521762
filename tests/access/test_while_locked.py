"""While the database takes no write, whatever only reads is answered as always, within two seconds and with one line.

The walk comes from the tables of addresses, so a new one is asked here too.
"""

import contextlib
import logging
import re
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from allauth.usersessions.models import UserSession
from django.db import OperationalError, connections, transaction
from django.test import Client

from billing import clock, time_limits
from billing.access import tokens
from billing.audit import actor, reads
from billing.limits import process
from billing.models import Office, ServiceIdentity
from config import databases
from tests.access.addresses import ADMIN, API, OPEN, named
from tests.access.test_matrix import furnished, rows
from tests.api.services import a_service, asking
from tests.conftest import ADMINISTRATOR, OPERATOR, a_member, a_person, an_office
from tests.other_connections import embedded_only, locked_by_another
from tests.sign_in.browser import Browser

pytestmark = [
    embedded_only,
    pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"]),
    pytest.mark.usefixtures("no_limit_is_reached"),
]

MOST_SECONDS = 1.9
LONGEST = {"impatient": databases.IMPATIENT_SECONDS, "optional": databases.OPTIONAL_SECONDS}
MUST_FAIL = {
    "api:export-audit-trail": "the trail has each export before anything of it is sent",
    **dict.fromkeys(
        ("mfa_activate_totp", "mfa_add_webauthn", "mfa_login_webauthn", "mfa_reauthenticate_webauthn"),
        "signing in: the session keeps what it will be compared with",
    ),
}
"""What cannot be answered without a write, and why: 503, and when to try again."""
REFUSED = 403
"""A refusal is not answered before it is on record, so it may become 503."""
READ = sorted(f"api:{name}" for method, name in API if method == "GET")
LEFT_OUT = ("not in the audit trail", "not written", "not queued", "in this process alone")


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING)
    return caplog


@pytest.fixture
def lapsed(stripe: Any) -> Office:
    """An Office whose paid period is over, so that a question about its access asks for a look."""
    office = an_office()
    ended = clock.billing() - timedelta(hours=1)
    Office.objects.filter(pk=office.pk).update(
        payment_provider_customer_id="cus_000000000000000001",
        payment_provider_subscription_id="sub_1",
        subscription_status="active",
        current_period_end=ended,
        confirmed_at=ended - timedelta(days=1),
    )
    return office


def as_if_nothing_was_noted() -> None:
    """Let each request have every side write: its use is not noted, its look is not recorded."""
    reads.forget()
    process.forget()
    time_limits.forget()
    UserSession.objects.update(last_seen_at=clock.wall() - timedelta(minutes=1))
    ServiceIdentity.objects.update(last_used_at=None)


def asked(client: Any, address: str) -> tuple[Any, float]:
    """Return the answer, and for how many seconds the database let it wait in vain. Other work does not count."""
    waited = 0.0

    def timed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal waited
        began = time.monotonic()
        try:
            return execute(sql, params, many, context)
        except OperationalError:
            waited += LONGEST.get(context["connection"].alias, time.monotonic() - began)
            raise

    with contextlib.ExitStack() as stack:
        for one in connections.all():
            stack.enter_context(one.execute_wrapper(timed))
        answer = client.get(address)
        if answer.streaming:
            list(answer.streaming_content)
        answer.close()
    return answer, waited


def held_against(client: Any, walk: dict[str, str], heard: Any) -> dict[str, str]:
    """Ask each address while the database is locked, and again when it is free. Return what is wrong, by address."""
    with contextlib.ExitStack() as stack:
        for alias in LONGEST:  # how often they wait is counted, and need not be waited for
            stack.enter_context(mock.patch.object(connections[alias], "longest_wait", 0.02))
        return _held_against(client, walk, heard)


def _held_against(client: Any, walk: dict[str, str], heard: Any) -> dict[str, str]:
    wrong: dict[str, str] = {}
    client.raise_request_exception = False
    for name, address in walk.items():
        as_if_nothing_was_noted()
        heard.clear()
        with locked_by_another("billing_office"):
            answer, took = asked(client, address)
        lines = [one for one in heard.records if any(part in one.getMessage() for part in LEFT_OUT)]
        as_if_nothing_was_noted()
        free, _ = asked(client, address)
        expected = 503 if name in MUST_FAIL and free.status_code == 200 else free.status_code
        if free.status_code >= 500 and name != "healthz":
            wrong[name] = f"{free.status_code} although nothing is locked"
        if free.status_code == REFUSED and answer.status_code == 503:
            expected = 503
        if answer.status_code != expected:
            wrong[name] = f"{answer.status_code}, and {free.status_code} while nothing is locked"
        elif expected == 503 and name != "healthz" and "Retry-After" not in answer.headers:
            wrong[name] = "503 without Retry-After"
        if took > MOST_SECONDS:
            wrong[name] = f"{wrong.get(name, '')} {took:.1f} s"
            return wrong  # it waits as long as any connection does, and others would too
        if len({one.name for one in lines}) != len(lines):
            wrong[name] = f"{len(lines)} lines: {[one.getMessage() for one in lines]}"
    return wrong


def filled(path: str, ids: dict[str, Any]) -> str:
    return re.sub(r"<uuid:(\w+)>", lambda found: str(ids[found[1]]), f"/{path}")


def test_what_a_person_reads_over_the_api(lapsed, heard):
    owner = a_member(lapsed, "owner")
    ids = furnished(lapsed)
    _, token = tokens.make(owner)
    client = Client(headers={"Authorization": f"Token {token}"})
    walk = {name: filled(named()[name][0], ids) for name in READ}

    assert held_against(client, walk, heard) == {}


def test_what_a_service_reads(lapsed, heard):
    ids = furnished(lapsed)
    _, token = a_service()
    client = asking(token)
    walk = {name: filled(named()[name][0], ids) for name in READ}

    assert held_against(client, walk, heard) == {}


@pytest.mark.slow
def test_what_staff_read(stripe, heard):
    office, by = an_office(), actor.person(a_person("operator@vendor.example", group=OPERATOR))
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # the rows are made as in a test case's transaction, and stay
    with block:
        at = rows(office, actor.person(a_person("second@vendor.example", group=ADMINISTRATOR)), by)
    client = Client()
    client.force_login(a_person("reader@vendor.example", group=ADMINISTRATOR))
    walk = {
        f"admin:{name}": "/" + re.sub(r"<[^>]+>", str(at.get(name.split("_")[1], 0)), named()[f"admin:{name}"][0])
        for name in ADMIN
    }

    assert held_against(client, {"admin:index": "/admin/", **walk}, heard) == {}


def test_the_pages_that_are_open_to_all_and_those_about_oneself(stripe, heard):
    walk = {name: "/" + re.sub(r"<[^>]+>", "1", named()[name][0]) for name in OPEN.split() if name in named()}
    a_person("owner@maple.example")
    browser = Browser()
    browser.sign_in("owner@maple.example")

    assert held_against(browser, walk, heard) == {}


def test_what_nobody_is_signed_in_for(stripe, heard):
    walk = {name: "/" + re.sub(r"<[^>]+>", "1", named()[name][0]) for name in OPEN.split() if name in named()}

    assert held_against(Client(), walk, heard) == {}


def test_a_session_that_is_over_leads_to_the_sign_in_page(stripe, heard):
    a_person("owner@maple.example")
    browser = Browser(raise_request_exception=False)
    browser.sign_in("owner@maple.example")
    UserSession.objects.update(last_seen_at=clock.wall() - timedelta(days=1))
    with locked_by_another("billing_office"):
        answer, took = asked(browser, "/account/")

        assert (answer.status_code, took < MOST_SECONDS) == (302, True)
        assert "session over" not in heard.text
        assert "the end of a session was not written" in heard.text
        assert not browser.cookies["sessionid"].value
