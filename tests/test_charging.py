"""Which requests can charge, and that in live mode none of them leaves while no determination stands."""

import pytest

from billing import errors
from billing.models import AuditEntry, Office, Operation, OperationStep
from billing.operations.compliance import withdraw_determination
from billing.operations.engine.begin import perform
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.start import StartSubscription
from billing.stripe_api import charging, client, outbound, outbound_list
from tests.conftest import determined, price_id

REASON = "signed up by phone"


class NeverAsked:
    key = "never"

    def asking(self, method, path, params, api_version):
        raise AssertionError("the intent was written down")

    def answered(self, **_):
        raise AssertionError("an answer was written down")


def test_every_path_that_may_leave_is_classified():
    assert set(outbound_list.ALLOWED["post"]) <= set(charging.CLASSIFIED)


CHARGES = [
    ("/v1/subscriptions", {"customer": "cus_1", "items": []}),
    ("/v1/subscriptions", {"customer": "cus_1", "trial_period_days": 14}),
    ("/v1/subscriptions/sub_1", {"items": []}),
    ("/v1/subscriptions/sub_1", {"cancel_at_period_end": False}),
    ("/v1/subscriptions/sub_1", {"cancel_at_period_end": "true"}),
    ("/v1/subscriptions/sub_1", {"cancel_at_period_end": True, "items": []}),
    ("/v1/subscriptions/sub_1", {"trial_end": "now"}),
    ("/v1/subscriptions/sub_1", {"pause_collection": ""}),
    ("/v1/subscriptions/sub_1", {"cancel_at": ""}),
    ("/v1/subscriptions/sub_1", {"cancel_at": 1_900_000_000, "discounts": ""}),
    ("/v1/subscriptions/sub_1", {"billing_cycle_anchor": "now"}),
    ("/v1/subscriptions/sub_1/resume", {}),
    ("/v1/subscription_items", {"subscription": "sub_1"}),
    ("/v1/subscription_items/si_1", {"quantity": 2}),
    ("/v1/subscription_schedules", {}),
    ("/v1/subscription_schedules/sub_sched_1", {}),
    ("/v1/invoiceitems", {"customer": "cus_1", "amount": 1}),
    ("/v1/invoices", {"customer": "cus_1"}),
    ("/v1/invoices/in_1", {"auto_advance": True}),
    ("/v1/invoices/in_1/finalize", {}),
    ("/v1/invoices/in_1/pay", {}),
    ("/v1/invoices/in_1/send", {}),
    ("/v1/payment_intents", {}),
    ("/v1/payment_intents/pi_1", {"amount": 1}),
    ("/v1/payment_intents/pi_1/confirm", {}),
    ("/v1/payment_intents/pi_1/capture", {}),
    ("/v1/charges", {}),
    ("/v1/checkout/sessions", {"mode": "subscription"}),
    ("/v1/checkout/sessions", {"mode": "setup", "customer": "cus_1", "line_items": []}),
    ("/v1/customers/cus_1/balance_transactions", {"amount": 1, "currency": "usd"}),
    ("/v1/customers/cus_1/balance_transactions", {"amount": "-1", "currency": "usd"}),
    ("/v1/billing_portal/sessions", {"customer": "cus_1"}),
    ("/v1/payment_links", {}),
    ("/v1/credit_notes/cn_1/void", {}),
    ("/v1/customers/cus_1", {"source": "tok_1"}),
    ("/v1/customers/cus_1", {"email": "b@x.example", "source": "tok_1"}),
    ("/v1/customers/cus_1/anything", {}),
    ("/v1/payment_methods/pm_1/attach", {"customer": "cus_1", "confirm": True}),
    ("/v1/a_path_that_nobody_classified", {}),
]
HARMLESS = [
    ("/v1/customers", {"name": "x", "email": "x@x.example", "preferred_locales": ["en"], "metadata": {"office": "1"}}),
    ("/v1/customers/cus_1", {"name": "x", "email": "x@x.example", "address": {}}),
    ("/v1/customers/cus_1", {"invoice_settings": {"default_payment_method": "pm_1"}}),
    ("/v1/payment_methods/pm_1/attach", {"customer": "cus_1"}),
    ("/v1/payment_methods/pm_1/detach", {}),
    ("/v1/setup_intents", {"customer": "cus_1", "usage": "off_session"}),
    ("/v1/checkout/sessions", {"mode": "setup", "customer": "cus_1", "success_url": "https://x.example"}),
    ("/v1/customers/cus_1/balance_transactions", {"amount": -1, "currency": "usd", "metadata": {"operation": "1"}}),
    ("/v1/products", {"name": "x"}),
    ("/v1/products/prod_1", {"name": "x"}),
    ("/v1/prices", {"unit_amount": 1}),
    ("/v1/prices/price_1", {"active": False}),
    ("/v1/coupons", {"percent_off": 10, "duration": "once"}),
    ("/v1/webhook_endpoints", {"url": "https://x.example"}),
    ("/v1/webhook_endpoints/we_1", {"disabled": True}),
    ("/v1/subscriptions/sub_1", {"cancel_at_period_end": True}),
    ("/v1/subscriptions/sub_1", {"cancel_at_period_end": True, "cancellation_details": {}, "expand": ["x"]}),
    ("/v1/subscriptions/sub_1", {"cancel_at": 1_900_000_000, "proration_behavior": "none", "metadata": {}}),
    ("/v1/subscriptions/sub_1", {"pause_collection": {"behavior": "void"}}),
    ("/v1/invoices/create_preview", {"subscription": "sub_1", "subscription_details": {}}),
    ("/v1/invoices/in_1/void", {}),
    ("/v1/invoices/in_1/mark_uncollectible", {}),
    ("/v1/payment_intents/pi_1/cancel", {}),
    ("/v1/checkout/sessions/cs_1/expire", {}),
    ("/v1/refunds", {"charge": "ch_1"}),
    ("/v1/credit_notes", {"invoice": "in_1"}),
]


