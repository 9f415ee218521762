from datetime import timedelta

import pytest

from billing import clock, errors
from billing.models import Office, Operation
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from tests.at_stripe import LOST, settled_after
from tests.conftest import price_id

REASON = "they need more time"


def in_days(days):
    return (clock.billing() + timedelta(days=days)).replace(microsecond=0)


def test_a_trial_that_is_extended_is_charged_when_it_ends_and_as_was_shown(stripe, operator, on_trial):
    at = in_days(30)
    seen = preview(MoveTrialEnd(at=at), on_trial, by=operator)
    office = perform(MoveTrialEnd(at=at), on_trial, by=operator, reason=REASON)

    assert (office.trial_end, office.subscription_status) == (at, "trialing")
    assert (seen.now, seen.at, seen.charged) == (False, at, Money(19_900, "usd"))
    stripe.advance(days=15)
    assert stripe.listed("charges") == []
    stripe.advance(days=17)
    assert stripe.listed("charges")[0]["amount"] == seen.charged.amount


def test_a_trial_that_is_ended_now_is_charged_now(stripe, operator, on_trial):
    seen = preview(MoveTrialEnd(at=None), on_trial, by=operator)
    assert (seen.now, seen.charged) == (True, Money(19_900, "usd"))
    assert stripe.listed("charges") == []

    office = perform(MoveTrialEnd(at=None), on_trial, by=operator, reason=REASON)

    assert office.subscription_status == "active"
    assert [one["amount"] for one in stripe.listed("charges")] == [19_900]


def test_a_declined_card_ends_no_trial(stripe, operator, on_trial):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    with pytest.raises(errors.CardDeclined):
        perform(MoveTrialEnd(at=None), on_trial, by=operator, reason=REASON)

    on_trial.refresh_from_db()
    assert on_trial.subscription_status == "trialing"
    assert Operation.objects.get(kind="move_trial_end").status == "declined"


@pytest.mark.parametrize(
    ("days", "refusal"), [(-1, errors.DateInvalid), (731, errors.DateInvalid), ("same", errors.NothingToChange)]
)
def test_a_trials_end_that_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, on_trial, days, refusal):
    at = on_trial.trial_end if days == "same" else in_days(days)
    stripe.forget_requests()

    with pytest.raises(refusal):
        perform(MoveTrialEnd(at=at), on_trial, by=operator, reason=REASON)
    with pytest.raises(refusal):
        preview(MoveTrialEnd(at=at), on_trial, by=operator)
    assert stripe.requests() == []


def test_without_a_card_a_trial_is_not_ended_now(stripe, operator, office):
    office = perform(
        StartSubscription(price=price_id("practice-monthly"), trial_days=14), office, by=operator, reason="new"
    )

    with pytest.raises(errors.PaymentMethodRequired, match="or let the trial continue"):
        perform(MoveTrialEnd(at=None), office, by=operator, reason=REASON)


def test_only_a_trial_has_an_end_to_move_and_only_what_is_active_begins_anew(stripe, operator, subscribed):
    with pytest.raises(errors.NotTrialing):
        perform(MoveTrialEnd(at=in_days(30)), subscribed, by=operator, reason=REASON)
    ended = perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")
    with pytest.raises(errors.NoLiveSubscription):
        perform(MoveTrialEnd(at=in_days(30)), ended, by=operator, reason=REASON)
    with pytest.raises(errors.NoLiveSubscription):
        perform(RestartPeriod(), ended, by=operator, reason=REASON)


def test_in_a_trial_no_period_begins_anew(stripe, operator, on_trial):
    with pytest.raises(errors.InTrial):
        perform(RestartPeriod(), on_trial, by=operator, reason=REASON)


def test_a_subscription_that_is_behind_does_not_begin_anew(stripe, operator, subscribed):
    stripe.control("charges", outcome="decline")
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    with pytest.raises(errors.SubscriptionNotChangeable):
        perform(RestartPeriod(), subscribed, by=operator, reason=REASON)


