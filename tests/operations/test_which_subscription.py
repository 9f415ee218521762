"""An operation is about the subscription that is live when it begins, and stays with that one."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor, trail
from billing.models import Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.start import StartSubscription
from tests.conftest import price_id

REASON = "agreed by phone"


@pytest.fixture
def replaced(stripe, operator, subscribed):
    """The Office as somebody saw it, whose subscription was replaced by another since."""
    perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason=REASON)
    start = StartSubscription(price=price_id("practice-yearly"))
    perform(start, Office.objects.get(pk=subscribed.pk), by=operator, reason=REASON)
    stripe.deliver_and_apply()
    return subscribed


def test_a_cancellation_is_of_the_subscription_that_is_live_when_it_begins(stripe, operator, replaced):
    present = Office.objects.get(pk=replaced.pk).payment_provider_subscription_id
    assert present != replaced.payment_provider_subscription_id

    office = perform(CancelSubscription(), replaced, by=operator, reason=REASON)

    assert office.ends_with_this_period
    assert Operation.objects.filter(kind="cancel").first().request["subscription"] == present


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("change_subscription", {"price": "practice-monthly", "quantity": 1, "settle": "now", "as_of": ""}),
        ("resume_renewal", {}),
    ],
)
def test_one_that_is_carried_on_later_touches_no_other_subscription(stripe, replaced, kind, given):
    if "price" in given:
        given = {**given, "price": price_id(given["price"])}
    office = Office.objects.get(pk=replaced.pk)
    with trail.acting(actor.job("tests"), reason=REASON):
        operation = Operation.objects.create(
            office=office,
            kind=kind,
            actor_kind="job",
            actor_label="tests",
            reason=REASON,
            request={"subscription": replaced.payment_provider_subscription_id, **given},
            lease_until=clock.wall() - timedelta(seconds=1),
        )
    before = stripe.listed("subscriptions", status="active")
    resume_unsettled()

    operation.refresh_from_db()
    assert operation.status == "rejected"
    assert stripe.listed("subscriptions", status="active") == before


def test_an_operation_whose_subscription_is_gone_at_stripe_ends_and_holds_nothing_up(stripe, operator, subscribed):
    stripe.control("reset")

    with pytest.raises(errors.StripeObjectMissing):
        perform(ChangeSubscription(price=price_id("practice-yearly")), subscribed, by=operator, reason=REASON)

    assert not Operation.objects.filter(status__in=Operation.UNSETTLED).exists()
