from datetime import timedelta

import pytest
from django.conf import settings

from billing import clock, errors
from billing.audit import actor
from billing.entitlement import Access, Policy, entitlement
from billing.models import Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription
from tests.conftest import a_member, refusals, subscribed_office

REASON = "closing the practice"


def access(office):
    policy = Policy(settings.PAST_DUE_GRACE, settings.BLIND_ACCESS_GRACE)
    return entitlement(Office.objects.get(pk=office.pk), policy, at=clock.billing()).access


def test_a_cancelled_office_keeps_service_until_its_period_ends(stripe, operator, subscribed):
    office = perform(CancelSubscription(), subscribed, by=operator, reason=REASON)

    assert office.subscription_status == "active"
    assert office.cancel_at == office.current_period_end
    assert access(office) is Access.FULL
    stripe.advance(days=32)
    assert access(office) is Access.NONE
    stripe.deliver_and_apply()
    assert Office.objects.get(pk=office.pk).subscription_status == "canceled"
    assert access(office) is Access.NONE


def test_cancelling_now_ends_service_now(stripe, operator, subscribed):
    office = perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason=REASON)

    assert office.subscription_status == "canceled"
    assert access(office) is Access.NONE


def test_cancelling_twice_asks_stripe_once(stripe, operator, subscribed):
    office = perform(CancelSubscription(), subscribed, by=operator, reason=REASON)
    perform(CancelSubscription(), office, by=operator, reason=REASON)

    assert Operation.objects.filter(kind="cancel").count() == 1


def test_an_earlier_end_is_moved_to_the_end_of_the_period(stripe, operator, subscribed):
    """An end on an earlier day is another end: the rest of the paid period would be lost."""
    at = subscribed.current_period_end - timedelta(days=5)
    perform(CancelOnDate(at=at), subscribed, by=operator, reason="closing")

    ends = perform(CancelSubscription(at_period_end=True), subscribed, by=operator, reason="as it was paid")

    assert ends.cancel_at == ends.current_period_end


def test_there_is_nothing_to_cancel_without_a_subscription(stripe, operator, office):
    with pytest.raises(errors.NoLiveSubscription):
        perform(CancelSubscription(), office, by=operator, reason=REASON)

    assert stripe.requests() == []


def test_an_office_that_renews_stays_active(stripe, operator, subscribed):
    paid_until = subscribed.current_period_end
    stripe.deliver_and_apply()

    stripe.advance(days=32)
    stripe.deliver_and_apply(shuffle_seed=7, duplicate=True)

    office = Office.objects.get(pk=subscribed.pk)
    assert office.subscription_status == "active"
    assert office.current_period_start == paid_until
    assert office.invoices.filter(status="paid").count() == 2
    assert office.payments.filter(status="succeeded").count() == 2


def test_a_failed_renewal_is_past_due_since_its_first_attempt(stripe, operator, office):
    office = subscribed_office(office, by=operator, card="pm_card_chargeCustomerFail", trial_days=7)
    stripe.advance(days=8)
    stripe.deliver_and_apply()

    office = Office.objects.get(pk=office.pk)
    assert office.subscription_status == "past_due"
    assert office.balance_due == 19_900
    assert office.past_due_since == office.invoices.get(status="open").finalised_at
    assert office.payments.get().failure_code == "card_declined"


def test_a_customer_deleted_at_stripe_is_a_tombstone_with_a_finding(stripe, operator, subscribed):
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    stripe.deliver_and_apply()

    office = Office.objects.get(pk=subscribed.pk)
    assert office.subscription_status == "canceled"
    assert office.payment_provider_customer_id == subscribed.payment_provider_customer_id
    assert office.findings.filter(kind="customer_deleted").exists()
    assert access(office) is Access.NONE


def test_what_a_customer_paid_and_owed_is_seen_also_after_its_deletion(stripe, operator, subscribed):
    stripe.control("charges", outcome="decline")
    stripe.advance(days=32)
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    stripe.deliver_and_apply()

    office = Office.objects.get(pk=subscribed.pk)
    assert office.customer_deleted_at is not None
    assert (office.balance_due, office.payments.filter(status="failed").count()) == (19_900, 1)
    assert sorted(office.invoices.values_list("status", flat=True)) == ["open", "paid"]


def test_a_viewer_may_not_cancel_also_where_it_is_cancelled_already(stripe, operator, subscribed):
    viewer = actor.person(a_member(subscribed, "viewer"))
    with pytest.raises(errors.NotPermitted):
        perform(CancelSubscription(), subscribed, by=viewer, reason=REASON)
    cancelled = perform(CancelSubscription(), subscribed, by=operator, reason=REASON)
    with pytest.raises(errors.NotPermitted):
        perform(CancelSubscription(), cancelled, by=viewer, reason=REASON)

    assert refusals(actor=viewer.user) == 2


def test_a_lost_answer_to_a_cancellation_is_settled_by_the_worker(stripe, operator, subscribed):
    stripe.fail_next("503", method="POST", path_prefix="/v1/subscriptions/")
    with pytest.raises(errors.StripeUnavailable):
        perform(CancelSubscription(), subscribed, by=operator, reason=REASON)
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall())

    resume_unsettled()

    assert Office.objects.get(pk=subscribed.pk).ends_with_this_period
