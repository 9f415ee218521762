"""Money back above a limit waits for a second person, who sees what it comes to then and confirms that."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from billing import clock, errors
from billing.audit import actor, trail
from billing.models import ApprovalRequest, AuditEntry, Invoice, Office, Operation, Payment
from billing.models.approval_request import LASTS
from billing.operations.engine import approvals, previews, second_person
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration
from billing.operations.engine.registry import REGISTRY
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.discounts import MakeDiscount
from tests.conftest import a_member, a_person, refusals, subscribed_office
from tests.operations.test_permissions import MAY
from tests.operations.test_refund import due_again
from tests.other_connections import ON_SERVER

REASON = "Goodwill: they waited"
COMPARED_FIRST = {"GET"} if ON_SERVER else set()
"""What asking for money asks Stripe: a libSQL server can have lost commits, so the Office is compared with Stripe."""


@pytest.fixture(autouse=True)
def limit(settings):
    """One person may give back 100.00 USD in 24 hours."""
    settings.APPROVAL_LIMITS = {"usd": 10_000}


@pytest.fixture
def payment(stripe, operator, office):
    """A payment of 199.00 USD."""
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return Payment.objects.get()


@pytest.fixture
def second(db):
    return actor.person(a_person("second@vendor.example", group="finance"))


@pytest.fixture
def third(db):
    return actor.person(a_person("third@vendor.example", group="finance"))


def sent(wanted, subject, by, reason=REASON):
    """The request for approval that was made instead of an operation."""
    before = set(Operation.objects.values_list("pk", flat=True))
    with pytest.raises(errors.SentForApproval) as waits:
        perform(wanted, subject, by=by, reason=reason)
    assert set(Operation.objects.values_list("pk", flat=True)) == before
    return ApprovalRequest.objects.get(pk=waits.value.about.pk)


def approved(row, by):
    seen = approvals.preview(row, by=by)
    return approvals.approve(row, by=by, as_of=seen.as_of)


def given_back(stripe):
    return sum(one["amount"] for one in stripe.listed("refunds"))


@pytest.mark.parametrize("declared", REGISTRY.values(), ids=str)
def test_what_needs_the_power_to_give_back_says_how_much_it_gives(declared):
    says = declared.given_back is not Declaration.given_back
    lowers_what_comes = declared is MakeDiscount
    assert says is (MAY[declared][0] == "G" and not lowers_what_comes)


def test_up_to_the_limit_one_person_is_enough(stripe, operator, payment):
    perform(RefundPayment(amount=10_000), payment, by=operator, reason=REASON)

    assert given_back(stripe) == 10_000
    assert not ApprovalRequest.objects.exists()


def test_above_it_nothing_goes_back_until_a_second_person_confirms(stripe, operator, second, payment):
    seen = previews.preview(RefundPayment(amount=10_001), payment, by=operator)
    assert "at most 100.00 USD" in seen.waits
    stripe.forget_requests()
    with pytest.raises(errors.SentForApproval, match=r"Nothing was given back yet.*second@vendor\.example"):
        perform(RefundPayment(amount=10_001), payment, by=operator, reason=REASON)
    assert {one["method"] for one in stripe.requests()} <= COMPARED_FIRST
    row = ApprovalRequest.objects.get()
    assert (row.status, row.money, row.requested_by) == ("waits for approval", seen.amount, operator.user)

    assert approvals.preview(row, by=second).waits == ""
    approved(row, second)

    row.refresh_from_db()
    done = Operation.objects.get(kind="refund_payment")
    assert (row.status, row.operation, row.decided_by) == ("approved", done, second.user)
    assert (done.status, done.actor, done.reason) == ("succeeded", second.user, REASON)
    assert given_back(stripe) == 10_001
    said = AuditEntry.objects.get(kind="act", content_type__model="operation")
    assert said.what == "operator@vendor.example asked for it, and second@vendor.example approved it"
    assert (said.actor, said.office) == (second.user, payment.office)


def test_parts_count_together(stripe, operator, payment):
    for _ in range(2):
        perform(RefundPayment(amount=4_000), payment, by=operator, reason=REASON)

    assert sent(RefundPayment(amount=4_000), payment, operator).amount == 4_000
    assert given_back(stripe) == 8_000
    perform(RefundPayment(amount=2_000), payment, by=operator, reason=REASON)


def test_all_kinds_count_together_and_what_others_gave_too(stripe, operator, second, payment, office):
    invoice = Invoice.objects.get()
    perform(RefundPayment(amount=4_000), payment, by=operator, reason=REASON)
    perform(IssueCreditNote(to="balance", amount=3_000), invoice, by=second, reason=REASON)
    perform(AdjustCredit(amount=3_000), office, by=operator, reason=REASON)

    for wanted, subject in (
        (RefundPayment(amount=1), payment),
        (IssueCreditNote(to="balance", amount=1), invoice),
        (AdjustCredit(amount=1), office),
    ):
        sent(wanted, subject, second)
    perform(AdjustCredit(amount=-3_000), office, by=operator, reason=REASON)
    assert second_person.given_back_lately(office, "usd").amount == 10_000


@pytest.mark.parametrize(("hours", "waits"), [(23, True), (25, False)])
def test_it_counts_for_24_hours(stripe, operator, payment, hours, waits):
    perform(RefundPayment(amount=9_000), payment, by=operator, reason=REASON)
    then = clock.wall() - timedelta(hours=hours)
    Operation.objects.update(created_at=then, settled_at=then)

    if waits:
        sent(RefundPayment(amount=9_000), payment, operator)
    else:
        perform(RefundPayment(amount=9_000), payment, by=operator, reason=REASON)


def test_what_was_not_done_does_not_count(stripe, operator, payment, office):
    stripe.post("refunds", charge=payment.stripe_id)
    with pytest.raises(errors.StripeRejected):
        perform(RefundPayment(amount=9_000), payment, by=operator, reason=REASON)

    perform(AdjustCredit(amount=9_000), office, by=operator, reason=REASON)


def test_in_a_currency_without_a_limit_everything_waits(stripe, operator, payment, settings):
    settings.APPROVAL_LIMITS = {"eur": 10_000}

    sent(RefundPayment(amount=1), payment, operator)


def test_another_office_has_a_limit_of_its_own(stripe, operator, payment):
    perform(RefundPayment(amount=10_000), payment, by=operator, reason=REASON)
    other = subscribed_office(an_other_office(), by=operator)

    perform(AdjustCredit(amount=10_000), other, by=operator, reason=REASON)


def an_other_office():
    from tests.conftest import an_office

    return an_office("Elm Street Dental")


def test_a_request_that_waits_blocks_nothing(stripe, operator, payment, office):
    sent(RefundPayment(amount=10_001), payment, operator)

    perform(CancelSubscription(), office, by=operator, reason=REASON)
    perform(RefundPayment(amount=5_000), payment, by=operator, reason=REASON)


def test_confirming_the_same_preview_twice_asks_once(stripe, operator, payment):
    seen = previews.preview(RefundPayment(amount=10_001), payment, by=operator)
    sent(RefundPayment(amount=10_001, as_of=seen.as_of), payment, operator)

    with pytest.raises(errors.PreviewStale):
        perform(RefundPayment(amount=10_001, as_of=seen.as_of), payment, by=operator, reason=REASON)
    assert ApprovalRequest.objects.count() == 1


class TestWhoDecides:
    def test_nobody_approves_or_turns_down_their_own(self, stripe, operator, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        acts = [
            lambda: approvals.preview(row, by=operator),
            lambda: approvals.approve(row, by=operator, as_of=clock.wall()),
            lambda: approvals.turn_down(row, by=operator, reason=REASON),
        ]
        for act in acts:
            with pytest.raises(errors.OwnRequest):
                act()

        assert refusals(content_type__model="approvalrequest") == 3
        assert given_back(stripe) == 0

    def test_nobody_approves_through_an_account_that_they_changed(self, stripe, operator, second, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        with trail.acting(operator):
            second.user.groups.add(Group.objects.get(name="support"))

        with pytest.raises(errors.OnePersonBehindBoth):
            approved(row, second)
        assert second_person.approvers(row) == []

    @pytest.mark.parametrize("role", ["support", "operator", "auditor", "administrator", "owner", "viewer"])
    def test_whoever_may_not_approve_is_told_before_a_word_is_judged(self, stripe, operator, payment, office, role):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        of_office = role in ("owner", "viewer")
        user = a_member(office, role) if of_office else a_person(f"{role}-2@vendor.example", group=role)
        by = actor.person(user)

        with pytest.raises(errors.NotPermitted):
            approvals.preview(row, by=by)
        with pytest.raises(errors.NotPermitted):
            approvals.approve(row, by=by, as_of=clock.wall())
        with pytest.raises(errors.NotPermitted):
            approvals.turn_down(row, by=by, reason="MRN 883122")
        assert refusals(actor=user) == 3

    @pytest.mark.parametrize("by", [actor.service("the product"), actor.job("nightly")], ids=lambda by: by.kind)
    def test_neither_a_service_nor_a_job_asks_or_approves(self, stripe, operator, payment, by):
        row = sent(RefundPayment(amount=10_001), payment, operator)

        with pytest.raises(errors.NotPermitted):
            approvals.approve(row, by=by, as_of=clock.wall())
        with pytest.raises(errors.PersonMustAsk):
            perform(RefundPayment(amount=10_001), payment, by=by, reason=REASON)
        assert ApprovalRequest.objects.count() == 1

    def test_one_who_lost_the_role_does_not_approve(self, stripe, operator, second, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        as_of = approvals.preview(row, by=second).as_of
        with trail.acting(actor.job("tests")):
            second.user.groups.clear()

        with pytest.raises(errors.NotPermitted):
            approvals.approve(row, by=again(second), as_of=as_of)
        assert given_back(stripe) == 0

    @pytest.mark.parametrize("how", ["the role", "the account"])
    def test_what_was_asked_by_one_who_may_no_longer_is_not_approved(self, stripe, operator, second, payment, how):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        as_of = approvals.preview(row, by=second).as_of
        with trail.acting(actor.job("tests")):
            if how == "the role":
                operator.user.groups.clear()
            else:
                operator.user.is_active = False
                operator.user.save()
        row = ApprovalRequest.objects.get()

        with pytest.raises(errors.RequesterMayNoLonger):
            approvals.approve(row, by=second, as_of=as_of)
        approvals.turn_down(row, by=second, reason=REASON)
        assert given_back(stripe) == 0


def again(by):
    """The same person, as the next request knows them."""
    return actor.person(type(by.user).objects.get(pk=by.user.pk))


class TestMeanwhile:
    def test_less_can_be_given_back(self, stripe, operator, second, payment):
        row = sent(RefundPayment(), payment, operator)
        as_of = approvals.preview(row, by=second).as_of
        perform(RefundPayment(amount=5_000), payment, by=operator, reason=REASON)

        with pytest.raises(errors.MoreThanLeft, match=r"199\.00 USD is too much: at most 149\.00 USD"):
            approvals.approve(row, by=second, as_of=as_of)
        with pytest.raises(errors.MoreThanLeft):
            approvals.preview(row, by=second)
        assert (ApprovalRequest.objects.get().status, given_back(stripe)) == ("waits for approval", 5_000)

    def test_something_else_was_done_so_the_preview_is_made_again(self, stripe, operator, second, payment, office):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        as_of = approvals.preview(row, by=second).as_of
        perform(CancelSubscription(), office, by=operator, reason=REASON)

        with pytest.raises(errors.PreviewStale):
            approvals.approve(row, by=second, as_of=as_of)
        approved(row, second)
        assert given_back(stripe) == 10_001

    def test_another_currency_is_not_what_was_asked_for(self, stripe, operator, second, payment, office):
        row = sent(AdjustCredit(amount=10_001), office, operator)
        as_of = approvals.preview(row, by=second).as_of
        Office.objects.filter(pk=office.pk).update(currency="eur")

        for act in (lambda: approvals.preview(row, by=second), lambda: approvals.approve(row, by=second, as_of=as_of)):
            with pytest.raises(errors.AmountChanged, match=r"100\.01 USD was asked for. Now it would be 100\.01 EUR"):
                act()
        assert not Operation.objects.filter(kind="adjust_credit").exists()

    def test_the_invoice_changed(self, stripe, operator, second, payment):
        invoice = Invoice.objects.get()
        row = sent(IssueCreditNote(to="refund", amount=15_000), invoice, operator)
        perform(IssueCreditNote(to="balance", amount=9_000), invoice, by=operator, reason=REASON)

        with pytest.raises(errors.MoreThanLeft):
            approved(row, second)
        assert ApprovalRequest.objects.get().status == "waits for approval"

    def test_it_expires_by_itself(self, stripe, operator, second, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        as_of = approvals.preview(row, by=second).as_of
        assert row.expires_at - row.asked_at - LASTS < timedelta(seconds=1)
        ApprovalRequest.objects.update(expires_at=clock.wall() - timedelta(seconds=1))
        row = ApprovalRequest.objects.get()

        for act in (
            lambda: approvals.preview(row, by=second),
            lambda: approvals.approve(row, by=second, as_of=as_of),
            lambda: approvals.turn_down(row, by=second, reason=REASON),
            lambda: approvals.withdraw(row, by=operator, reason=REASON),
        ):
            with pytest.raises(errors.RequestDecided, match="has expired"):
                act()
        assert not ApprovalRequest.objects.waiting().exists()
        assert approvals.in_words(row) == "It has expired."

    def test_it_was_withdrawn(self, stripe, operator, second, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        with pytest.raises(errors.NotYourRequest):
            approvals.withdraw(row, by=second, reason=REASON)
        with pytest.raises(errors.TextNotNeutral):
            approvals.withdraw(row, by=operator, reason="MRN 883122")
        stale = approvals.preview(row, by=second).as_of
        approvals.withdraw(row, by=operator, reason="they found it")

        with pytest.raises(errors.RequestDecided, match="already withdrawn"):
            approvals.approve(row, by=second, as_of=stale)
        fresh = ApprovalRequest.objects.get()
        assert (fresh.status, fresh.decision_reason) == ("withdrawn", "they found it")

    def test_it_was_turned_down(self, stripe, operator, second, third, payment):
        row = sent(RefundPayment(amount=10_001), payment, operator)
        approvals.turn_down(row, by=second, reason="not agreed")

        with pytest.raises(errors.RequestDecided, match="already turned down"):
            approved(row, third)
        entry = AuditEntry.objects.filter(content_type__model="approvalrequest", action=AuditEntry.Action.UPDATE).get()
        assert (entry.actor, entry.reason, entry.office) == (second.user, "not agreed", payment.office)


def test_two_who_approve_one_after_the_other_begin_one_operation(stripe, operator, second, third, payment):
    row = sent(RefundPayment(amount=10_001), payment, operator)
    first, other = (approvals.preview(row, by=by).as_of for by in (second, third))
    approvals.approve(row, by=second, as_of=first)

    with pytest.raises(errors.RequestDecided):
        approvals.approve(row, by=third, as_of=other)
    assert (Operation.objects.filter(kind="refund_payment").count(), given_back(stripe)) == (1, 10_001)


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_two_who_approve_at_once_begin_one_operation(stripe, operator, second, third, payment):
    row = sent(RefundPayment(amount=6_000 + 4_001), payment, operator)
    moments = {by.label: approvals.preview(row, by=by).as_of for by in (second, third)}
    together, told = threading.Barrier(2), []

    def approve(by):
        try:
            together.wait()
            approvals.approve(row, by=by, as_of=moments[by.label])
            told.append("done")
        except errors.BillingError as refusal:
            told.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=(by,)) for by in (second, third)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert told.count("done") == 1
    assert set(told) - {"done"} <= {"request_decided", "preview_stale", "operation_in_progress"}
    assert (Operation.objects.filter(kind="refund_payment").count(), given_back(stripe)) == (1, 10_001)


@pytest.mark.parametrize(
    ("kind", "outcome", "left"),
    [("503", "succeeded", 1), ("drop_after", "succeeded", 1), ("500_after", "abandoned", 0)],
)
def test_an_answer_that_was_lost_is_found_out(stripe, operator, second, third, payment, kind, outcome, left):
    row = sent(RefundPayment(amount=10_001), payment, operator)
    as_of = approvals.preview(row, by=second).as_of
    stripe.fail_next(kind, method="POST", path_prefix="/v1/refunds")
    with pytest.raises(errors.StripeUnavailable):
        approvals.approve(row, by=second, as_of=as_of)
    row.refresh_from_db()
    assert row.status == "approved"

    with pytest.raises(errors.RequestDecided):
        approved(row, third)
    due_again()
    resume_unsettled()

    row.refresh_from_db()
    assert (row.operation.status, row.operation.actor) == (outcome, second.user)
    assert given_back(stripe) == 10_001 * left


def test_what_was_lost_counts_until_it_is_known(stripe, operator, payment):
    stripe.fail_next("503", method="POST", path_prefix="/v1/refunds")
    with pytest.raises(errors.StripeUnavailable):
        perform(RefundPayment(amount=9_000), payment, by=operator, reason=REASON)

    assert second_person.given_back_lately(payment.office, "usd").amount == 9_000