def test_an_office_may_end_its_trial_and_never_make_it_longer(stripe, owner, viewer, outsider, on_trial):
    with pytest.raises(errors.NotPermitted):
        perform(MoveTrialEnd(at=in_days(30)), on_trial, by=owner, reason=REASON)
    for by in (viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            perform(MoveTrialEnd(at=None), on_trial, by=by, reason=REASON)

    sooner = in_days(3)
    assert perform(MoveTrialEnd(at=sooner), on_trial, by=owner, reason=REASON).trial_end == sooner
    assert perform(MoveTrialEnd(at=None), on_trial, by=owner, reason=REASON).subscription_status == "active"


@pytest.mark.parametrize("credit", ["now", "not_at_all"])
def test_a_period_that_begins_today_costs_what_was_shown(stripe, operator, subscribed, credit):
    stripe.advance(days=11, hours=7)
    stripe.deliver_and_apply()
    seen = preview(RestartPeriod(credit=credit), subscribed, by=operator)

    office = perform(RestartPeriod(credit=credit, as_of=seen.as_of), subscribed, by=operator, reason=REASON)

    charged = stripe.listed("invoices")[0]
    assert seen.now
    assert seen.charged.amount == charged["amount_paid"]
    assert (seen.charged.amount == 19_900) == (credit == "not_at_all")
    assert abs(office.current_period_start - clock.billing()) < timedelta(minutes=1)
    assert office.billing_cycle_anchor_date == office.current_period_start


def test_a_declined_card_begins_no_period(stripe, operator, subscribed):
    stripe.advance(days=11)
    stripe.control("charges", outcome="decline")
    with pytest.raises(errors.CardDeclined):
        perform(RestartPeriod(), subscribed, by=operator, reason=REASON)

    before = subscribed.current_period_start
    subscribed.refresh_from_db()
    assert subscribed.current_period_start == before
    assert len(stripe.listed("invoices")) == 1


def test_a_preview_of_long_ago_is_not_confirmed(stripe, operator, subscribed):
    seen = preview(RestartPeriod(), subscribed, by=operator)
    stripe.advance(hours=2)

    with pytest.raises(errors.PreviewStale):
        perform(RestartPeriod(as_of=seen.as_of), subscribed, by=operator, reason=REASON)


def test_a_viewer_sees_what_a_new_period_costs_and_may_not_begin_it(stripe, viewer, outsider, subscribed):
    assert preview(RestartPeriod(), subscribed, by=viewer).now
    for by in (viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            perform(RestartPeriod(), subscribed, by=by, reason=REASON)
    with pytest.raises(errors.NotPermitted):
        preview(RestartPeriod(), subscribed, by=outsider)


def test_in_live_mode_both_wait_for_a_determination(stripe, operator, on_trial, settings):
    settings.STRIPE_LIVE_MODE = True
    for act in (
        lambda: preview(MoveTrialEnd(at=None), on_trial, by=operator),
        lambda: preview(RestartPeriod(), on_trial, by=operator),
        lambda: perform(MoveTrialEnd(at=None), on_trial, by=operator, reason=REASON),
        lambda: perform(RestartPeriod(), on_trial, by=operator, reason=REASON),
    ):
        with pytest.raises(errors.DeterminationMissing):
            act()


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_a_trials_end_is_found_out_and_charged_once(stripe, operator, on_trial, kind):
    operation = settled_after(
        stripe, kind, lambda: perform(MoveTrialEnd(at=None), on_trial, by=operator, reason=REASON)
    )

    done = kind != "500_after"
    assert operation.status == ("succeeded" if done else "abandoned")
    assert len(stripe.listed("charges")) == int(done)
    assert Office.objects.get(pk=on_trial.pk).subscription_status == ("active" if done else "trialing")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_a_new_period_is_found_out_and_charged_once(stripe, operator, subscribed, kind):
    stripe.advance(days=11)
    operation = settled_after(stripe, kind, lambda: perform(RestartPeriod(), subscribed, by=operator, reason=REASON))

    done = kind != "500_after"
    assert operation.status == ("succeeded" if done else "abandoned")
    assert len(stripe.listed("charges")) == 1 + int(done)
