"""One thing is done to many Offices: each by its ordinary way, whatever happens to another or to the process."""

import hashlib
import signal
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from billing import clock, errors, jobs
from billing.access import roles
from billing.audit import trail
from billing.bulk import follow_ups, keeping, kinds, offices, running, starting
from billing.bulk.kinds import BulkKind, Result
from billing.models import (
    AuditEntry,
    BulkAct,
    BulkRow,
    FollowUp,
    IdempotentRequest,
    Job,
    Notification,
    Office,
    Operation,
)
from billing.operations.engine import idempotency
from tests.conftest import an_office, refusals, subscribed_office
from tests.processes import PATIENCE_SECONDS

REASON = "agreed by phone"
NOTE = {"kind": "note", "text": "They change their bank"}


def three() -> list[Office]:
    return [an_office(f"{name} Practice") for name in ("Ash", "Beech", "Cedar")]


def results(act: BulkAct) -> dict[str, tuple[str, str]]:
    return {row.office.name: (row.state, row.says) for row in act.rows.select_related("office")}


def declined_once(stripe, office) -> None:
    customer = office.payment_provider_customer_id
    stripe.control("charges", outcome="decline", code="insufficient_funds", customer=customer)


def owing(stripe, operator, *names) -> list[Office]:
    """Offices whose renewal was declined. Each owes 199.00 USD."""
    found = [subscribed_office(an_office(name), by=operator) for name in names or ("Owing Practice",)]
    for office in found:
        declined_once(stripe, office)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    for office in found:
        office.refresh_from_db()
        assert (office.subscription_status, office.balance_due) == ("past_due", 19_900)
    return found


def test_each_office_gets_it_by_its_ordinary_way_with_the_person_and_the_reason(operator):
    act = starting.start(offices.ARCHIVE, three(), by=operator, reason=REASON)
    assert (act.rows.count(), Office.objects.exclude(archived_at=None).count()) == (3, 0)

    jobs.run_due()

    assert set(results(act).values()) == {("done", "Archived.")}
    assert Office.objects.filter(archived_at=None).count() == 0
    entries = AuditEntry.objects.filter(reason=REASON, office__isnull=False)
    assert [one.actor for one in entries] == [operator.user] * 3
    act.refresh_from_db()
    assert act.ended_at
    assert not Job.objects.filter(name=f"bulk:{act.pk}").exists()


def test_what_it_cannot_be_done_to_is_left_out_with_the_reason(operator):
    ash, beech, cedar = three()
    with trail.acting(operator, reason="tests"):
        beech.archived_at = clock.wall()
        beech.save()

    act = starting.start(offices.ARCHIVE, [ash, beech, cedar], by=operator, reason=REASON)
    jobs.run_due()

    assert results(act)["Beech Practice"] == ("left_out", "It is archived already.")
    assert results(act)["Cedar Practice"] == ("done", "Archived.")


def test_an_act_that_could_do_nothing_does_not_begin(operator):
    with pytest.raises(errors.NothingToActOn):
        starting.start(offices.UNARCHIVE, three(), by=operator, reason=REASON)

    assert (BulkAct.objects.count(), refusals(actor=operator.user)) == (0, 1)


def test_one_failure_does_not_stop_the_rest(stripe, operator):
    [poor, rich], other = owing(stripe, operator, "Owing Practice", "Rich Practice"), an_office("Idle Practice")
    declined_once(stripe, poor)

    act = starting.start(offices.PAY, [poor, other, rich], by=operator, reason=REASON)
    jobs.run_due()

    found = results(act)
    assert found["Idle Practice"] == ("left_out", "It owes nothing.")
    assert (found["Owing Practice"][0], found["Rich Practice"][0]) == ("failed", "done")
    assert "not enough money" in found["Owing Practice"][1]
    assert Operation.objects.filter(kind="pay_invoice").count() == 2
    assert act.rows.get(state="done").operation.reason == REASON


