import pytest
from django.conf import settings
from django.core import serializers
from django.test import Client

from billing import clock, errors
from billing.models import IdempotentRequest, Office, Operation, OperationStep
from billing.operations.compliance import withdraw_determination
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink, shown_payment_link
from billing.operations.subscriptions.start import StartSubscription
from tests.at_stripe import LOST, a_coupon, settled_after
from tests.conftest import determined, price_id, refusals

REASON = "they pay by themselves"


def link_for(office, by, **given):
    return perform(CreatePaymentLink(price=price_id("practice-monthly"), **given), office, by=by, reason=REASON)


def paid(stripe, link, card="pm_card_visa"):
    stripe.control(f"checkout/sessions/{link.id}/complete", card=card)
    stripe.deliver_and_apply()


def sessions(stripe):
    return [one["status"] for one in stripe.listed("checkout/sessions")]


def test_an_office_without_a_card_pays_on_stripes_page_and_has_its_subscription(stripe, operator, office):
    link = link_for(office, operator)
    assert not Office.objects.get(pk=office.pk).has_live_subscription

    paid(stripe, link)

    office = Office.objects.get(pk=office.pk)
    assert (office.subscription_status, office.current_plan.code) == ("active", "practice")
    assert office.payment_method_last4 == "4242"
    assert office.invoices.get().amount_paid == 19_900
    assert Operation.objects.get().status == "succeeded"


def test_the_link_keeps_seats_trial_and_discount(stripe, operator, office):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="once")
    link = perform(
        CreatePaymentLink(price=price_id("seats-monthly"), quantity=4, trial_days=14, coupon="FIFTH"),
        office,
        by=operator,
        reason=REASON,
    )
    paid(stripe, link)

    office = Office.objects.get(pk=office.pk)
    assert (office.subscription_status, office.quantity) == ("trialing", 4)
    assert office.current_subscription.discount == "20 % off, once"


def test_the_page_sends_people_back_to_addresses_that_exist(stripe, operator, office):
    link_for(office, operator)
    session = stripe.listed("checkout/sessions")[0]

    for address in (session["success_url"], session["cancel_url"]):
        assert address.startswith(f"{settings.SITE_URL}/payment/")
        assert Client().get(address.removeprefix(settings.SITE_URL)).status_code == 200


def test_an_open_link_with_the_same_terms_is_given_again(stripe, operator, office):
    first, again = link_for(office, operator), link_for(office, operator)

    assert (again.address, again.expires_at) == (first.address, first.expires_at)
    assert sessions(stripe) == ["open"]
    assert [(one.kind, one.status, one.reason) for one in Operation.objects.all()] == [
        ("payment_link", "succeeded", REASON)
    ] * 2


def test_an_open_link_is_given_again_however_often(stripe, operator, office):
    addresses = {link_for(office, operator).address for _ in range(22)}
    assert len(addresses) == 1


@pytest.mark.usefixtures("commits_are_kept")
def test_a_link_is_not_given_again_past_what_refuses_it(live, operator, administrator, owner, office):
    determination = determined(operator, administrator)
    link_for(office, operator)
    live.forget_requests()

    with pytest.raises(errors.ReasonRequired):
        perform(CreatePaymentLink(price=price_id("practice-monthly")), office, by=operator, reason=" ")
    withdraw_determination(determination, by=administrator, reason="it no longer holds")
    with pytest.raises(errors.DeterminationMissing):
        link_for(office, operator)
    with pytest.raises(errors.DeterminationMissing):
        shown_payment_link(office, by=operator)
    Office.objects.filter(pk=office.pk).update(archived_at=clock.wall())
    with pytest.raises(errors.OfficeArchived):
        link_for(office, operator)
    with pytest.raises(errors.OfficeArchived):
        shown_payment_link(Office.objects.get(pk=office.pk), by=operator)
    assert live.requests() == []
    assert refusals(office=office) == 3


def test_an_owner_makes_itself_no_link_with_a_trial(stripe, owner, office):
    with pytest.raises(errors.StaffOnly):
        link_for(office, owner, trial_days=14)
    assert stripe.requests() == []
    assert link_for(office, owner).address


