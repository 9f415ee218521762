from datetime import timedelta

import pytest

from billing import clock, jobs
from billing.models import IdempotentRequest, Job, Office
from billing.operations import subscribe
from tests.conftest import an_office, price

PURGE = "forget idempotent requests"


@pytest.fixture
def subscribed(stripe, operator, office):
    return subscribe(office, price("practice-monthly"), by=operator, reason="new", payment_method="pm_card_visa")


def a_look_waits_for(office):
    jobs.queue_look(office)
    return Job.objects.get(name=f"look:{office.public_id}")


def test_a_look_that_was_asked_for_is_done_and_forgotten(stripe, subscribed):
    Office.objects.filter(pk=subscribed.pk).update(confirmed_at=None)
    a_look_waits_for(subscribed)
    jobs.run_due()

    assert Office.objects.get(pk=subscribed.pk).confirmed_at is not None
    assert not Job.objects.filter(name__startswith="look:").exists()


def test_while_stripe_does_not_answer_a_look_is_put_off_and_the_others_wait(stripe, subscribed):
    job = a_look_waits_for(subscribed)
    other = a_look_waits_for(an_office("Another Practice"))
    Job.objects.filter(pk=job.pk).update(due_at=clock.wall() - timedelta(hours=1))
    stripe.fail_next("503", method="GET")
    jobs.run_due()

    job.refresh_from_db()
    other.refresh_from_db()
    assert job.last_error.startswith("stripe_unavailable")
    assert job.due_at > clock.wall()
    assert job.lease_until is None
    assert other.claim_id is None

    Job.objects.filter(pk=job.pk).update(due_at=clock.wall())
    Job.objects.filter(pk=other.pk).delete()
    jobs.run_due()
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_job_that_another_worker_has_is_left_alone_until_its_lease_ends(stripe, subscribed):
    job = a_look_waits_for(subscribed)
    Job.objects.filter(pk=job.pk).update(claim_id=subscribed.public_id, lease_until=clock.wall() + jobs.LEASE)
    stripe.forget_requests()
    jobs.run_due()
    assert stripe.requests() == []

    Job.objects.filter(pk=job.pk).update(lease_until=clock.wall())
    jobs.run_due()
    assert not Job.objects.filter(pk=job.pk).exists()


def test_a_worker_that_lost_its_lease_settles_nothing(stripe, subscribed):
    import uuid

    job = a_look_waits_for(subscribed)
    Job.objects.filter(pk=job.pk).update(claim_id=subscribed.public_id)

    jobs._settle(job, uuid.uuid4())
    jobs._put_off(job, uuid.uuid4(), "late")

    assert Job.objects.get(pk=job.pk).last_error == ""


def test_a_defect_in_one_job_is_kept_and_does_not_stop_the_worker(stripe, subscribed):
    Job.objects.create(name="look:nobody", due_at=clock.wall() - timedelta(hours=1))
    job = a_look_waits_for(subscribed)
    jobs.run_due()

    assert Job.objects.get(name="look:nobody").last_error.startswith("A defect")
    assert not Job.objects.filter(pk=job.pk).exists()


def test_requests_are_forgotten_at_most_once_an_hour(operator):
    def an_old_request():
        return IdempotentRequest.objects.create(
            actor=operator.user,
            key="old",
            claim_id=operator.user.public_id,
            lease_until=clock.wall(),
            created_at=clock.wall() - timedelta(hours=25),
        )

    an_old_request()
    jobs.run_due()
    assert not IdempotentRequest.objects.exists()

    an_old_request()
    jobs.run_due()
    assert IdempotentRequest.objects.exists()

    due = Job.objects.get(name=PURGE).due_at
    assert timedelta(minutes=59) < due - clock.wall() <= timedelta(hours=1)
    Job.objects.update(due_at=clock.wall())
    jobs.run_due()
    assert not IdempotentRequest.objects.exists()