def test_a_card_link_is_made_and_sent_once_also_after_the_worker_was_killed(stripe, operator, office):
    act = starting.start(offices.CARD_LINK, [office], by=operator, reason=REASON)
    jobs.run_due()
    said = "The link is on its way by e-mail."
    assert results(act) == {office.name: ("done", said)}
    act.rows.update(state="begun", settled_at=None, says="", operation=None)  # as if it was killed before that
    Notification.objects.all().delete()
    BulkAct.objects.update(ended_at=None)
    jobs.enqueue(starting.job_of(act))
    jobs.run_due()

    assert results(act) == {office.name: ("done", said)}
    assert Operation.objects.filter(kind="make_card_link").count() == 1
    assert Notification.objects.get().recipient == office.billing_email


def test_an_amount_that_changed_since_is_not_charged(stripe, operator):
    [office] = owing(stripe, operator)
    act = starting.start(offices.PAY, [office], by=operator, reason=REASON)
    BulkRow.objects.update(given={**act.rows.get().given, "amount": 100})

    jobs.run_due()

    assert results(act)["Owing Practice"][0] == "failed"
    assert not Operation.objects.filter(kind="pay_invoice").exists()


def test_who_may_not_do_it_starts_nothing_and_the_trail_says_so(auditor, office):
    with pytest.raises(errors.NotPermitted):
        starting.start(offices.ARCHIVE, [office], by=auditor, reason=REASON)

    assert (BulkAct.objects.count(), refusals(actor=auditor.user)) == (0, 1)


def test_who_lost_the_power_since_does_nothing_more(operator):
    act = starting.start(offices.ARCHIVE, three(), by=operator, reason=REASON)
    with trail.acting(operator, reason="tests"):
        operator.user.groups.remove(*Group.objects.filter(name__in=roles.roles_with(offices.ARCHIVE.power)))

    jobs.run_due()

    assert set(results(act).values()) == {("failed", running.LOST_POWER)}
    assert not Office.objects.exclude(archived_at=None).exists()


def test_an_answer_that_was_lost_is_unknown_and_is_not_asked_for_again(stripe, operator):
    [office] = owing(stripe, operator)
    act = starting.start(offices.PAY, [office], by=operator, reason=REASON)
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/invoices/")

    jobs.run_due()
    jobs.run_due()

    assert results(act)["Owing Practice"] == ("unknown", running.ASKING)
    assert Operation.objects.filter(kind="pay_invoice").count() == 1


def test_what_was_interrupted_before_it_began_is_done_and_what_began_is_not_repeated(stripe, operator):
    """As after kill -9: the row says that it was begun, and its key is there."""
    [office] = owing(stripe, operator)
    act = starting.start(offices.PAY, [office], by=operator, reason=REASON)
    jobs.run_due()
    assert results(act)["Owing Practice"][0] == "done"

    act.rows.update(state="begun", settled_at=None, says="", operation=None)
    BulkAct.objects.update(ended_at=None)
    jobs.enqueue(starting.job_of(act))
    jobs.run_due()

    assert results(act)["Owing Practice"] == ("done", "Done.")
    assert Operation.objects.filter(kind="pay_invoice").count() == 1


def test_what_cannot_be_told_any_more_is_unknown(operator):
    act = starting.start(offices.ARCHIVE, three(), by=operator, reason=REASON)
    act.rows.update(state="begun")
    IdempotentRequest.objects.all().delete()

    jobs.run_due()

    assert set(results(act).values()) == {("unknown", running.NOT_TOLD)}
    assert not Office.objects.exclude(archived_at=None).exists()


def test_a_note_and_its_row_are_written_together_and_once(operator):
    act = starting.start(follow_ups.NOTE, three(), by=operator, reason=REASON, given=NOTE)

    jobs.run_due()
    jobs.enqueue(starting.job_of(act))
    jobs.run_due()

    assert [office.notes.get().text for office in Office.objects.all()] == [NOTE["text"]] * 3
    assert set(results(act).values()) == {("done", "The note is written.")}


