"""What waits is taken up at once when what it waits for is there again, and never later than it can be due."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction

from billing import clock, jobs, waits
from billing.audit import trail
from billing.models import Job, Notification, Operation, ReceivedEvent
from billing.outbox import delivery
from billing.webhooks import inbox
from tests.conftest import a_person, an_office, subscribed_office

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def never_tried():
    for one in (waits.STRIPE, waits.MAIL_SERVER):
        one.tried_at = -waits.TRIED_EVERY


@pytest.fixture
def waiting(stripe, operator, settings):
    """Three Offices whose events and looks failed so often that they wait for a long time."""
    offices = [subscribed_office(an_office(name), by=operator) for name in ("First", "Second", "Third")]
    stripe.deliver()
    for one in offices:
        jobs.enqueue(f"look:{one.public_id}")
    settings.STRIPE_API_BASE, there = NOBODY, settings.STRIPE_API_BASE
    inbox.work_off()
    jobs.run_due()
    settings.STRIPE_API_BASE = there
    in_a_while = clock.wall() + timedelta(minutes=14)
    for rows in (waiting_events(), waiting_looks()):
        assert rows.count() >= 3
        rows.update(due_at=in_a_while)


def waiting_events():
    return ReceivedEvent.objects.filter(status="waiting")


def waiting_looks():
    return Job.objects.filter(name__startswith="look:")


def test_nothing_is_due_before_its_wait_ends(waiting):
    assert (inbox.work_off(), jobs.run_due()) == (0, 0)


@pytest.mark.parametrize("work_off", [inbox.work_off, jobs.run_due])
def test_one_that_gets_an_answer_lets_all_others_be_due(waiting, work_off):
    waits.let_one_try(waits.STRIPE)
    assert ReceivedEvent.objects.filter(status="waiting", due_at__lte=clock.wall()).count() == 1
    work_off()
    inbox.work_off()
    jobs.run_due()

    assert not waiting_events().exists()
    assert not waiting_looks().exists()


def test_while_the_outage_lasts_one_tries_and_the_others_wait(waiting, settings):
    settings.STRIPE_API_BASE = NOBODY
    waits.let_one_try(waits.STRIPE)
    assert inbox.work_off() == 1
    waits.let_one_try(waits.STRIPE)  # not again within five seconds
    assert inbox.work_off() == 0
    assert waiting_events().count() >= 3


def test_who_waits_for_another_reason_goes_on_waiting(waiting):
    other = waiting_events().latest("pk")
    waiting_events().filter(pk=other.pk).update(last_error="billing_error: a defect")
    waits.let_one_try(waits.STRIPE)
    inbox.work_off()

    assert [one.pk for one in waiting_events()] == [other.pk]


def test_the_e_mails_too(db, settings):
    settings.EMAIL_BACKEND, there = "django.core.mail.backends.smtp.EmailBackend", settings.EMAIL_BACKEND
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with transaction.atomic():
        for name in ("a", "b", "c"):
            user = a_person(f"{name}@vendor.example", group="auditor")
            Notification.objects.put(Notification.Kind.ROLE_GIVEN, name, user=user, role="auditor")
    delivery.work_off()
    Notification.objects.update(due_at=clock.wall() + timedelta(minutes=14))
    settings.EMAIL_BACKEND = there
    assert delivery.work_off() == 0

    waits.let_one_try(waits.MAIL_SERVER)
    delivery.work_off()
    delivery.work_off()

    assert len(mail.outbox) == 3


KINDS = {"events": waits.EVENTS, "mails": waits.MAILS, "jobs": waits.JOBS, "operations": waits.OPERATIONS}


@pytest.fixture
def rows(office, operator):
    """A row of each kind, which waits."""
    now = clock.wall()
    event = ReceivedEvent.objects.create(stripe_id="evt_1", type="customer.updated", received_at=now, created_at=now)
    user = a_person("somebody@vendor.example", group="auditor")
    Notification.objects.filter(user=user).delete()
    Notification.objects.bulk_create([Notification(kind=Notification.Kind.ROLE_GIVEN, dedupe_key="one", user=user)])
    with trail.acting(operator, reason="the practice asked for it"):
        operation = Operation.objects.create(
            office=office,
            kind="pay_invoice",
            status=Operation.Status.UNKNOWN,
            actor_label=operator.label,
            reason="the practice asked for it",
            lease_until=now,
        )
    mail_row = Notification.objects.get(user=user)
    job = Job.objects.create(name="look:one", due_at=now)
    return {"events": event, "mails": mail_row, "jobs": job, "operations": operation}


def put_off(row, kind, code, until):
    because = {"error_code": code} if kind == "operations" else {"last_error": f"{code}: it was so"}
    type(row).objects.filter(pk=row.pk).update(**{KINDS[kind].until: until}, **because)


def until(row, kind):
    return type(row).objects.values_list(KINDS[kind].until, flat=True).get(pk=row.pk)


@pytest.mark.parametrize("cause", [waits.STRIPE, waits.KEY, waits.MAIL_SERVER], ids=lambda cause: cause.code)
@pytest.mark.parametrize("kind", KINDS)
def test_what_waited_for_a_cause_is_due_when_it_is_over_and_nothing_else_is(rows, cause, kind):
    row, later = rows[kind], clock.wall() + timedelta(minutes=14)
    put_off(row, kind, cause.code, later)
    waits.is_over(cause)
    assert (until(row, kind) <= clock.wall()) == (KINDS[kind] in cause.waiting)

    put_off(row, kind, f"{cause.code}_2", later)
    waits.is_over(cause)
    assert until(row, kind) == later


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_waits_longer_than_it_can_after_a_clock_was_set_back(rows, kind):
    row = rows[kind]
    in_time = clock.wall() + timedelta(minutes=14)
    put_off(row, kind, "billing_error", in_time)
    waits.take_back({})
    assert until(row, kind) == in_time

    put_off(row, kind, "billing_error", clock.wall() + timedelta(hours=2))
    waits.take_back({})
    assert until(row, kind) <= clock.wall()
