from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse

from billing import clock
from billing.audit import trail
from billing.findings import report
from billing.models import AuditEntry, Finding, Job, Operation, ReceivedEvent, WorkerHeartbeat
from tests.admin.test_offices import signed_in

EVENTS = reverse("admin:billing_receivedevent_changelist")


@pytest.fixture
def parked(stripe):
    for number in range(3):
        ReceivedEvent.objects.create(
            stripe_id=f"evt_{number}", type="x", created_at=clock.wall(), status="parked", last_error="KeyError: odd"
        )
        report("event_parked", f"evt_{number}", office=None, detail="x")
    ReceivedEvent.objects.create(stripe_id="evt_9", type="x", created_at=clock.wall(), status="applied")


def statuses():
    return sorted(ReceivedEvent.objects.values_list("status", flat=True))


def test_a_parked_event_shows_its_error_and_is_put_back_by_one_click(parked, operator):
    client = signed_in(operator.user)
    assert "KeyError: odd" in client.get(EVENTS).content.decode()
    form = {"action": "replay", "_selected_action": [ReceivedEvent.objects.get(stripe_id="evt_1").pk]}

    client.post(EVENTS, form)

    assert statuses() == ["applied", "parked", "parked", "waiting"]
    assert AuditEntry.objects.filter(kind="act", actor=operator.user).count() == 1
    assert Finding.objects.filter(resolved_at=None).count() == 2


def test_all_parked_events_are_put_back_by_one_confirmed_click(parked, operator):
    client, address = signed_in(operator.user), reverse("admin:billing_receivedevent_replay_all")
    assert address in client.get(EVENTS).content.decode()
    assert "3 parked events" in client.get(address).content.decode()
    assert statuses().count("parked") == 3  # a look at the page changes nothing

    shown = client.post(address, follow=True).content.decode()

    assert "Events that will be read again: 3" in shown
    assert statuses() == ["applied", "waiting", "waiting", "waiting"]
    assert AuditEntry.objects.get(kind="act", actor=operator.user).what.endswith("inbox: 3")


def test_an_auditor_cannot_put_events_back(parked, auditor):
    client, address = signed_in(auditor.user), reverse("admin:billing_receivedevent_replay_all")

    assert (client.get(address).status_code, client.post(address).status_code) == (403, 403)
    client.post(EVENTS, {"action": "replay", "_selected_action": [ReceivedEvent.objects.first().pk]})
    assert statuses().count("parked") == 3


def test_staff_see_whether_workers_live_and_what_waits(parked, auditor):
    WorkerHeartbeat.objects.create(name="host:1", seen_at=clock.wall())
    WorkerHeartbeat.objects.create(name="host:2", seen_at=clock.wall() - timedelta(hours=1))
    Job.objects.create(name="purge-events", due_at=clock.wall(), last_error="StripeUnavailable")
    client = signed_in(auditor.user)

    shown = client.get(reverse("admin:billing_workerheartbeat_changelist")).content.decode()

    assert "0 events are waiting, 3 are parked" in shown
    assert [name in shown for name in ("host:1", "host:2")] == [True, True]
    assert "StripeUnavailable" in client.get(reverse("admin:billing_job_changelist")).content.decode()


def test_what_is_on_record_is_shown_without_stripes_ids(stripe, operator, auditor, office):
    with trail.acting(operator, office=office, reason="agreed"):
        operation = Operation(
            office=office,
            kind="subscribe",
            reason="agreed",
            actor_kind="user",
            actor_label="x",
            lease_until=clock.wall(),
        )
        operation.on_record = {"payment_method": "pm_1Mm8s8LkdIwHu7ix"}
        operation.save()
    entry = AuditEntry.objects.get(content_type__model="operation")
    assert "pm_1Mm8s8LkdIwHu7ix" in str(entry.additional_data)

    shown = signed_in(auditor.user).get(reverse("admin:billing_auditentry_change", args=[entry.pk])).content.decode()

    assert "pm_…u7ix" in shown
    assert "pm_1Mm8s8LkdIwHu7ix" not in shown


def test_the_parts_of_each_page_can_be_seen_by_who_can_see_the_page(operator):
    """Django leaves a part out of a page, without a word, if nobody may see its model."""
    parts = {part.model for page in admin.site._registry.values() for part in page.inlines}
    ours = {model._meta.model_name for model in parts if model._meta.app_label == "billing"}

    assert {"subscriptionitem", "invoicepayment", "payment"} <= ours
    assert {name for name in ours if not operator.user.has_perm(f"billing.view_{name}")} == set()