@pytest.mark.parametrize(("path", "params"), CHARGES)
def test_what_can_charge_is_refused_in_live_mode_and_permitted_by_a_determination(
    live, operator, administrator, path, params
):
    assert charging.can_charge(path, params)
    with pytest.raises(errors.DeterminationMissing, match=r"Compliance, Determinations\. Then another person"):
        charging.checked(path, params)

    determined(operator, administrator)
    assert charging.checked(path, params) is params


@pytest.mark.parametrize(("path", "params"), HARMLESS)
def test_what_cannot_charge_never_waits_for_a_determination(live, path, params):
    assert not charging.can_charge(path, params)
    assert charging.checked(path, params) is params


def test_every_entry_of_the_table_is_tried_here():
    tried = {
        next((pattern for pattern in charging.CLASSIFIED if outbound.matches(path, pattern)), None)
        for path, _ in CHARGES + HARMLESS
    }
    assert tried - {None} == set(charging.CLASSIFIED)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/subscriptions", {"customer": "cus_1"}),
        ("/v1/invoices/in_1/pay", {"off_session": True}),
        ("/v1/subscriptions/sub_1", {"cancel_at_period_end": False}),
    ],
)
def test_the_client_itself_sends_nothing_that_can_charge(live, path, params):
    with pytest.raises(errors.DeterminationMissing):
        client.post(path, params, step=NeverAsked())

    assert live.requests() == []


def test_outside_live_mode_nothing_is_refused(stripe):
    assert charging.checked("/v1/charges", {}) == {}


def test_a_subscription_is_refused_in_live_mode_before_anything_is_sent_or_begun(live, operator, office):
    with pytest.raises(errors.DeterminationMissing, match="no determination is in force"):
        started(office, operator)

    assert live.requests() == []
    assert not Operation.objects.exists()
    refusal = AuditEntry.objects.get(kind="refusal")
    assert (refusal.office, refusal.actor) == (office, operator.user)


@pytest.mark.parametrize("trial_days", [0, 14])
def test_one_that_ended_permits_nothing_and_the_refusal_says_when_it_ended(
    live, operator, administrator, office, trial_days
):
    row = determined(operator, administrator, ends_in_days=-1)

    with pytest.raises(
        errors.DeterminationMissing, match=f"was valid until {row.effective_until.day} {row.effective_until:%B %Y}"
    ):
        started(office, operator, trial_days=trial_days)

    assert live.requests() == []


def test_with_a_determination_an_office_is_subscribed_and_charged_in_live_mode(live, operator, administrator, office):
    determined(operator, administrator)

    assert started(office, operator).subscription_status == "active"
    assert [one["status"] for one in live.listed("charges")] == ["succeeded"]


@pytest.mark.parametrize("at_period_end", [True, False])
def test_cancelling_stays_possible_without_a_determination(stripe, operator, office, settings, at_period_end):
    office = started(office, operator)
    settings.STRIPE_LIVE_MODE = True

    office = perform(CancelSubscription(at_period_end=at_period_end), office, by=operator, reason="closing")

    assert office.cancel_at or office.subscription_status == "canceled"


def test_an_unsettled_charge_is_not_asked_again_once_the_determination_is_withdrawn(
    live, operator, administrator, office
):
    row = determined(operator, administrator)
    live.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    withdrawn_and_due(row, administrator, live)

    assert resume_unsettled() == 1

    operation = Operation.objects.get()
    assert (operation.status, operation.error_code) == ("rejected", "determination_missing")
    assert [one["path"] for one in live.requests("POST")] == ["/v1/payment_methods/pm_card_visa/attach"]
    assert live.listed("subscriptions", status="all") == []
    cancel_is_not_blocked(office, operator)


def test_what_was_begun_and_not_paid_is_ended_once_the_determination_is_withdrawn(
    live, operator, administrator, office
):
    row = determined(operator, administrator)
    live.fail_next("503", path_prefix="/v1/invoices", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    withdrawn_and_due(row, administrator, live)

    resume_unsettled()

    assert Operation.objects.get().status == "rejected"
    assert live.listed("charges") == []
    assert [one["status"] for one in live.listed("subscriptions", status="all")] == ["incomplete_expired"]


def test_what_was_paid_before_the_determination_was_withdrawn_is_found_and_not_paid_again(
    live, operator, administrator, office, monkeypatch
):
    row = determined(operator, administrator)
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.5)
    client._client.cache_clear()
    live.fail_next("timeout_after", path_prefix="/v1/invoices", method="POST", seconds=2)
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    withdrawn_and_due(row, administrator, live)

    resume_unsettled()

    client._client.cache_clear()
    assert Operation.objects.get().status == "succeeded"
    assert Office.objects.get(pk=office.pk).subscription_status == "active"
    assert OperationStep.objects.get(name="pay").asked == 1
    assert len(live.listed("charges")) == 1


def started(office, by, **given):
    given = {"payment_method": "pm_card_visa", **given}
    return perform(StartSubscription(price=price_id("practice-monthly"), **given), office, by=by, reason=REASON)


def withdrawn_and_due(row, by, live):
    withdraw_determination(row, by=by, reason="counsel took it back")
    from billing import clock

    Operation.objects.filter(status="unknown").update(lease_until=clock.wall())
    live.forget_requests()


def cancel_is_not_blocked(office, by):
    with pytest.raises(errors.NoLiveSubscription):
        perform(CancelSubscription(), office, by=by, reason="closing")
