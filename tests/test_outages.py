"""After an outage of Stripe or of the mail server, what waited is taken up at once and not when its wait ends."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction

from billing import clock, jobs, outages
from billing.models import Job, Notification, ReceivedEvent
from billing.outbox import delivery
from billing.webhooks import inbox
from tests.conftest import a_person, an_office, subscribed_office

NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def never_tried():
    for one in (outages.STRIPE, outages.MAIL_SERVER):
        one.tried_at = -outages.TRIED_EVERY


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
    outages.let_one_try(outages.STRIPE)
    assert ReceivedEvent.objects.filter(status="waiting", due_at__lte=clock.wall()).count() == 1
    work_off()
    inbox.work_off()
    jobs.run_due()

    assert not waiting_events().exists()
    assert not waiting_looks().exists()


def test_while_the_outage_lasts_one_tries_and_the_others_wait(waiting, settings):
    settings.STRIPE_API_BASE = NOBODY
    outages.let_one_try(outages.STRIPE)
    assert inbox.work_off() == 1
    outages.let_one_try(outages.STRIPE)  # not again within five seconds
    assert inbox.work_off() == 0
    assert waiting_events().count() >= 3


def test_who_waits_for_another_reason_goes_on_waiting(waiting):
    other = waiting_events().latest("pk")
    waiting_events().filter(pk=other.pk).update(last_error="billing_error: a defect")
    outages.let_one_try(outages.STRIPE)
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

    outages.let_one_try(outages.MAIL_SERVER)
    delivery.work_off()
    delivery.work_off()

    assert len(mail.outbox) == 3
