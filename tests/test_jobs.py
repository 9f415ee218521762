import threading
from datetime import timedelta

import pytest
from django.db import connection

from billing import clock, errors, jobs, waits
from billing.look import queue_look
from billing.models import AuditEntry, Finding, Job, Office


@pytest.fixture
def kinds(db):
    """A registry of this test's own."""
    kept = dict(jobs.KINDS)
    jobs.KINDS.clear()
    yield jobs.KINDS
    jobs.KINDS.clear()
    jobs.KINDS.update(kept)


def test_a_job_runs_once_and_its_row_goes(kinds):
    seen = []
    jobs.job("look:")(seen.append)
    jobs.enqueue("look:one")
    jobs.enqueue("look:one")

    assert (jobs.run_due(), jobs.run_due(), seen) == (1, 0, ["one"])
    assert not Job.objects.exists()


def test_a_job_that_is_asked_for_while_it_runs_runs_once_more(kinds):
    seen = []

    @jobs.job("look:")
    def look_again(office):
        seen.append(office)
        if len(seen) == 1:
            jobs.enqueue("look:one")

    jobs.enqueue("look:one")
    jobs.run_due()
    jobs.run_due()

    assert seen == ["one", "one"]
    assert not Job.objects.exists()


def test_a_recurring_job_is_due_again_after_its_time(kinds):
    seen = []
    jobs.job("tidy", every=timedelta(hours=1))(lambda: seen.append(1))
    jobs.plan_recurring()
    jobs.plan_recurring()

    assert (jobs.run_due(), jobs.run_due(), len(seen)) == (1, 0, 1)
    row = Job.objects.get()
    assert timedelta(minutes=59) < row.due_at - clock.wall() <= timedelta(hours=1)
    assert (row.claim_id, row.lease_until, row.attempts, row.last_error) == (None, None, 0, "")
    Job.objects.update(due_at=clock.wall())
    assert jobs.run_due() == 1


def test_a_job_with_more_to_do_is_due_again_at_once(kinds):
    answers = [True, True, False]
    jobs.job("purge", every=timedelta(days=1))(lambda: answers.pop(0))
    jobs.plan_recurring()

    assert [jobs.run_due() for _ in range(4)] == [1, 1, 1, 0]


def test_a_claimed_job_is_left_alone_until_its_lease_ends(kinds):
    seen = []

    @jobs.job("tidy", every=timedelta(hours=1))
    def tidy():
        seen.append(1)
        assert jobs.run_due() == 0  # what another worker would find now
        if len(seen) == 1:
            Job.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
            assert jobs.run_due() == 1

    jobs.plan_recurring()
    assert jobs.run_due() == 1
    assert len(seen) == 2
    assert Job.objects.get().due_at > clock.wall()


@pytest.mark.django_db(transaction=True)
def test_workers_that_find_a_job_at_the_same_moment_run_it_once(kinds):
    seen, start = [], threading.Barrier(4)
    jobs.job("tidy", every=timedelta(hours=1))(lambda: seen.append(1))
    jobs.plan_recurring()

    def work():
        start.wait()
        jobs.run_due()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()

    assert seen == [1]


@pytest.mark.parametrize("error", [KeyError("a defect"), errors.StripeUnavailable()])
def test_a_job_that_fails_comes_again_later_and_in_the_end_somebody_is_told(kinds, error):
    @jobs.job("tidy", every=timedelta(hours=1))
    def tidy():
        raise error

    jobs.plan_recurring()
    waited = []
    for _ in range(jobs.REPORTED_AFTER):
        assert (jobs.run_due(), jobs.run_due()) == (1, 0)
        waited.append(Job.objects.get().due_at - clock.wall())
        Job.objects.update(due_at=clock.wall())

    assert waited == sorted(waited)
    assert waited[-1] <= waits.LAST_RETRY
    assert Job.objects.get().last_error
    assert Finding.objects.get(kind="job_failed").subject == "tidy"


def test_what_is_kept_of_a_failure_names_no_object_of_stripes_and_nobody(kinds):
    @jobs.job("tidy", every=timedelta(hours=1))
    def tidy():
        raise KeyError("cus_NffrFeUfNV2Hib of jane@maple.example")

    jobs.plan_recurring()
    for _ in range(jobs.REPORTED_AFTER):
        jobs.run_due()
        Job.objects.update(due_at=clock.wall())

    for kept in (Job.objects.get().last_error, Finding.objects.get(kind="job_failed").detail):
        assert "KeyError" in kept
        assert "cus_…2Hib" in kept
        assert "NffrFeUf" not in kept
        assert "jane" not in kept


def test_a_job_of_a_newer_version_is_left_alone(kinds):
    Job.objects.create(name="not-known-here", due_at=clock.wall())
    assert jobs.run_due() == 0
    assert Job.objects.get().attempts == 0


def test_what_a_job_changes_is_on_record_as_the_jobs(kinds, stripe):
    from billing.models import Plan

    @jobs.job("rename:")
    def rename(code):
        plan = Plan.objects.get(code=code)
        plan.name = "Another"
        plan.save()

    jobs.enqueue("rename:practice")
    jobs.run_due()

    entry = AuditEntry.objects.get(actor_label="rename")
    assert (entry.actor_kind, entry.content_type.model, entry.changes) == (
        "job",
        "plan",
        {"name": ["Practice", "Another"]},
    )


def test_the_purge_of_events_is_planned_daily(db):
    jobs.plan_recurring()
    assert jobs.KINDS["purge-events"].every == timedelta(days=1)
    assert Job.objects.filter(name="purge-events").exists()


def test_a_look_that_was_asked_for_is_done_and_forgotten(stripe, subscribed):
    Office.objects.filter(pk=subscribed.pk).update(confirmed_at=None)
    queue_look(subscribed)
    jobs.run_due()

    assert Office.objects.get(pk=subscribed.pk).confirmed_at is not None
    assert not Job.objects.filter(name__startswith="look:").exists()


def test_while_stripe_does_not_answer_a_look_is_put_off(stripe, subscribed):
    queue_look(subscribed)
    stripe.fail_next("503", method="GET")
    jobs.run_due()

    job = Job.objects.get(name=f"look:{subscribed.public_id}")
    assert job.last_error.startswith("stripe_unavailable")
    assert job.due_at > clock.wall()
    Job.objects.filter(pk=job.pk).update(due_at=clock.wall())
    jobs.run_due()
    assert not Job.objects.filter(pk=job.pk).exists()


def test_asking_for_a_look_that_waits_writes_nothing(stripe, subscribed, django_assert_num_queries):
    queue_look(subscribed)
    with django_assert_num_queries(1):
        queue_look(subscribed)
