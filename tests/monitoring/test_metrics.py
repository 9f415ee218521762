"""/metrics: only with its token, and with what happened: in this process, in others, and in the database."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from billing import clock, jobs, measures
from billing.models import ReceivedEvent, WorkerHeartbeat
from billing.monitoring.metrics import Stored
from billing.webhooks import inbox
from config.environment import Secret
from tests.api.services import a_service, asking
from tests.api.test_api import path
from tests.conftest import post_delivery
from tests.other_connections import out_of_reach
from tests.processes import ROOT

TOKEN = "a-token-of-the-tests"


@pytest.fixture(autouse=True)
def guarded(settings):
    settings.METRICS_TOKEN = Secret(TOKEN)


def scraped(**labels):
    """Return each sample by its name, of those that have these labels."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200, answer.content
    samples = [one for family in text_string_to_metric_families(answer.content.decode()) for one in family.samples]
    return {one.name: one.value for one in samples if labels.items() <= one.labels.items()}


@pytest.mark.parametrize("given", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN[:-1]}])
def test_without_its_token_there_is_no_such_page(db, given):
    assert Client().get("/metrics", headers=given).status_code == 404


def test_without_a_token_in_the_settings_nobody_gets_it(db, settings):
    settings.METRICS_TOKEN = Secret("")
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_what_waits_and_how_old_it_is(db):
    then = clock.wall() - timedelta(minutes=10)
    for number, status in enumerate(("waiting", "waiting", "parked")):
        ReceivedEvent.objects.create(
            stripe_id=f"evt_{number}", type="x", created_at=then, received_at=then, status=status
        )
    WorkerHeartbeat.objects.create(name="m:1", seen_at=then)
    jobs.enqueue("look:x")

    found = scraped()

    assert (found["billing_events_waiting"], found["billing_events_parked"], found["billing_jobs_due"]) == (2, 1, 1)
    assert 600 <= found["billing_event_oldest_waiting_seconds"] < 700
    assert 600 <= found["billing_heartbeat_age_seconds"] < 700
    assert found["billing_database_up"] == 1
    assert 0 < found["billing_disk_free_bytes"] < found["billing_disk_size_bytes"]


@pytest.mark.django_db(transaction=True, databases=["default", "impatient"])
def test_while_the_database_is_away_it_says_so_and_answers():
    with out_of_reach("impatient"):
        found = scraped()

    assert found["billing_database_up"] == 0
    assert "billing_events_waiting" not in found


def test_what_stripe_sends_and_is_asked_and_what_becomes_of_it(subscribed, stripe):
    applied = scraped(outcome="applied").get("billing_event_apply_seconds_count", 0)
    wrong = scraped(reason="signature").get("billing_webhook_refusals_total", 0)
    taken = stripe.taken()
    post_delivery(taken[0], headers={"Stripe-Signature": "t=1,v1=forged"})
    assert post_delivery(taken[0]).status_code == 200
    inbox.work_off()

    assert scraped(reason="signature")["billing_webhook_refusals_total"] == wrong + 1
    assert scraped(status="200")["billing_webhook_receive_seconds_count"] >= 1
    assert scraped(outcome="applied")["billing_event_apply_seconds_count"] > applied
    assert scraped(kind="subscribe", outcome="succeeded")["billing_operations_total"] >= 1
    asked = scraped(method="GET", endpoint="/v1/customers/{id}", outcome="ok")
    assert asked["billing_stripe_request_seconds_count"] >= 1


def test_a_request_that_stripe_does_not_answer_is_counted_by_its_code(subscribed, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    jobs.enqueue(f"look:{subscribed.public_id}")
    jobs.run_due()

    assert scraped(outcome="stripe_unavailable")["billing_stripe_request_seconds_count"] >= 1


def test_an_answer_at_a_login_is_counted_and_takes_no_statement_more(office):
    client = asking(a_service()[1])
    client.get(path(office, "entitlement/"))
    before = scraped(access="none")["billing_entitlement_answers_total"]
    with CaptureQueriesContext(connection) as seen:
        client.get(path(office, "entitlement/"))

    assert scraped(access="none")["billing_entitlement_answers_total"] == before + 1
    assert len(seen) <= 3


@pytest.mark.parametrize(
    ("asked", "endpoint"),
    [
        ("/v1/customers/cus_0123456789abcdef", "/v1/customers/{id}"),
        ("/v1/invoices/in_1QabcDEF/pay", "/v1/invoices/{id}/pay"),
        ("/v1/billing_portal/sessions", "/v1/billing_portal/sessions"),
        ("/v1/invoices/create_preview", "/v1/invoices/create_preview"),
        ("/v1/test_helpers/test_clocks", "/v1/test_helpers/test_clocks"),
    ],
)
def test_an_endpoint_has_no_id(asked, endpoint):
    assert measures.endpoint_of(asked) == endpoint


def test_the_alerts_ask_for_figures_that_there_are(db, subscribed):
    WorkerHeartbeat.objects.create(name="m:1", seen_at=clock.wall())
    told = {one for family in measures.REGISTRY.collect() for one in _names(family)}
    told |= {one for family in Stored().collect() for one in _names(family)}
    asked = set(re.findall(r"billing_\w+", (ROOT / "docs/prometheus/alerts.yml").read_text()))

    assert asked - told == set()
    assert len(asked) > 12


def _names(family):
    return {f"{family.name}_total", f"{family.name}_count", family.name}


def test_any_web_process_answers_for_all_of_its_machine(tmp_path):
    ask = [sys.executable, "-c", COUNT_AND_SHOW]
    folder = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "METRICS_TOKEN": TOKEN}
    environment = {**os.environ, **folder, "DATABASE_URL": f"libsql:///{tmp_path}/no-such-folder/a.db"}
    shown = [subprocess.run(ask, cwd=ROOT, env=environment, check=True, **PRINTED).stdout for _ in range(3)]

    assert [re.findall(r'reason="signature"} (\d)', one) for one in shown] == [["1"], ["2"], ["3"]]


PRINTED: Any = {"capture_output": True, "text": True}
COUNT_AND_SHOW = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.conf import settings
from django.test import RequestFactory
from billing import measures
from billing.monitoring import metrics
measures.REFUSED_WEBHOOKS.labels("signature").inc()
headers = {"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
print(metrics.page(RequestFactory().get("/metrics", headers=headers)).content.decode())
"""
