from datetime import timedelta

import pytest
from django.conf import settings

from billing import clock, errors
from billing.entitlement import Policy, entitlement
from billing.models import Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.money.documents import preview_upcoming
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from tests.at_stripe import LOST, a_coupon, settled_after
from tests.conftest import price_id

REASON = "flooded, agreed with them"


@pytest.fixture
def paused(operator, subscribed):
    return perform(PauseCollection(invoices_become="void"), subscribed, by=operator, reason=REASON)


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

    office = perform(PauseCollection(invoices_become=invoices_become), subscribed, by=operator, reason=REASON)

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
    office = perform(PauseCollection(invoices_become="void", until=until), subscribed, by=operator, reason=REASON)
    assert office.collection_paused_until == until

    office = a_month_passes(stripe, office)

    assert (office.collection_paused, office.collection_paused_until) == ("", None)
    assert len(stripe.listed("charges")) == 2


def test_collection_that_is_resumed_charges_the_next_invoice(stripe, operator, paused):
    office = perform(ResumeCollection(), paused, by=operator, reason="they are open again")
    assert office.collection_paused == ""

    a_month_passes(stripe, office)
    assert [one["status"] for one in stripe.listed("invoices")] == ["paid", "paid"]


def test_the_same_pause_again_asks_stripe_once_and_another_changes_it(stripe, operator, paused):
    perform(PauseCollection(invoices_become="void"), paused, by=operator, reason=REASON)
    assert Operation.objects.filter(kind="pause_collection").count() == 1

    office = perform(PauseCollection(invoices_become="keep_as_draft"), paused, by=operator, reason=REASON)
    assert office.collection_paused == "keep_as_draft"


def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, subscribed):
    stripe.forget_requests()
    with pytest.raises(errors.CollectionNotPaused):
        perform(ResumeCollection(), subscribed, by=operator, reason=REASON)
    with pytest.raises(errors.DateInvalid):
        perform(PauseCollection(invoices_become="void", until=clock.billing()), subscribed, by=operator, reason=REASON)
    assert stripe.requests() == []


def test_one_that_has_ended_has_no_collection_to_pause_and_shows_none(stripe, operator, paused):
    ended = perform(CancelSubscription(at_period_end=False), paused, by=operator, reason="closing")

    assert ended.collection_paused == ""
    with pytest.raises(errors.NoLiveSubscription):
        perform(PauseCollection(invoices_become="void"), ended, by=operator, reason=REASON)
    with pytest.raises(errors.NoLiveSubscription):
        perform(ResumeCollection(), ended, by=operator, reason=REASON)


def test_an_office_never_pauses_its_own_invoices(stripe, owner, viewer, outsider, paused):
    for by in (owner, viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            perform(PauseCollection(invoices_become="void"), paused, by=by, reason=REASON)
        with pytest.raises(errors.NotPermitted):
            perform(ResumeCollection(), paused, by=by, reason=REASON)


def test_in_live_mode_a_pause_waits_for_no_determination_and_its_end_does(stripe, operator, subscribed, settings):
    settings.STRIPE_LIVE_MODE = True
    office = perform(PauseCollection(invoices_become="void"), subscribed, by=operator, reason=REASON)

    with pytest.raises(errors.DeterminationMissing):
        perform(PauseCollection(invoices_become="keep_as_draft"), office, by=operator, reason=REASON)
    with pytest.raises(errors.DeterminationMissing):
        perform(ResumeCollection(), office, by=operator, reason=REASON)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_found_out(stripe, operator, subscribed, kind):
    operation = settled_after(
        stripe, kind, lambda: perform(PauseCollection(invoices_become="void"), subscribed, by=operator, reason=REASON)
    )

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert Office.objects.get(pk=subscribed.pk).collection_paused == ("" if kind == "500_after" else "void")


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_resuming_is_found_out(stripe, operator, paused, kind):
    operation = settled_after(stripe, kind, lambda: perform(ResumeCollection(), paused, by=operator, reason=REASON))

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert Office.objects.get(pk=paused.pk).collection_paused == ("void" if kind == "500_after" else "")


def test_what_is_invoiced_at_once_waits_for_the_end_of_the_pause(stripe, operator, paused):
    yearly = price_id("practice-yearly")
    stripe.forget_requests()
    for wanted in (
        RestartPeriod(),
        ChangeSubscription(price=yearly),
        ChangeSubscription(price=yearly, settle="not_at_all"),
    ):
        with pytest.raises(errors.CollectionPaused):
            preview(wanted, paused, by=operator)
        with pytest.raises(errors.CollectionPaused):
            perform(wanted, paused, by=operator, reason=REASON)
    assert stripe.requests() == []


def test_no_trial_is_ended_now_while_collection_is_paused(stripe, operator, on_trial):
    paused = perform(PauseCollection(invoices_become="void"), on_trial, by=operator, reason=REASON)
    with pytest.raises(errors.CollectionPaused):
        perform(MoveTrialEnd(at=None), paused, by=operator, reason=REASON)


def test_an_invoice_of_the_pause_is_said_not_to_be_charged_and_one_after_it_is(stripe, operator, subscribed):
    until = (subscribed.current_period_end - timedelta(days=1)).replace(microsecond=0)
    office = perform(PauseCollection(invoices_become="void", until=until), subscribed, by=operator, reason=REASON)
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")

    assert preview(ApplyDiscount(code="FIFTH"), office, by=operator).charged.amount == 15_920
    office = perform(PauseCollection(invoices_become="void"), office, by=operator, reason=REASON)
    seen = preview(ApplyDiscount(code="FIFTH"), office, by=operator)
    assert (seen.charged.amount, seen.total.amount) == (0, 15_920)
    assert "Collection is paused: this invoice is void, and never charged." in seen.says
