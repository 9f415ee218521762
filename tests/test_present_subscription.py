"""Which subscription is the present one, whether it began, and since when it is past due: tables worked out by hand.

Sources: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses and
https://docs.stripe.com/billing/collection-method
"""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from billing import entitlement, present_subscription
from billing.entitlement import Access, Policy
from billing.models import Office
from billing.present_subscription import Attempt, Demand, FirstInvoice, Terms

NOW = datetime(2027, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Row:
    status: str
    started_at: datetime | None = NOW
    created_at: datetime = NOW
    stripe_id: str = "sub_1"


BEST_FIRST = ["active", "past_due", "unpaid", "paused", "incomplete", "a status that Stripe adds", "canceled"]


@pytest.mark.parametrize(("better", "worse"), list(itertools.combinations(BEST_FIRST, 2)))
def test_the_better_status_is_the_present_one_however_old_it_is(better, worse):
    old, new = Row(better, NOW - 400 * DAY, stripe_id="sub_a"), Row(worse, NOW, stripe_id="sub_b")
    assert present_subscription.in_order([old, new]) == present_subscription.in_order([new, old]) == [old, new]


@pytest.mark.parametrize(("one", "other"), [("active", "active"), ("active", "trialing"), ("trialing", "active")])
def test_of_equal_ones_the_one_that_started_last_is_the_present_one(one, other):
    """A start in the past that was given to Stripe counts (backdating), not when the object was made."""
    backdated = Row(one, started_at=NOW - 90 * DAY, created_at=NOW, stripe_id="sub_a")
    earlier = Row(other, started_at=NOW - 30 * DAY, created_at=NOW - 30 * DAY, stripe_id="sub_b")
    assert present_subscription.in_order([backdated, earlier])[0] is earlier


def test_canceled_and_expired_ones_are_equal_and_over():
    assert present_subscription.rank("canceled") == present_subscription.rank("incomplete_expired")
    assert present_subscription.in_order([]) == []


@pytest.mark.parametrize(
    ("status", "first", "right"),
    [
        ("incomplete", FirstInvoice("open", True, 19_900), True),  # it still can begin: it is shown as waiting
        ("incomplete_expired", FirstInvoice("void", True, 19_900), False),
        ("incomplete_expired", None, False),
        ("canceled", FirstInvoice("open", True, 19_900), False),  # its card was declined, and it was given up
        ("canceled", FirstInvoice("void", True, 19_900), False),
        ("canceled", FirstInvoice("paid", True, 19_900), True),
        ("canceled", FirstInvoice("paid", True, 0), True),  # it had a trial
        ("canceled", FirstInvoice("open", False, 19_900), True),  # sent invoices: active from the first moment on
        ("canceled", None, True),
        ("active", FirstInvoice("paid", True, 19_900), True),
        ("past_due", FirstInvoice("paid", True, 19_900), True),
    ],
)
def test_a_start_that_was_declined_never_began(status, first, right):
    assert present_subscription.began(status, first) is right


def failed(day: int) -> Demand:
    return Demand(NOW + day * DAY, is_owed=True, failed_at=NOW + day * DAY)


def settled(day: int) -> Demand:
    return Demand(NOW + day * DAY, is_owed=False, failed_at=NOW + day * DAY)


def sent(day: int, *, due: int) -> Demand:
    return Demand(NOW + day * DAY, is_owed=True, failed_at=NOW + due * DAY)


@pytest.mark.parametrize(
    ("demands", "right"),
    [
        ([], None),
        ([settled(0)], None),
        ([failed(0)], 0),
        ([failed(0), failed(31)], 0),  # two months unpaid: since the first
        ([failed(0), settled(31)], None),
        ([failed(0), settled(31), failed(61)], 61),  # the old debt was passed over: the latest one counts
        ([settled(0), failed(31), failed(61)], 31),
        ([sent(0, due=30)], 30),  # a sent invoice fails when it is due, not when it is made
        ([sent(0, due=30), sent(31, due=61)], 30),
        ([Demand(NOW, is_owed=True, failed_at=None)], None),  # open, and not tried yet
        ([failed(0), Demand(NOW + 31 * DAY, is_owed=True, failed_at=None)], 0),
    ],
)
def test_since_when_collection_fails(demands, right):
    for order in itertools.permutations(demands):
        assert present_subscription.past_due_since(order) == (None if right is None else NOW + right * DAY)


FINALISED = NOW


@pytest.mark.parametrize(
    ("first", "right"),
    [
        (None, 0),  # there was nothing to charge, so it failed at once and left no payment
        (Attempt(FINALISED, None, is_pending=False), 0),  # a card says no at once
        (Attempt(FINALISED, FINALISED + 4 * DAY, is_pending=False), 4),  # the bank returned the debit
        (Attempt(FINALISED, None, is_pending=True), None),  # the bank has not answered
        (Attempt(FINALISED + 3 * DAY, FINALISED + 7 * DAY, is_pending=False), 0),  # not the first: that left no payment
        (Attempt(FINALISED + 3 * DAY, None, is_pending=True), 0),
    ],
)
def test_an_invoice_fails_when_the_first_attempt_to_charge_it_does(first, right):
    found = present_subscription.first_failure(FINALISED, first)
    assert found == (None if right is None else FINALISED + right * DAY)


def test_terms_are_read_as_they_were_stored():
    terms = Terms("past_due", NOW, NOW + DAY, None, NOW + 2 * DAY, NOW - DAY)
    assert Terms.read(terms.stored()) == terms
    assert Terms.read(Terms("active").stored()) == Terms("active")


POLICY = Policy(past_due_grace=14 * DAY, blind_grace=timedelta(hours=72))


def office(*live: Terms) -> Office:
    present, *also = live
    return Office(
        subscription_status=present.status,
        current_period_start=present.current_period_start,
        current_period_end=present.current_period_end,
        trial_end=present.trial_end,
        cancel_at=present.cancel_at,
        past_due_since=present.past_due_since,
        also_live=[one.stored() for one in also],
        confirmed_at=NOW,
    )


PAYS = Terms("active", NOW - 5 * DAY, NOW + 25 * DAY)
IN_GRACE = Terms("past_due", NOW - 5 * DAY, NOW + 25 * DAY, past_due_since=NOW - 5 * DAY)
OUT_OF_GRACE = Terms("past_due", NOW - 20 * DAY, NOW + 10 * DAY, past_due_since=NOW - 20 * DAY)
UNPAID = Terms("unpaid", NOW - 40 * DAY, NOW - 10 * DAY, past_due_since=NOW - 70 * DAY)
ENDS = Terms("active", NOW - 5 * DAY, NOW + 25 * DAY, cancel_at=NOW + DAY)


@pytest.mark.parametrize(
    ("live", "access", "until"),
    [
        ([PAYS, UNPAID], Access.FULL, 25),
        ([PAYS, OUT_OF_GRACE], Access.FULL, 25),
        ([OUT_OF_GRACE, IN_GRACE], Access.FULL, 9),  # the one that failed later keeps it
        ([IN_GRACE, OUT_OF_GRACE], Access.FULL, 9),
        ([OUT_OF_GRACE, UNPAID], Access.NONE, None),
        ([UNPAID], Access.NONE, None),
        ([ENDS, PAYS], Access.FULL, 25),  # the end of one does not end the other
        ([ENDS], Access.FULL, 1),
    ],
)
def test_access_is_the_best_answer_of_all_live_subscriptions(live, access, until):
    found = entitlement.entitlement(office(*live), POLICY, at=NOW)
    assert (found.access, found.until) == (access, None if until is None else NOW + until * DAY)


def test_a_look_is_due_when_any_of_them_may_have_changed():
    present = office(PAYS, Terms("active", NOW - 30 * DAY, NOW + DAY))
    present.payment_provider_subscription_id = "sub_1"
    assert not entitlement.look_is_due(present, POLICY, at=NOW)
    assert entitlement.look_is_due(present, POLICY, at=NOW + DAY)


def test_rows_from_before_have_no_others():
    """The version before this one writes no such column."""
    alone = office(PAYS)
    alone.also_live = None
    assert entitlement.entitlement(alone, POLICY, at=NOW).access is Access.FULL