def test_other_terms_are_refused_while_a_link_is_open_and_possible_once_it_is_withdrawn(stripe, operator, office):
    link_for(office, operator)
    with pytest.raises(errors.PaymentLinkOpen):
        link_for(office, operator, trial_days=14)

    perform(WithdrawPaymentLink(), office, by=operator, reason="other terms")
    perform(WithdrawPaymentLink(), office, by=operator, reason="other terms")
    link_for(office, operator, trial_days=14)

    assert sessions(stripe) == ["open", "expired"]


def test_a_subscription_that_starts_otherwise_withdraws_the_link(stripe, operator, office):
    link_for(office, operator)
    perform(
        StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa"),
        office,
        by=operator,
        reason="by phone",
    )

    assert sessions(stripe) == ["expired"]
    with pytest.raises(errors.LiveSubscriptionExists):
        link_for(Office.objects.get(pk=office.pk), operator)


def test_a_link_that_was_paid_at_the_same_moment_leaves_one_subscription(stripe, operator, office):
    link = link_for(office, operator)
    stripe.control(f"checkout/sessions/{link.id}/complete", card="pm_card_visa")  # and nobody told us yet

    with pytest.raises(errors.PaymentLinkGone):
        shown_payment_link(office, by=operator)
    stripe.deliver_and_apply()
    assert Office.objects.get(pk=office.pk).subscriptions.count() == 1


def test_the_address_is_nowhere_in_the_database_and_the_session_is_on_the_step(stripe, operator, office, caplog):
    from django.apps import apps

    caplog.set_level("DEBUG")
    link = link_for(office, operator)
    paid(stripe, link)

    everything = "".join(
        serializers.serialize("json", model.objects.all()) for model in apps.get_app_config("billing").get_models()
    )
    assert OperationStep.objects.get(name="open_link").object_id == link.id
    assert link.address not in everything
    assert link.address not in caplog.text
    assert not IdempotentRequest.objects.exists()


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"quantity": 2}, errors.QuantityInvalid),
        ({"trial_days": 366}, errors.QuantityInvalid),
        ({"price": "00000000-0000-0000-0000-000000000000"}, errors.PlanUnknown),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, office, given, refusal):
    with pytest.raises(refusal):
        perform(
            CreatePaymentLink(price=given.pop("price", "") or price_id("practice-monthly"), **given),
            office,
            by=operator,
            reason=REASON,
        )
    assert stripe.requests() == []


def test_after_its_subscription_has_ended_another_currency_can_be_chosen(stripe, operator, subscribed):
    ended = perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")

    perform(CreatePaymentLink(price=price_id("practice-euro")), ended, by=operator, reason=REASON)

    (page,) = stripe.listed("checkout/sessions", status="open")
    assert page["currency"] == "eur"


def test_in_live_mode_a_link_waits_for_a_determination(live, operator, office):
    with pytest.raises(errors.DeterminationMissing):
        link_for(office, operator)
    assert live.requests() == []


def test_a_viewer_and_an_outsider_get_no_link(stripe, operator, viewer, outsider, office):
    link_for(office, operator)
    for by in (viewer, outsider):
        with pytest.raises(errors.NotPermitted):
            link_for(Office.objects.get(pk=office.pk), by)
        with pytest.raises(errors.NotPermitted):
            shown_payment_link(office, by=by)
        with pytest.raises(errors.NotPermitted):
            perform(WithdrawPaymentLink(), office, by=by, reason=REASON)


def test_two_people_at_once_end_in_one_link(stripe, operator, administrator, office):
    stripe.fail_next("503", method="POST", path_prefix="/v1/checkout/")
    with pytest.raises(errors.StripeUnavailable):
        link_for(office, operator)
    with pytest.raises(errors.OperationInProgress):
        link_for(Office.objects.get(pk=office.pk), administrator)


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_is_found_out_and_the_link_given(stripe, operator, office, kind):
    operation = settled_after(stripe, kind, lambda: link_for(office, operator), "/v1/checkout/")

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert link_for(Office.objects.get(pk=office.pk), operator).address
    assert sessions(stripe) == ["open"]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_to_a_withdrawal_is_found_out(stripe, operator, office, kind):
    link_for(office, operator)
    office = Office.objects.get(pk=office.pk)
    operation = settled_after(
        stripe, kind, lambda: perform(WithdrawPaymentLink(), office, by=operator, reason=REASON), "/v1/checkout/"
    )

    assert operation.status == ("abandoned" if kind == "500_after" else "succeeded")
    assert sessions(stripe) == ["open" if kind == "500_after" else "expired"]
