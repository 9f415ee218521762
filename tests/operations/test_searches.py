"""After a day Stripe keeps no answer for a key: what an operation should have done is looked for, and found or not."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.models import Operation, OperationStep
from billing.operations import (
    apply_discount,
    cancel_on_date,
    cancel_subscription,
    create_payment_link,
    move_trial_end,
    pause_collection,
    remove_discount,
    restart_period,
    resume_collection,
    resume_renewal,
    resume_unsettled,
    subscribe,
    withdraw_payment_link,
)
from tests.at_stripe import a_coupon
from tests.conftest import price

REASON = "agreed with them"


def ending(office, by):
    return cancel_subscription(office, by=by, reason=REASON)


def paused(office, by):
    return pause_collection(office, by=by, reason=REASON, invoices_become="void")


def discounted(office, by):
    return apply_discount(office, "FIFTH", by=by, reason=REASON)


def linked(office, by):
    create_payment_link(office, price("practice-monthly"), by=by, reason=REASON)
    office.refresh_from_db()
    return office


def as_it_is(office, by):
    return office


def soon():
    return (clock.billing() + timedelta(days=5)).replace(microsecond=0)


ACTS = {
    "resume_renewal": (0, ending, resume_renewal, {}),
    "cancel_on_date": (0, as_it_is, lambda office, **who: cancel_on_date(office, soon(), **who), {}),
    "pause_collection": (0, as_it_is, pause_collection, {"invoices_become": "void"}),
    "resume_collection": (0, paused, resume_collection, {}),
    "move_trial_end": (14, as_it_is, move_trial_end, {"at": None}),
    "restart_period": (0, as_it_is, restart_period, {}),
    "apply_discount": (0, as_it_is, apply_discount, {"code": "FIFTH"}),
    "remove_discount": (0, discounted, remove_discount, {}),
    "payment_link": (None, as_it_is, lambda office, **who: linked(office, who["by"]), {}),
    "withdraw_payment_link": (None, linked, withdraw_payment_link, {}),
}


@pytest.mark.parametrize("kind", ACTS)
@pytest.mark.parametrize("done", [True, False])
def test_what_was_done_a_day_ago_is_found_and_what_was_not_is_abandoned(stripe, operator, office, kind, done):
    trial_days, prepare, act, given = ACTS[kind]
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    if trial_days is not None:
        start = {"trial_days": trial_days, "payment_method": "pm_card_visa"}
        office = subscribe(office, price("practice-monthly"), by=operator, reason="new", **start)
    office = prepare(office, operator)
    path = "/v1/checkout/" if "link" in kind else "/v1/subscriptions/"
    stripe.fail_next("drop_after" if done else "503", method="POST", path_prefix=path)
    with pytest.raises(errors.StripeUnavailable):
        act(office, by=operator, reason=REASON, **given)

    OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(hours=21))
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall())
    resume_unsettled()

    assert Operation.objects.get(kind=kind).status == ("succeeded" if done else "abandoned")