def test_a_text_that_is_refused_is_the_result_of_its_row_and_is_not_on_record(operator):
    given = {"kind": "note", "text": "SSN 123-45-6789"}
    act = starting.start(follow_ups.NOTE, three()[:1], by=operator, reason=REASON, given=given)

    jobs.run_due()

    state, says = results(act)["Ash Practice"]
    assert (state, "social security number" in says) == ("failed", True)
    assert not FollowUp.objects.exists()
    assert not AuditEntry.objects.filter(what__contains="6789").exists()


def test_what_waits_is_left_out_once_a_person_stops_it(operator):
    act = starting.start(offices.ARCHIVE, three(), by=operator, reason=REASON)

    starting.stop(act, by=operator, reason=REASON)
    jobs.run_due()

    assert set(results(act).values()) == {("left_out", starting.STOPPED)}
    act.refresh_from_db()
    assert act.stopped_at
    assert act.ended_at


@pytest.fixture
def of_kind():
    """Register a kind that does this to each Office, for the time of the test."""

    def registered(work) -> BulkKind:
        return kinds.register(
            BulkKind(
                name="tried",
                title="Try",
                says="x",
                power=offices.ARCHIVE.power,
                judge=lambda chosen, given: {one.pk: {} for one in chosen},
                work=work,
            )
        )

    yield registered
    kinds.KINDS.pop("tried", None)


def again(act: BulkAct) -> None:
    Job.objects.update(due_at=clock.wall())
    jobs.run_due()


def test_what_got_no_answer_before_it_began_is_left_out_if_a_person_stopped_it_meanwhile(operator, of_kind):
    tried = []

    def work(given):
        tried.append(given.office.name)
        starting.stop(BulkAct.objects.get(), by=operator, reason=REASON)
        raise errors.StripeUnavailable

    act = starting.start(of_kind(work), three(), by=operator, reason=REASON)
    jobs.run_due()
    again(act)

    assert tried == ["Ash Practice"]
    assert set(results(act).values()) == {("left_out", starting.STOPPED)}


def test_what_was_interrupted_before_it_began_is_left_out_if_a_person_stopped_it_since(operator):
    act = starting.start(offices.ARCHIVE, three()[:1], by=operator, reason=REASON)
    act.rows.update(state="begun")
    key = f"bulk row {act.rows.get().pk}"
    idempotency.claim(operator.user, key, hashlib.sha256(key.encode()).hexdigest())
    IdempotentRequest.objects.update(lease_until=clock.wall())

    starting.stop(act, by=operator, reason=REASON)
    jobs.run_due()

    assert set(results(act).values()) == {("left_out", starting.STOPPED)}
    assert not Office.objects.exclude(archived_at=None).exists()


def test_offices_for_which_no_answer_comes_hold_up_no_other_one_and_are_tried_in_turn(operator, of_kind):
    tried = []

    def work(given):
        tried.append(given.office.name.split()[0])
        if tried[-1] != "Cedar":
            raise errors.StripeUnavailable
        return "done"

    act = starting.start(of_kind(work), three(), by=operator, reason=REASON)
    jobs.run_due()
    for _ in range(4):
        again(act)

    assert tried == ["Ash", "Beech", "Cedar", "Ash", "Beech", "Ash"]
    assert results(act)["Cedar Practice"] == ("done", "done")
    assert Job.objects.get(name=starting.job_of(act)).last_error.startswith("stripe_unavailable: ")


def test_an_office_for_which_no_answer_comes_for_half_a_day_has_failed(operator, of_kind):
    def work(given):
        raise errors.StripeUnavailable

    act = starting.start(of_kind(work), three()[:1], by=operator, reason=REASON)
    jobs.run_due()
    assert results(act) == {"Ash Practice": ("begun", "")}
    IdempotentRequest.objects.update(created_at=clock.wall() - timedelta(hours=13))
    again(act)

    assert results(act) == {"Ash Practice": ("failed", running.NO_ANSWER)}
    assert BulkAct.objects.get().ended_at


