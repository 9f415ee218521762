"""Real worker processes: killed in any phase, ended by SIGTERM, several at once."""

import signal
from datetime import timedelta

import pytest

from billing import clock
from billing.models import (
    Job,
    Office,
    Payment,
    ReceivedEvent,
    Reconciliation,
    SubscriptionChange,
    WorkerHeartbeat,
)
from tests.conftest import an_office, subscribed_office
from tests.processes import PATIENCE_SECONDS, until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])


def hold_the_fetch(stripe, **fault):
    stripe.fail_next(method="GET", path_prefix="/v1/customers/", **fault)


def is_fetching(stripe):
    """The request for which the fault waited is under way."""
    waiting = stripe.control("faults", kind="slow", path_prefix="/never")["faults"]
    return not any(fault["path_prefix"] == "/v1/customers/" for fault in waiting)


@pytest.fixture
def renewed(stripe, operator, office):
    """An Office whose subscription renewed at Stripe; its events wait, and our rows do not show it yet."""
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    stripe.advance(days=32)
    stripe.deliver()
    return Office.objects.get(pk=office.pk)


def shown(office):
    office = Office.objects.get(pk=office.pk)
    return (
        office.current_period_end,
        office.invoices.filter(status="paid").count(),
        Payment.objects.filter(office=office, status="succeeded").count(),
        SubscriptionChange.objects.filter(subscription__office=office).count(),
    )


DEATHS = {
    "claim": ("billing/webhooks/inbox.py", "claim", "return"),
    "ticket": ("billing/projection/__init__.py", "take_ticket", "return"),
    "apply, in its transaction": ("billing/projection/objects.py", "_write_invoices", "return"),
    "apply, committed": ("billing/projection/__init__.py", "apply", "return"),
    "settle": ("billing/webhooks/inbox.py", "_settle", "call"),
}


@pytest.mark.parametrize("phase", ["fetch", *DEATHS])
def test_what_a_killed_worker_held_is_taken_up_by_another(stripe, renewed, started, phase):
    before = shown(renewed)
    if phase == "fetch":
        hold_the_fetch(stripe, kind="timeout_before")
        killed = started("manage.py", "worker")
        until(lambda: is_fetching(stripe))
        killed.send_signal(signal.SIGKILL)
    else:
        killed = started("-m", "tests.mortal", *DEATHS[phase], "worker")
    assert killed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    held = ReceivedEvent.objects.filter(status="waiting", claim_id__isnull=False)
    leases = set(held.values_list("lease_until", flat=True))
    assert leases
    assert all(timedelta(0) < one - clock.wall() < timedelta(seconds=60) for one in leases)
    assert (shown(renewed) == before) == (phase not in ("apply, committed", "settle"))

    ReceivedEvent.objects.filter(status="waiting").update(lease_until=clock.wall())  # the minute is over
    assert started("manage.py", "worker", "--once").wait(PATIENCE_SECONDS) == 0

    not_applied = ReceivedEvent.objects.exclude(status="applied")
    assert set(not_applied.values_list("type", "status")) == {("invoice.upcoming", "ignored")}  # nothing to look at yet
    period_end, paid, succeeded, changes = shown(renewed)
    assert (period_end > before[0], paid, succeeded, changes) == (True, 2, 2, before[3])


def test_another_worker_leaves_a_held_customer_alone_until_the_lease_ends(stripe, renewed, started):
    killed = started("-m", "tests.mortal", *DEATHS["claim"], "worker")
    killed.wait(PATIENCE_SECONDS)
    held = set(ReceivedEvent.objects.filter(claim_id__isnull=False, status="waiting").values_list("pk", flat=True))

    assert started("manage.py", "worker", "--once").wait(PATIENCE_SECONDS) == 0

    assert held <= set(ReceivedEvent.objects.filter(status="waiting").values_list("pk", flat=True))


@pytest.mark.parametrize("kind", ["slow", "timeout_before"])
def test_on_sigterm_nothing_more_is_begun_and_what_is_not_finished_is_given_back(
    stripe, renewed, operator, started, kind
):
    subscribed_office(an_office("Oak Street Practice"), by=operator)
    stripe.deliver()
    hold_the_fetch(stripe, kind=kind)
    hold_the_fetch(stripe, kind=kind)
    worker = started("manage.py", "worker")
    until(lambda: is_fetching(stripe))
    assert WorkerHeartbeat.objects.count() == 1

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(10) == 0
    held = ReceivedEvent.objects.filter(customer_id=renewed.payment_provider_customer_id, status="waiting")
    if kind == "timeout_before":
        assert held.exists()
    assert set(ReceivedEvent.objects.filter(status="waiting").values_list("claim_id", "attempts", "last_error")) <= {
        (None, 0, "")
    }
    assert not WorkerHeartbeat.objects.exists()

    assert started("manage.py", "worker", "--once").wait(PATIENCE_SECONDS) == 0
    assert not ReceivedEvent.objects.filter(status="waiting").exists()
    assert shown(renewed)[1:3] == (2, 2)


def test_an_error_that_nobody_foresaw_in_one_thread_ends_the_worker(stripe, renewed, started, capfd):
    worker = started("-m", "tests.broken_worker")
    assert worker.wait(PATIENCE_SECONDS) == 1
    assert "ended by an error, which is shown above" in capfd.readouterr().err
    assert not WorkerHeartbeat.objects.exists()


def test_several_workers_do_no_look_and_no_job_twice(stripe, operator, started):
    offices = [an_office(f"Office {number}") for number in range(6)]
    for office in offices:
        subscribed_office(office, by=operator)
    stripe.deliver(shuffle_seed=5)
    compared_today()

    workers = [started("manage.py", "worker", "--once") for _ in range(3)]

    assert [worker.wait(PATIENCE_SECONDS) for worker in workers] == [0, 0, 0]
    assert set(ReceivedEvent.objects.values_list("status", "attempts")) <= {("applied", 1), ("applied", 0)}
    claimed = ReceivedEvent.objects.filter(attempts=1)
    strays = claimed.filter(customer_id="").count()  # payments of invoices that no customer's look had covered
    assert claimed.values("claim_id").distinct().count() == len(offices) + strays
    assert set(Job.objects.values_list("attempts", "last_error")) == {(0, "")}


def compared_today():
    """The nightly comparison is over."""
    now = clock.wall()
    Reconciliation.objects.create(actor_label="x", reason="x", stage="x", recent_since=now, ended_at=now)
