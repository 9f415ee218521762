from datetime import timedelta

import pytest

from billing import clock, errors
from billing.models import Office, Operation, OperationStep
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription, ResumeRenewal
from tests.at_stripe import LOST, settled_after

REASON = "they changed their mind"


@pytest.fixture
def ending(operator, subscribed):
    return perform(CancelSubscription(), subscribed, by=operator, reason="closing")


def asked():
    """What Stripe was asked to take back."""
    params = OperationStep.objects.get(name="resume_renewal").params
    return {name: value for name, value in params.items() if name != "metadata"}


def next_month(office):
    return office.current_period_end + timedelta(days=10)


def test_a_cancellation_that_is_taken_back_renews(stripe, operator, ending):
    office = perform(ResumeRenewal(), ending, by=operator, reason=REASON)
    assert office.cancel_at is None
    assert asked() == {"cancel_at_period_end": False}

    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert Office.objects.get(pk=office.pk).invoices.filter(status="paid").count() == 2


def test_an_end_on_a_date_is_taken_back_too(stripe, operator, subscribed):
    office = perform(CancelOnDate(at=next_month(subscribed)), subscribed, by=operator, reason="moving")

    assert perform(ResumeRenewal(), office, by=operator, reason=REASON).cancel_at is None
    assert asked() == {"cancel_at": ""}


def test_what_renews_anyway_or_has_ended_cannot_be_taken_back(stripe, operator, subscribed):
    stripe.forget_requests()
    with pytest.raises(errors.NotCancelling):
        perform(ResumeRenewal(), subscribed, by=operator, reason=REASON)
    assert stripe.requests() == []

    ended = perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")
    with pytest.raises(errors.NoLiveSubscription):
        perform(ResumeRenewal(), ended, by=operator, reason=REASON)


def test_a_subscription_ends_on_its_date_and_not_before(stripe, operator, subscribed):
    at = next_month(subscribed)
    office = perform(CancelOnDate(at=at), subscribed, by=operator, reason="moving")
    assert (office.cancel_at, office.ends_with_this_period) == (at, False)

    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert Office.objects.get(pk=office.pk).subscription_status == "active"
    stripe.advance(days=12)
    stripe.deliver_and_apply()
    assert Office.objects.get(pk=office.pk).subscription_status == "canceled"


def test_an_end_of_the_period_goes_before_a_later_date(stripe, operator, subscribed):
    office = perform(CancelOnDate(at=next_month(subscribed)), subscribed, by=operator, reason="moving")

    office = perform(CancelSubscription(), office, by=operator, reason="sooner")

    assert office.cancel_at == office.current_period_end


def test_the_same_date_again_asks_stripe_once(stripe, operator, subscribed):
    office = perform(CancelOnDate(at=next_month(subscribed)), subscribed, by=operator, reason="moving")
    perform(CancelOnDate(at=next_month(subscribed)), office, by=operator, reason="moving")

    assert Operation.objects.filter(kind="cancel_on_date").count() == 1


def test_a_date_that_has_passed_is_refused(stripe, operator, subscribed):
    with pytest.raises(errors.DateInvalid):
        perform(CancelOnDate(at=clock.billing() - timedelta(minutes=1)), subscribed, by=operator, reason="moving")


def test_in_live_mode_only_what_ends_later_waits_for_a_determination(stripe, operator, subscribed, settings):
    settings.STRIPE_LIVE_MODE = True
    office = perform(CancelOnDate(at=next_month(subscribed)), subscribed, by=operator, reason="moving")
    office = perform(CancelOnDate(at=next_month(subscribed) - timedelta(days=5)), office, by=operator, reason="moving")

    with pytest.raises(errors.DeterminationMissing):
        perform(CancelOnDate(at=next_month(subscribed)), office, by=operator, reason="moving")
    with pytest.raises(errors.DeterminationMissing):
        perform(ResumeRenewal(), office, by=operator, reason=REASON)


def test_a_viewer_may_neither_end_nor_renew_it(stripe, viewer, outsider, ending):
    for by in (viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            perform(ResumeRenewal(), ending, by=by, reason=REASON)
        with pytest.raises(errors.NotPermitted):
            perform(CancelOnDate(at=ending.cancel_at), ending, by=by, reason=REASON)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_found_out(stripe, operator, ending, kind):
    operation = settled_after(stripe, kind, lambda: perform(ResumeRenewal(), ending, by=operator, reason=REASON))

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert (Office.objects.get(pk=ending.pk).cancel_at is None) == (kind != "500_after")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_a_date_is_found_out(stripe, operator, subscribed, kind):
    at = next_month(subscribed)
    operation = settled_after(
        stripe, kind, lambda: perform(CancelOnDate(at=at), subscribed, by=operator, reason=REASON)
    )

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert Office.objects.get(pk=subscribed.pk).cancel_at == (None if kind == "500_after" else at)