def test_what_a_kind_found_out_is_kept_with_its_row(operator, office):
    kind = BulkKind(
        name="measured",
        title="Measure",
        says="x",
        power=offices.ARCHIVE.power,
        judge=lambda chosen, given: {one.pk: {"seats": 4} for one in chosen},
        work=lambda work: Result("measured", {"total": work.own["seats"] * work.given["each"]}),
        local=True,
    )
    kinds.register(kind)
    try:
        act = starting.start(kind, [office], by=operator, reason=REASON, given={"each": 100})
        jobs.run_due()
    finally:
        del kinds.KINDS["measured"]

    assert act.rows.get().given == {"seats": 4, "result": {"total": 400}}


def test_an_error_of_the_program_is_tried_again_after_the_others(operator):
    tried = []

    def work(given):
        tried.append(given.office.name)
        if given.office.name == "Ash Practice":
            raise ZeroDivisionError
        return "done"

    kind = BulkKind(
        name="breaks",
        title="Break",
        says="x",
        power=offices.ARCHIVE.power,
        judge=lambda chosen, given: {one.pk: {} for one in chosen},
        work=work,
    )
    kinds.register(kind)
    try:
        act = starting.start(kind, three(), by=operator, reason=REASON)
        jobs.run_due()
        Job.objects.update(due_at=clock.wall())
        IdempotentRequest.objects.update(lease_until=clock.wall())
        jobs.run_due()
    finally:
        del kinds.KINDS["breaks"]

    assert tried == ["Ash Practice", "Beech Practice", "Cedar Practice", "Ash Practice"]
    assert Job.objects.get(name=starting.job_of(act)).last_error.startswith("ZeroDivisionError")


def test_an_act_goes_400_days_after_it_ended_and_what_it_did_stays(operator):
    act = starting.start(offices.ARCHIVE, three(), by=operator, reason=REASON)
    jobs.run_due()
    BulkAct.objects.update(ended_at=clock.wall() - timedelta(days=401))

    keeping.purge()

    assert (BulkAct.objects.filter(pk=act.pk).count(), BulkRow.objects.count()) == (0, 0)
    assert Office.objects.exclude(archived_at=None).count() == 3


@pytest.mark.parametrize("name", sorted(kinds.KINDS))
def test_each_kind_says_what_it_does_in_sentences(name):
    kind = kinds.of(name)
    assert kind.says.endswith(".")
    assert len(name) <= 40


def test_an_unknown_kind_is_refused():
    with pytest.raises(errors.BulkKindUnknown):
        kinds.of("fly")


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
@pytest.mark.parametrize(
    ("file", "function", "moment"),
    [
        ("engine/idempotency.py", "carrying_out", "call"),  # nothing was begun
        ("engine/steps.py", "answered", "call"),  # Stripe did it, and that is not stored
        ("bulk/running.py", "_settle", "call"),  # all is stored but the row's result
    ],
)
def test_whenever_the_worker_is_killed_one_charge_is_made(stripe, operator, started, file, function, moment):
    [office] = owing(stripe, operator)
    act = starting.start(offices.PAY, [office], by=operator, reason=REASON)
    killed = started("-m", "tests.mortal", file, function, moment, "worker", "--once")
    assert killed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    assert act.rows.get().settled_at is None

    Job.objects.update(claim_id=None, lease_until=None, due_at=clock.wall())  # the minute is over
    IdempotentRequest.objects.update(lease_until=clock.wall())
    Operation.objects.update(lease_until=clock.wall())
    running.go_on(str(act.pk))

    assert act.rows.get().state in ("done", "unknown")
    assert Operation.objects.filter(kind="pay_invoice").count() == 1
    paid = [one for one in stripe.listed("charges") if one["status"] == "succeeded" and one["amount"] == 19_900]
    assert len(paid) == 2  # the first month, and what was owed
