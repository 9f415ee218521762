"""A red check becomes a finding and an alert, once; green again ends it."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core import mail
from django.db import OperationalError

from billing import clock, jobs, worker  # noqa: F401  worker: for all jobs
from billing.findings import KINDS
from billing.models import Finding, Job, Notification, WorkerHeartbeat
from billing.monitoring import asking, direct, machine, telling
from billing.monitoring.outcome import Seen
from billing.outbox import delivery
from tests.monitoring.seen import one
from tests.other_connections import embedded_only
from tests.outbox.conftest import mail_server  # noqa: F401  a fixture


class Receiver:
    """Takes what is posted to it, and answers with ``status``."""

    def __init__(self) -> None:
        self.posted: list[dict] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/alerts"


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    settings.ALERT_WEBHOOK = found.url
    yield found
    found.server.shutdown()
    thread.join()
    found.server.server_close()


@pytest.fixture
def watched(stripe):
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())
    asking.ask()
    return stripe


def refused(settings, stripe):
    settings.STRIPE_API_KEY = "sk_test_revoked"
    asking.ask()


def disabled(settings, stripe):
    (one,) = stripe.listed("webhook_endpoints")
    stripe.post(f"webhook_endpoints/{one['id']}", disabled="true")
    asking.ask()


def ahead(settings, stripe):
    stripe.control("settings", date_seconds=-3600)
    asking.ask()


def full(settings, stripe):
    settings.DISK_LEAST_FREE_MB = 10**9


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refused, "stripe_key_refused"),
        (disabled, "webhook_endpoint_disabled"),
        (ahead, "clock"),
        pytest.param(full, "disk", marks=embedded_only),
    ],
)
def test_what_turns_red_is_told_once_within_a_minute(watched, settings, receiver, administrator, fault, code):
    telling.check()
    assert not Finding.objects.exists()

    fault(settings, watched)
    for _ in range(3):
        telling.check()
    assert jobs.run_due() >= 1

    (found,) = Finding.objects.filter(resolved_at=None)
    assert (found.kind, found.facts, found.severity) == ("check_failed", code, "critical")
    (alert,) = receiver.posted
    assert (alert["code"], alert["level"], alert["says"]) == (code, "red", found.detail)
    assert alert["since"] == found.found_at.isoformat()
    (row,) = Notification.objects.all()
    assert (row.kind, row.user) == ("alert", administrator.user)


def test_green_again_ends_the_finding_and_is_told_once(watched, settings, receiver, administrator):
    key = settings.STRIPE_API_KEY
    refused(settings, watched)
    telling.check()
    jobs.run_due()

    settings.STRIPE_API_KEY = key
    for _ in range(2):
        telling.check()  # it asks Stripe again by itself
    jobs.run_due()

    found = Finding.objects.get()
    assert found.resolution == "the check is green again"
    assert [posted["level"] for posted in receiver.posted] == ["red", "green"]
    assert Notification.objects.count() == 2


def test_what_could_not_be_posted_in_time_is_not_posted_after_its_end(watched, settings, receiver, administrator):
    key, receiver.status = settings.STRIPE_API_KEY, 500
    refused(settings, watched)
    telling.check()
    jobs.run_due()
    settings.STRIPE_API_KEY, receiver.status = key, 200
    telling.check()
    Job.objects.update(due_at=clock.wall())

    jobs.run_due()

    assert [posted["level"] for posted in receiver.posted] == ["red", "green"]  # the first was answered 500


@embedded_only
def test_amber_after_red_is_not_told_as_the_end(watched, settings, receiver, administrator):
    full(settings, watched)
    telling.check()
    free = machine.disk(Seen()).seen.split(" MB")[0].replace(",", "")
    settings.DISK_LEAST_FREE_MB = int(free) // 2

    telling.check()
    jobs.run_due()

    assert one("disk").level == "amber"
    assert Finding.objects.get().resolved_at is None
    assert [posted["level"] for posted in receiver.posted] == ["red"]


def test_another_reason_of_the_same_check_is_another_alert(watched, settings, administrator):
    disabled(settings, watched)
    telling.check()
    (one,) = watched.listed("webhook_endpoints")
    watched.delete(f"webhook_endpoints/{one['id']}")

    telling.check()

    assert Finding.objects.get().facts == "webhook_endpoint_missing"
    assert Notification.objects.count() == 2


def test_alerts_go_to_the_addresses_that_are_set(watched, settings, administrator, mail_server):  # noqa: F811
    settings.ALERT_EMAILS = ["night@vendor.example", "day@vendor.example"]
    ahead(settings, watched)
    telling.check()

    delivery.work_off()

    assert sorted(one["To"] for one in mail_server.received) == ["day@vendor.example", "night@vendor.example"]
    body = mail_server.received[0].get_body(("plain",)).get_content()
    assert "The clock of a machine is" in body
    assert "/admin/billing/finding/" in body


def test_a_post_that_is_not_taken_is_posted_again(watched, settings, receiver, administrator):
    ahead(settings, watched)
    telling.check()
    receiver.status = 500
    jobs.run_due()
    (row,) = Job.objects.filter(name__startswith="alert:")
    assert row.last_error == "alert_not_taken: ALERT_WEBHOOK answered 500."

    receiver.status = 204
    Job.objects.update(due_at=clock.wall())
    jobs.run_due()

    assert not Job.objects.filter(name__startswith="alert:").exists()
    assert len(receiver.posted) == 2


def test_nobody_closes_it_by_hand():
    assert not KINDS["check_failed"].by_person


@pytest.mark.usefixtures("db")
def test_what_the_database_cannot_record_is_told_without_it_and_seldom(settings, receiver, caplog):
    settings.ALERT_EMAILS = ["night@vendor.example"]
    trouble, error = direct.Trouble(), OperationalError("database or disk is full")
    told = []
    for now in (1000, 1030, 1059, 1061, 1100, 1900, 1962, 1965):
        trouble.happened(error, now=now)
        told.append(len(receiver.posted))

    assert told == [0, 0, 0, 1, 1, 1, 2, 2]
    assert [one.to for one in mail.outbox] == [["night@vendor.example"]] * 2
    assert receiver.posted[0]["code"] == "database_not_written"
    assert caplog.text.count("database_not_written") == 2

    trouble.over()
    trouble.happened(error, now=3000)
    assert len(receiver.posted) == 2


@pytest.mark.usefixtures("db")
def test_administrators_are_known_also_while_the_database_is_away(watched, administrator):
    telling.check()
    direct.tell("database_not_written", "The database takes nothing.", since="now")

    assert [one.to for one in mail.outbox] == [["administrator@vendor.example"]]


@pytest.mark.usefixtures("db")
def test_a_mail_server_and_a_webhook_that_are_away_end_nothing(settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", 1, False
    settings.ALERT_EMAILS, settings.ALERT_WEBHOOK = ["night@vendor.example"], "http://127.0.0.1:1/"

    direct.tell("database_not_written", "The database takes nothing.", since="now")

    assert "an alert could not be sent by e-mail: ConnectionRefusedError" in caplog.text
    assert "an alert could not be posted: ALERT_WEBHOOK does not answer (ConnectionError)." in caplog.text


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("hours", [2, 24 * 365])
def test_a_job_is_due_within_its_interval_after_a_clock_was_set_back(hours):
    jobs.plan_recurring()
    future = clock.wall() + timedelta(hours=hours)
    Job.objects.filter(name__in=["check", "seal-audit"]).update(due_at=future)
    Job.objects.filter(name="verify-audit").update(due_at=clock.wall() + timedelta(hours=2))
    Job.objects.filter(name="purge-events").update(lease_until=future, claim_id="00000000-0000-4000-8000-000000000000")

    jobs.plan_recurring()

    soon = set(Job.objects.filter(due_at__lte=clock.wall(), lease_until=None).values_list("name", flat=True))
    assert {"check", "seal-audit", "purge-events"} <= soon
    assert "verify-audit" not in soon
