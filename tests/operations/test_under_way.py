"""What others have under way at Stripe when we start or end something, and what somebody pays in between.

Walks: the payment succeeds before each of our requests in turn. Whatever the moment, there is at most one paid
subscription, and none is paid and ended.
Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
"""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.models import AuditEntry, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.under_way import EndWaitingSubscription
from tests.at_stripe import begun_at_stripe, made, on_each_request
from tests.conftest import price_id
from tests.other_connections import ON_SERVER

REASON = "agreed by phone"
ENDED = ("canceled", "incomplete_expired")
BOUNDARIES = range(20 if ON_SERVER else 13)
"""More than the requests of any of these operations: the last ones are after its end. What can charge is compared with
Stripe first where the database is a libSQL server."""


# --- what others make at Stripe


def begun_elsewhere(stripe, office, by, card="pm_card_visa"):
    customer = perform(EnsureCustomer(), office, by=by, reason=REASON).payment_provider_customer_id
    return begun_at_stripe(stripe, customer, card)


def authenticated(stripe, waiting):
    [payment] = waiting["latest_invoice"]["payments"]["data"]
    intent = payment["payment"]["payment_intent"]
    answer = stripe.http.post(f"/_sandbox/payment_intents/{intent}/authenticate", json={})
    assert answer.status_code in (200, 400), answer.text  # 400: it was given up before


@pytest.fixture
def waiting(stripe, operator, office):
    """A subscription that waits for 3-D Secure, and nobody has told us."""
    found = begun_elsewhere(stripe, office, operator, "pm_card_authenticationRequired")
    assert found["status"] == "incomplete"
    return found


def a_start(card="pm_card_visa", **given):
    return StartSubscription(price=price_id("practice-monthly"), payment_method=card, **given)


def a_link():
    return CreatePaymentLink(price=price_id("practice-monthly"))


def fresh(office):
    return Office.objects.get(pk=office.pk)


def check_paid_at_most_once(stripe):
    subscriptions = {one["id"]: one["status"] for one in stripe.listed("subscriptions", status="all")}
    paid = [one for one in stripe.listed("invoices") if one["status"] == "paid"]
    assert len(paid) <= 1
    assert [status for status in subscriptions.values() if status not in ENDED] in ([], ["incomplete"], ["active"])
    for invoice in paid:
        assert subscriptions[invoice["parent"]["subscription_details"]["subscription"]] == "active"
    captured = [one for one in stripe.listed("charges") if one["status"] == "succeeded"]
    assert sum(one["amount"] - one["amount_refunded"] for one in captured) == sum(one["amount_paid"] for one in paid)


def check_told(stripe, office):
    """Our rows show what Stripe has, once it was reported."""
    stripe.deliver_and_apply()
    alive = [one["status"] for one in stripe.listed("subscriptions", status="all") if one["status"] not in ENDED]
    assert fresh(office).subscription_status == (alive[0] if alive else "")


