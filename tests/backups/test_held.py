"""What a held database refuses, lets wait and goes on with, and who can release it."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from billing import clock, errors, worker
from billing.audit import actor, trail
from billing.backups import after, one_run
from billing.bulk import running
from billing.held import Gap
from billing.models import AuditEntry, BulkAct, BulkRow, Hold, Job, Notification, Operation, Plan
from billing.operations.catalogue import publish_plans
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.offices.contact import ChangeContact
from tests.admin.test_overview import told
from tests.outbox.conftest import told_of_role

pytestmark = pytest.mark.django_db
REASON = "the disk broke"
CHARGE = ChargeOffice(charge="training", amount=25_000)


@pytest.fixture
def held(subscribed):
    """A database that was restored a minute ago from a backup of an hour ago."""
    now = clock.billing()
    return Hold.objects.create(
        backup="test-x.age", made_at=now - timedelta(hours=1), restored_at=now - timedelta(minutes=1), entry=1, seal=0
    )


@pytest.mark.parametrize("wanted", [CHARGE, ChangeContact(name="Another Practice")])
def test_an_operation_is_refused_before_it_begins_and_the_refusal_is_on_record(
    held, stripe, subscribed, operator, wanted
):
    before = Operation.objects.count()
    stripe.forget_requests()

    with pytest.raises(errors.DatabaseHeld):
        perform(wanted, subscribed, by=operator, reason=REASON)

    assert (Operation.objects.count(), stripe.requests()) == (before, [])
    assert AuditEntry.objects.get(kind="refusal").additional_data == {"code": "database_held"}


def test_what_is_no_operation_changes_nothing_at_stripe_either(held, stripe):
    with trail.acting(actor.job("tests"), reason="tests"):
        Plan.objects.create(code="new", name="New")
    stripe.forget_requests()

    with pytest.raises(errors.DatabaseHeld):
        publish_plans(by=actor.job("tests"), reason="tests")

    assert stripe.requests("POST") == []


def test_a_worker_does_nothing_until_it_is_released(held, stripe, operator, mail_server, capsys):
    told_of_role()
    stripe.post("customers", name="Somebody else")
    assert set(stripe.deliver()) == {200}

    call_command("worker", once=True)
    assert "Tasks done: 0" in capsys.readouterr().out
    assert (Job.objects.count(), mail_server.received) == (0, [])

    Hold.objects.update(released_at=clock.wall())
    assert worker.work_once()
    assert Job.objects.exists()


def test_the_first_page_says_that_it_is_held(held, auditor):
    assert "restored from a backup, and is held" in told(auditor)

    Hold.objects.update(released_at=clock.wall())

    assert "restored from a backup" not in told(auditor)


def test_it_is_released_by_a_person_of_the_staff_after_the_list_was_made(held, operator, outsider):
    with pytest.raises(after.NotReleased, match="not compared"):
        after.release(by=operator, reason=REASON)
    Hold.objects.update(compared_at=clock.wall())
    for nobody in (outsider, actor.job("tests")):
        with pytest.raises(after.NotReleased, match="vendor's staff"):
            after.release(by=nobody, reason=REASON)
    Operation.objects.update(status="unknown")
    with pytest.raises(after.NotReleased, match="not settled"):
        after.release(by=operator, reason=REASON)
    Operation.objects.update(status="succeeded")
    with pytest.raises(errors.ReasonRequired):
        after.release(by=operator, reason="")

    after.release(by=operator, reason=REASON)

    entry = AuditEntry.objects.get(what__startswith="released")
    assert (entry.actor_label, entry.reason) == (operator.label, REASON)
    with pytest.raises(after.NotReleased, match="not held"):
        after.release(by=operator, reason=REASON)


def test_if_stripe_does_not_answer_the_same_command_goes_on_and_lists_nothing_twice(held, stripe, subscribed, operator):
    Operation.objects.filter(office=subscribed).update(status="unknown")
    told_of_role()
    Notification.objects.update(created_at=clock.wall() - timedelta(hours=2))
    stripe.fail_next("503", method="GET", path_prefix="/v1/subscriptions")
    with pytest.raises(CommandError, match="Run the command again"):
        call_command("after_restore", reason=REASON)
    assert Hold.objects.get().compared_at is None

    for _ in range(2):
        call_command("after_restore", reason=REASON)

    report = Hold.objects.get().report
    once = ("audit trail", "open operations", "e-mails")
    assert {about: len(report[about]) for about in once} == dict.fromkeys(once, 1)
    assert AuditEntry.objects.filter(what__startswith="restored from").count() == 1


def test_a_bulk_act_of_the_backup_goes_on_with_nothing(held, stripe, subscribed, operator):
    begun = clock.wall() - timedelta(hours=2)
    with trail.acting(operator, reason=REASON):
        act = BulkAct.objects.create(kind="archive", actor=operator.user, reason=REASON, created_at=begun)
    BulkRow.objects.create(act=act, office=subscribed)

    for _ in range(2):
        call_command("after_restore", reason=REASON)

    row = act.rows.get()
    assert (row.state, row.says) == ("unknown", after.MAY_BE_DONE)
    assert len(Hold.objects.get().report["bulk acts"]) == 1
    running.go_on(str(act.pk))
    assert act.rows.get().settled_at == row.settled_at


def test_a_mail_of_after_the_restore_is_not_stopped(held, stripe):
    told_of_role("mira@maple.example")

    call_command("after_restore", reason=REASON)

    assert Notification.objects.get().state == "waiting"


def test_a_head_that_cannot_be_read_is_refused(held, stripe, tmp_path):
    file = tmp_path / "head.json"
    for content in ("", "no json"):
        file.write_text(content)
        with pytest.raises(CommandError, match="--head"):
            call_command("after_restore", reason=REASON, head=str(file))
    file.write_text(json.dumps({"number": 1}))
    with pytest.raises(CommandError, match="--head"):
        call_command("after_restore", reason=REASON, head=str(file))
    head = {"number": 1, "size": 1, "root": "0" * 64, "sealed_at": clock.wall().isoformat(), "key": "", "signature": ""}
    file.write_text(json.dumps(head))
    with pytest.raises(CommandError, match="No key of ours"):
        call_command("after_restore", reason=REASON, head=str(file))


@pytest.mark.parametrize(("minutes", "is_in_it"), [(-70, False), (-60, True), (-30, True), (-1, True), (0, False)])
def test_only_events_between_the_backup_and_the_restore_are_of_the_gap(held, minutes, is_in_it):
    at = held.restored_at + timedelta(minutes=minutes + 1)

    assert Gap().has(at) is is_in_it


def test_a_second_one_at_the_same_time_and_a_release_are_refused(held, stripe, operator):
    with one_run.alone():
        for how in ({}, {"release": True, "by": operator.user.email}):
            with pytest.raises(CommandError, match=r"Another after_restore is running since .{19} UTC\."):
                call_command("after_restore", reason=REASON, **how)
    assert Hold.objects.get().report is None

    call_command("after_restore", reason=REASON)

    assert not Job.objects.filter(name=one_run.NAME).exists()


def test_one_that_was_killed_is_taken_over_after_its_lease_and_a_slow_one_stops(held):
    with one_run.alone() as renew:
        Job.objects.update(lease_until=clock.wall())
        with one_run.alone(), pytest.raises(one_run.AnotherRuns, match="taken over"):
            renew()


def test_a_line_that_another_process_noted_meanwhile_stays(held):
    mine = Hold.objects.get()
    after._note(Hold.objects.get(), "e-mails", ["of another one"])

    after._note(mine, "e-mails", ["mine"])

    assert Hold.objects.get().report == {"e-mails": ["of another one", "mine"]}


@pytest.mark.parametrize("status", ["unknown", "succeeded"])
def test_an_operation_is_listed_before_it_is_settled_and_keeps_one_line(held, stripe, subscribed, status):
    operation = Operation.objects.filter(office=subscribed).latest("pk")
    Operation.objects.filter(pk=operation.pk).update(status="unknown")
    stripe.fail_next("503", method="GET")
    with pytest.raises(CommandError, match="Run the command again"):
        call_command("after_restore", reason=REASON)
    (line,) = Hold.objects.get().report["open operations"]
    assert (str(operation.public_id) in line, line.endswith(after.BEING_SETTLED)) == (True, True)
    Operation.objects.filter(pk=operation.pk).update(status=status)

    call_command("after_restore", reason=REASON)

    (line,) = Hold.objects.get().report["open operations"]
    operation.refresh_from_db()
    assert line.endswith(f"{operation.public_id}, Office {subscribed.public_id}: {operation.status}")


def test_an_office_that_a_killed_run_made_again_is_asked_about_too(held, stripe, subscribed):
    after._note(held, "Offices", [f"{subscribed.public_id}: made again"])

    assert after._take_in_customers(held, lambda: None) == {subscribed.pk}
