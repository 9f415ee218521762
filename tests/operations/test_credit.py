from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from billing import clock, errors
from billing.audit import actor, trail
from billing.models import AuditEntry, Operation
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import MOST_AT_ONCE, AdjustCredit
from billing.operations.offices.archive import ArchiveOffice
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.collection import PauseCollection
from tests.conftest import a_member

REASON = "goodwill"


def balance(stripe):
    return stripe.listed("customers")[0]["balance"]


def test_credit_is_above_zero_here_and_taken_off_the_next_invoice(stripe, operator, subscribed):
    office = perform(AdjustCredit(amount=2_500), subscribed, by=operator, reason=REASON)

    assert (office.credit_balance, balance(stripe)) == (2_500, -2_500)
    assert (str(office.credit), office.credit_in_words) == ("25.00 USD", "25.00 USD credit")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert stripe.listed("invoices")[0]["amount_paid"] == 19_900 - 2_500
    office.refresh_from_db()
    assert (office.credit_balance, office.credit_in_words) == (0, "no credit")


def test_credit_that_is_taken_back_below_zero_is_owed(stripe, operator, subscribed):
    office = perform(AdjustCredit(amount=-700), subscribed, by=operator, reason=REASON)

    assert (office.credit_balance, balance(stripe)) == (-700, 700)
    assert office.credit_in_words == "7.00 USD owed with the next invoice"


def test_the_preview_says_before_and_after_and_is_confirmed_once(stripe, operator, subscribed):
    perform(AdjustCredit(amount=1_000), subscribed, by=operator, reason=REASON)
    seen = preview(AdjustCredit(amount=-1_500), subscribed, by=operator)
    assert (seen.before, seen.after) == (Money(1_000, "usd"), Money(-500, "usd"))
    assert balance(stripe) == -1_000

    office = perform(AdjustCredit(amount=-1_500, as_of=seen.as_of), subscribed, by=operator, reason=REASON)

    assert office.credit == seen.after
    with pytest.raises(errors.PreviewStale):
        perform(AdjustCredit(amount=-1_500, as_of=seen.as_of), subscribed, by=operator, reason=REASON)
    assert balance(stripe) == 500


def test_a_preview_of_long_ago_is_not_confirmed(stripe, operator, subscribed):
    seen = preview(AdjustCredit(amount=100), subscribed, by=operator)
    stripe.advance(hours=2)

    with pytest.raises(errors.PreviewStale):
        perform(AdjustCredit(amount=100, as_of=seen.as_of), subscribed, by=operator, reason=REASON)


@pytest.mark.parametrize("amount", [0, MOST_AT_ONCE + 1, -MOST_AT_ONCE - 1])
def test_the_amount_is_bounded(stripe, operator, subscribed, amount):
    stripe.forget_requests()

    with pytest.raises(errors.AmountInvalid, match="10,000"):
        perform(AdjustCredit(amount=amount), subscribed, by=operator, reason=REASON)
    with pytest.raises(errors.AmountInvalid):
        preview(AdjustCredit(amount=amount), subscribed, by=operator)
    assert stripe.requests() == []


def test_without_a_customer_or_a_currency_there_is_no_credit(stripe, operator, office):
    with pytest.raises(errors.NoCustomer):
        perform(AdjustCredit(amount=100), office, by=operator, reason=REASON)
    office = perform(EnsureCustomer(), office, by=operator, reason="new")
    with pytest.raises(errors.CurrencyUnknown):
        perform(AdjustCredit(amount=100), office, by=operator, reason=REASON)


@pytest.mark.parametrize("role", ["owner", "viewer", "auditor"])
def test_only_the_vendors_staff_give_credit(stripe, subscribed, auditor, role):
    by = auditor if role == "auditor" else actor.person(a_member(subscribed, role))

    with pytest.raises(errors.NotPermitted):
        perform(AdjustCredit(amount=100), subscribed, by=by, reason=REASON)
    with pytest.raises(errors.NotPermitted):
        preview(AdjustCredit(amount=100), subscribed, by=by)
    assert balance(stripe) == 0
    assert AuditEntry.objects.filter(kind="refusal", actor=by.user).exists()


def test_a_member_who_was_staff_once_does_nothing_of_the_vendors(stripe, subscribed):
    owner = a_member(subscribed, "owner")
    with trail.acting(actor.job("tests"), reason="the cast"):
        owner.groups.add(Group.objects.get(name="operator"))
    by = actor.person(owner)

    for act in (
        lambda: perform(AdjustCredit(amount=100), subscribed, by=by, reason=REASON),
        lambda: perform(ChargeOffice(charge="training", amount=500), subscribed, by=by, reason=REASON),
        lambda: perform(PauseCollection(invoices_become="void"), subscribed, by=by, reason=REASON),
        lambda: perform(ArchiveOffice(), subscribed, by=by, reason=REASON),
    ):
        with pytest.raises(errors.StaffOnly):
            act()


def test_a_job_gives_credit_as_it_charges(stripe, subscribed):
    assert perform(AdjustCredit(amount=100), subscribed, by=actor.job("goodwill"), reason=REASON).credit_balance == 100


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
@pytest.mark.parametrize("hours", [0, 21])
def test_a_lost_answer_gives_the_credit_once(stripe, operator, subscribed, kind, hours):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        perform(AdjustCredit(amount=100), subscribed, by=operator, reason=REASON)
    operation = Operation.objects.get(kind="adjust_credit")
    operation.steps.update(first_asked_at=clock.wall() - timedelta(hours=hours))
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    operation.refresh_from_db()
    subscribed.refresh_from_db()
    done = kind == "drop_after" or (kind == "503" and not hours)
    expected = ("succeeded", 100, -100) if done else ("abandoned", 0, 0)
    assert (operation.status, subscribed.credit_balance, balance(stripe)) == expected


def test_credit_that_was_lost_on_the_way_to_a_deleted_customer_is_given_up(stripe, operator, subscribed):
    stripe.fail_next("500_after", method="POST", path_prefix="/v1/customers/")
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    with pytest.raises(errors.StripeUnavailable):
        perform(AdjustCredit(amount=100), subscribed, by=operator, reason=REASON)
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))

    resume_unsettled()

    assert Operation.objects.get(kind="adjust_credit").status == "abandoned"


def test_credit_can_be_given_without_a_determination_and_not_taken(stripe, operator, subscribed, settings):
    settings.STRIPE_LIVE_MODE = True

    assert perform(AdjustCredit(amount=100), subscribed, by=operator, reason=REASON).credit_balance == 100
    with pytest.raises(errors.DeterminationMissing):
        perform(AdjustCredit(amount=-100), subscribed, by=operator, reason=REASON)