# --- refused by what our rows show, and by what Stripe shows


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("asked", [a_start, a_link])
def test_while_one_waits_for_its_first_payment_no_other_starts(stripe, operator, office, waiting, asked, told):
    if told:
        stripe.deliver_and_apply()
    stripe.forget_requests()

    with pytest.raises(errors.SubscriptionWaiting, match=r"Practice, incomplete.*23 hours"):
        perform(asked(), fresh(office), by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert fresh(office).subscription_status == "incomplete"
    operations = Operation.objects.exclude(kind="ensure_customer").values_list("status", "error_code")
    assert list(operations) == ([] if told else [("rejected", "subscription_waiting")])
    assert AuditEntry.objects.filter(kind="refusal").count() == (1 if told else 0)


@pytest.mark.parametrize("asked", [a_start, a_link])
def test_a_live_one_that_nobody_told_us_of_refuses_a_start(stripe, operator, office, asked):
    begun_elsewhere(stripe, office, operator)
    stripe.forget_requests()

    with pytest.raises(errors.LiveSubscriptionExists, match="Practice, active"):
        perform(asked(), fresh(office), by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert fresh(office).subscription_status == "active"
    check_paid_at_most_once(stripe)


@pytest.mark.parametrize(
    ("card", "refusal"),
    [
        ("pm_card_authenticationRequired", errors.SubscriptionWaiting),
        ("pm_card_visa", errors.LiveSubscriptionExists),
    ],
)
def test_the_preview_of_a_start_is_refused_as_the_start_is(stripe, operator, office, card, refusal):
    begun_elsewhere(stripe, office, operator, card)

    with pytest.raises(refusal):
        preview(a_start(), fresh(office), by=operator)


def test_one_that_expired_at_stripe_and_of_which_nobody_told_us_refuses_nothing(stripe, operator, office, waiting):
    stripe.advance(hours=24)

    assert perform(a_start(), fresh(office), by=operator, reason=REASON).subscription_status == "active"
    check_paid_at_most_once(stripe)


def test_a_start_that_was_paid_before_another_was_made_is_finished_when_it_is_resumed(
    stripe, operator, office, monkeypatch
):
    def act(number, method, url):
        if url.endswith("/pay"):
            stripe.fail_next("drop_after", method="POST", path_prefix=url.removeprefix(stripe.url))

    with monkeypatch.context() as patch:
        on_each_request(patch, act)
        with pytest.raises(errors.StripeUnavailable):
            perform(a_start(), office, by=operator, reason=REASON)
    begun_at_stripe(stripe, fresh(office).payment_provider_customer_id, "pm_card_authenticationRequired")

    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    assert Operation.objects.get().status == "succeeded"
    assert fresh(office).subscription_status == "active"
    [customer] = stripe.listed("customers")
    assert customer["invoice_settings"]["default_payment_method"]


@pytest.mark.parametrize("card", ["pm_card_visa", "pm_card_authenticationRequired"])
def test_a_start_that_is_resumed_gives_way_to_what_was_made_meanwhile(stripe, operator, office, card, monkeypatch):
    """The answer of paying was lost; before the worker asks again, somebody begins another in the dashboard."""

    def act(number, method, url):
        if url.endswith("/pay"):
            stripe.fail_next("503", method="POST", path_prefix=url.removeprefix(stripe.url))

    with monkeypatch.context() as patch:
        on_each_request(patch, act)
        with pytest.raises(errors.StripeUnavailable):
            perform(a_start(), office, by=operator, reason=REASON)
    theirs = begun_at_stripe(stripe, fresh(office).payment_provider_customer_id, card)

    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    assert Operation.objects.get().status == "rejected"
    alive = [one["id"] for one in stripe.listed("subscriptions", status="all") if one["status"] not in ENDED]
    assert alive == [theirs["id"]]
    check_paid_at_most_once(stripe)


# --- ending the one that waits


def test_a_waiting_one_is_ended_and_then_another_starts(stripe, operator, office, waiting):
    stripe.deliver_and_apply()
    assert EndWaitingSubscription.offered(fresh(office))

    perform(EndWaitingSubscription(), fresh(office), by=operator, reason=REASON)

    assert [one["status"] for one in stripe.listed("invoices")] == ["void"]
    assert fresh(office).subscription_status == ""
    assert not EndWaitingSubscription.offered(fresh(office))
    with pytest.raises(errors.NothingWaiting):
        perform(EndWaitingSubscription(), fresh(office), by=operator, reason=REASON)
    assert perform(a_start(), fresh(office), by=operator, reason=REASON).subscription_status == "active"
    check_paid_at_most_once(stripe)


def test_one_that_was_paid_meanwhile_stays_live_and_is_told(stripe, operator, office, waiting):
    stripe.deliver_and_apply()
    authenticated(stripe, waiting)

    with pytest.raises(errors.SubscriptionBegan, match="live now"):
        perform(EndWaitingSubscription(), fresh(office), by=operator, reason=REASON)

    assert fresh(office).subscription_status == "active"
    assert Operation.objects.get(kind="end_waiting_subscription").status == "rejected"
    check_paid_at_most_once(stripe)


# --- walks


def walked(monkeypatch, number, act, run):
    """Run this, with ``act`` before its request of this number, or after its end if it has fewer requests."""
    done = []

    def once(at, method, url):
        if at == number:
            done.append(at)
            act()

    with monkeypatch.context() as patch:
        count = on_each_request(patch, once)
        try:
            run()
        except errors.BillingError as refusal:
            done.append(refusal)
        assert count() < len(BOUNDARIES), "the walk must go beyond the last request"
    if number not in done:
        act()


@pytest.mark.parametrize("number", BOUNDARIES)
@pytest.mark.parametrize("asked", [EndWaitingSubscription, a_start, a_link])
def test_a_waiting_one_that_is_paid_at_any_moment(stripe, operator, office, waiting, asked, number, monkeypatch):
    stripe.deliver_and_apply()

    walked(
        monkeypatch,
        number,
        lambda: authenticated(stripe, waiting),
        lambda: perform(asked(), fresh(office), by=operator, reason=REASON),
    )

    check_paid_at_most_once(stripe)
    check_told(stripe, office)


@pytest.mark.parametrize("number", BOUNDARIES)
@pytest.mark.parametrize("asked", [a_start, a_link, WithdrawPaymentLink])
def test_a_payment_link_that_is_paid_at_any_moment(stripe, operator, office, asked, number, monkeypatch):
    link = perform(a_link(), office, by=operator, reason=REASON)

    def pays():
        answer = stripe.http.post(f"/_sandbox/checkout/sessions/{link.id}/complete", json={"card": "pm_card_visa"})
        assert answer.status_code in (200, 400), answer.text  # 400: it was withdrawn before

    walked(monkeypatch, number, pays, lambda: perform(asked(), fresh(office), by=operator, reason=REASON))

    check_paid_at_most_once(stripe)
    check_told(stripe, office)


@pytest.mark.parametrize("number", BOUNDARIES)
def test_a_payment_link_whose_payment_waits_and_succeeds_at_any_moment(stripe, operator, office, number, monkeypatch):
    """Somebody entered a card on the page that asks for 3-D Secure: the subscription waits."""
    link = perform(a_link(), office, by=operator, reason=REASON)
    stripe.control(f"checkout/sessions/{link.id}/complete", card="pm_card_authenticationRequired")
    [begun] = stripe.listed("subscriptions", **{"expand[]": "data.latest_invoice.payments"})
    stripe.deliver_and_apply()

    walked(
        monkeypatch,
        number,
        lambda: authenticated(stripe, begun),
        lambda: perform(EndWaitingSubscription(), fresh(office), by=operator, reason=REASON),
    )

    check_paid_at_most_once(stripe)
    check_told(stripe, office)
    if stripe.listed("subscriptions") == []:
        assert [one["status"] for one in stripe.listed("checkout/sessions")] == ["expired"]


@pytest.mark.parametrize("number", BOUNDARIES)
def test_a_declined_start_that_is_paid_otherwise_at_any_moment(stripe, operator, office, number, monkeypatch):
    """The card is declined, so the start is undone; at this moment somebody pays its invoice with another card."""

    def pays():
        for one in stripe.listed("invoices", status="open"):
            card = made(stripe, "payment_methods/pm_card_visa/attach", customer=one["customer"])
            made(stripe, f"invoices/{one['id']}/pay", payment_method=card["id"])

    walked(
        monkeypatch,
        number,
        pays,
        lambda: perform(a_start("pm_card_chargeCustomerFail"), office, by=operator, reason=REASON),
    )

    check_paid_at_most_once(stripe)
    check_told(stripe, office)
