from datetime import timedelta

import pytest
from django.conf import settings

from billing import clock, errors
from billing.entitlement import Policy, entitlement
from billing.models import Office, Operation
from billing.operations import (
    cancel_subscription,
    change_subscription,
    move_trial_end,
    pause_collection,
    preview_change,
    preview_discount,
    preview_restarted_period,
    preview_upcoming,
    restart_period,
    resume_collection,
)
from tests.at_stripe import LOST, a_coupon, settled_after
from tests.conftest import price

REASON = "flooded, agreed with them"


@pytest.fixture
def paused(operator, subscribed):
    return pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void")


def a_month_passes(stripe, office):
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    return Office.objects.get(pk=office.pk)


@pytest.mark.parametrize(
    ("invoices_become", "status"),
    [("keep_as_draft", "draft"), ("void", "void"), ("mark_uncollectible", "uncollectible")],
)
def test_invoices_of_a_pause_are_not_collected_and_access_stays(stripe, operator, subscribed, invoices_become, status):
    policy = Policy(settings.PAST_DUE_GRACE, settings.BLIND_ACCESS_GRACE)
    before = entitlement(subscribed, policy, at=clock.billing())

    office = pause_collection(subscribed, by=operator, reason=REASON, invoices_become=invoices_become)

    assert (office.collection_paused, office.collection_paused_until) == (invoices_become, None)
    assert entitlement(office, policy, at=clock.billing()) == before
    office = a_month_passes(stripe, office)
    assert office.subscription_status == "active"
    assert entitlement(office, policy, at=clock.billing()).access == before.access
    assert [one["status"] for one in stripe.listed("invoices")] == [status, "paid"]
    assert len(stripe.listed("charges")) == 1


def test_the_next_invoice_of_a_pause_is_not_shown_as_charged(stripe, operator, paused):
    seen = preview_upcoming(paused, by=operator)

    assert (seen.total.amount, seen.charged.amount) == (19_900, 0)
    assert "Collection is paused" in seen.says


def test_a_pause_ends_by_itself_on_its_date(stripe, operator, subscribed):
    until = (subscribed.current_period_end - timedelta(days=2)).replace(microsecond=0)
    office = pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void", until=until)
    assert office.collection_paused_until == until

    office = a_month_passes(stripe, office)

    assert (office.collection_paused, office.collection_paused_until) == ("", None)
    assert len(stripe.listed("charges")) == 2


def test_collection_that_is_resumed_charges_the_next_invoice(stripe, operator, paused):
    office = resume_collection(paused, by=operator, reason="they are open again")
    assert office.collection_paused == ""

    a_month_passes(stripe, office)
    assert [one["status"] for one in stripe.listed("invoices")] == ["paid", "paid"]


def test_the_same_pause_again_asks_stripe_once_and_another_changes_it(stripe, operator, paused):
    pause_collection(paused, by=operator, reason=REASON, invoices_become="void")
    assert Operation.objects.filter(kind="pause_collection").count() == 1

    office = pause_collection(paused, by=operator, reason=REASON, invoices_become="keep_as_draft")
    assert office.collection_paused == "keep_as_draft"


def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, subscribed):
    stripe.forget_requests()
    with pytest.raises(errors.CollectionNotPaused):
        resume_collection(subscribed, by=operator, reason=REASON)
    with pytest.raises(errors.DateInvalid):
        pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void", until=clock.billing())
    assert stripe.requests() == []


def test_one_that_has_ended_has_no_collection_to_pause_and_shows_none(stripe, operator, paused):
    ended = cancel_subscription(paused, by=operator, reason="closing", at_period_end=False)

    assert ended.collection_paused == ""
    with pytest.raises(errors.NoLiveSubscription):
        pause_collection(ended, by=operator, reason=REASON, invoices_become="void")
    with pytest.raises(errors.NoLiveSubscription):
        resume_collection(ended, by=operator, reason=REASON)


def test_an_office_never_pauses_its_own_invoices(stripe, owner, viewer, outsider, paused):
    for by in (owner, viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            pause_collection(paused, by=by, reason=REASON, invoices_become="void")
        with pytest.raises(errors.NotPermitted):
            resume_collection(paused, by=by, reason=REASON)


def test_in_live_mode_a_pause_waits_for_no_determination_and_its_end_does(stripe, operator, subscribed, settings):
    settings.STRIPE_LIVE_MODE = True
    office = pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void")

    with pytest.raises(errors.DeterminationMissing):
        pause_collection(office, by=operator, reason=REASON, invoices_become="keep_as_draft")
    with pytest.raises(errors.DeterminationMissing):
        resume_collection(office, by=operator, reason=REASON)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_found_out(stripe, operator, subscribed, kind):
    operation = settled_after(
        stripe, kind, lambda: pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void")
    )

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert Office.objects.get(pk=subscribed.pk).collection_paused == ("" if kind == "500_after" else "void")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_resuming_is_found_out(stripe, operator, paused, kind):
    operation = settled_after(stripe, kind, lambda: resume_collection(paused, by=operator, reason=REASON))

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert Office.objects.get(pk=paused.pk).collection_paused == ("void" if kind == "500_after" else "")


def test_what_is_invoiced_at_once_waits_for_the_end_of_the_pause(stripe, operator, paused):
    yearly = price("practice-yearly")
    stripe.forget_requests()
    for preview, act, given in (
        (preview_restarted_period, restart_period, {}),
        (preview_change, change_subscription, {"price": yearly}),
        (preview_change, change_subscription, {"price": yearly, "settle": "not_at_all"}),
    ):
        with pytest.raises(errors.CollectionPaused):
            preview(paused, by=operator, **given)
        with pytest.raises(errors.CollectionPaused):
            act(paused, by=operator, reason=REASON, **given)
    assert stripe.requests() == []


def test_no_trial_is_ended_now_while_collection_is_paused(stripe, operator, on_trial):
    paused = pause_collection(on_trial, by=operator, reason=REASON, invoices_become="void")
    with pytest.raises(errors.CollectionPaused):
        move_trial_end(paused, None, by=operator, reason=REASON)


def test_an_invoice_of_the_pause_is_said_not_to_be_charged_and_one_after_it_is(stripe, operator, subscribed):
    until = (subscribed.current_period_end - timedelta(days=1)).replace(microsecond=0)
    office = pause_collection(subscribed, by=operator, reason=REASON, invoices_become="void", until=until)
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")

    assert preview_discount(office, "FIFTH", by=operator).charged.amount == 15_920
    office = pause_collection(office, by=operator, reason=REASON, invoices_become="void")
    seen = preview_discount(office, "FIFTH", by=operator)
    assert (seen.charged.amount, seen.total.amount) == (0, 15_920)
    assert "Collection is paused: this invoice is void, and never charged." in seen.says
