from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Office, Operation, OperationStep, ReceivedEvent
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.payment_link import CreatePaymentLink
from billing.operations.subscriptions.start import StartSubscription
from tests.at_stripe import made, on_each_request
from tests.conftest import a_member, price_id

REASON = "signed up by phone"


def started(office, by, code="practice-monthly", **given):
    given.setdefault("payment_method", "pm_card_visa")
    return perform(StartSubscription(price=price_id(code), **given), office, by=by, reason=REASON)


def test_a_subscribed_office_is_active_and_paid(stripe, operator, office):
    office = started(office, operator)

    assert office.subscription_status == "active"
    assert office.current_plan.code == "practice"
    assert office.currency == "usd"
    assert office.balance_due == 0
    assert office.payment_method_last4 == "4242"
    assert office.current_period_start < office.confirmed_at < office.current_period_end
    assert [one["status"] for one in stripe.listed("subscriptions")] == ["active"]
    invoice = office.invoices.get()
    assert (invoice.status, invoice.total, invoice.amount_paid) == ("paid", 19_900, 19_900)


def test_the_operation_says_who_why_and_how_it_ended(stripe, operator, office):
    started(office, operator)

    operation = Operation.objects.get()
    assert (operation.kind, operation.status) == ("subscribe", "succeeded")
    assert (operation.actor, operation.reason) == (operator.user, REASON)
    steps = OperationStep.objects.values_list("name", "http_status", "asked")
    assert list(steps) == [
        ("customer", 200, 1),
        ("attach", 200, 1),
        ("create", 200, 1),
        ("pay", 200, 1),
        ("default", 200, 1),
    ]
    entry = AuditEntry.objects.filter(office=office, content_type__model="operation").last()
    assert (entry.actor, entry.reason) == (operator.user, REASON)


def test_webhooks_bring_the_payment_and_change_nothing_else(stripe, operator, office):
    before = started(office, operator)

    stripe.deliver_and_apply()

    after = Office.objects.get(pk=office.pk)
    assert after.subscription_status == before.subscription_status == "active"
    assert after.payments.get().status == "succeeded"
    assert after.payments.get().invoice == after.invoices.get()
    assert not ReceivedEvent.objects.exclude(status__in=["applied", "ignored"]).exists()


def test_a_trial_needs_no_card_and_moves_no_money(stripe, operator, office):
    office = started(office, operator, trial_days=14, payment_method="")

    assert office.subscription_status == "trialing"
    assert (office.trial_end - office.current_period_start).days == 14
    assert stripe.listed("charges") == []


def test_seats_multiply_the_price(stripe, operator, office):
    office = started(office, operator, "seats-monthly", quantity=7)

    assert office.quantity == 7
    assert office.invoices.get().total == 7 * 4_900


def test_a_declined_card_leaves_nothing_behind(stripe, operator, office):
    with pytest.raises(errors.CardDeclined, match=r"declined.*another payment method"):
        started(office, operator, payment_method="pm_card_chargeCustomerFail")

    office.refresh_from_db()
    assert not office.has_live_subscription
    assert office.balance_due == 0
    assert not office.has_payment_method
    assert [one["status"] for one in stripe.listed("subscriptions", status="all")] == ["incomplete_expired"]
    assert [one["status"] for one in stripe.listed("invoices")] == ["void"]
    assert stripe.listed("payment_methods") == [] or stripe.listed("payment_methods")[0]["customer"] is None
    assert Operation.objects.get().status == "declined"


def test_after_a_decline_another_card_works(stripe, operator, office):
    with pytest.raises(errors.CardDeclined):
        started(office, operator, payment_method="pm_card_chargeDeclined")

    office = started(Office.objects.get(pk=office.pk), operator)

    assert office.subscription_status == "active"
    assert len(stripe.listed("customers")) == 1


def test_a_second_live_subscription_is_refused_and_on_record(stripe, operator, office):
    started(office, operator)
    stripe.forget_requests()

    with pytest.raises(errors.LiveSubscriptionExists):
        started(office, operator)

    assert stripe.requests() == []
    refusal = AuditEntry.objects.get(kind="refusal")
    assert refusal.office == office
    assert "already has a live subscription" in refusal.what


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"price": "no-such-price"}, errors.PlanUnknown),
        ({"price": "00000000-0000-4000-8000-000000000000"}, errors.PlanUnknown),
        ({"quantity": 2}, errors.QuantityInvalid),
        ({"quantity": 0}, errors.QuantityInvalid),
        ({"trial_days": -1}, errors.QuantityInvalid),
        ({"payment_method": ""}, errors.PaymentMethodRequired),
        ({"reason": " "}, errors.ReasonRequired),
    ],
)
def test_bad_input_is_refused_before_stripe_is_asked(stripe, operator, office, given, error):
    reason = given.pop("reason", REASON)
    asked = {"price": price_id("practice-monthly"), "payment_method": "pm_card_visa", **given}

    with pytest.raises(error):
        perform(StartSubscription(**asked), office, by=operator, reason=reason)

    assert stripe.requests() == []
    assert not Operation.objects.exists()
    assert AuditEntry.objects.filter(kind="refusal", office=office).count() == 1


def test_after_the_old_one_has_ended_another_currency_can_be_chosen(stripe, operator, office):
    """Source: https://docs.stripe.com/invoicing/multi-currency-customers"""
    office = perform(
        CancelSubscription(at_period_end=False), started(office, operator, trial_days=7), by=operator, reason=REASON
    )

    office = started(office, operator, "practice-euro")

    assert (office.currency, office.subscription_status, office.balance_due) == ("eur", "active", 0)
    assert [row.currency for row in office.invoices.filter(total__gt=0)] == ["eur"]


def test_what_still_holds_the_old_currency_at_stripe_refuses_another(stripe, operator, office):
    office = perform(
        CancelSubscription(at_period_end=False), started(office, operator, trial_days=7), by=operator, reason=REASON
    )
    customer = office.payment_provider_customer_id
    stripe.post("invoiceitems", customer=customer, amount=5_000, currency="usd")

    with pytest.raises(errors.StripeRejected, match="invoice item with currency usd"):
        started(office, operator, "practice-euro")

    assert Office.objects.get(pk=office.pk).subscription_status == "canceled"


def test_credit_in_the_old_currency_is_kept_and_shown_as_what_it_is(stripe, operator, office):
    """Stripe takes it off invoices of its own currency only."""
    office = perform(
        CancelSubscription(at_period_end=False), started(office, operator, trial_days=7), by=operator, reason=REASON
    )
    customer = office.payment_provider_customer_id
    stripe.post(f"customers/{customer}/balance_transactions", amount=-3_000, currency="usd")

    office = started(office, operator, "practice-euro")

    assert office.invoices.get(currency="eur").amount_paid == 18_900  # all of it: no credit was taken off
    assert (office.credit, office.credits_in_other_currencies) == (Money(0, "eur"), (Money(3_000, "usd"),))
    assert office.credit_in_words == "no credit; 30.00 USD credit"


@pytest.mark.parametrize("role", ["viewer", "outsider"])
def test_the_wrong_role_is_refused_and_on_record(stripe, office, outsider, role):
    by = outsider if role == "outsider" else actor.person(a_member(office, "viewer"))

    with pytest.raises(errors.NotPermitted):
        started(office, by)

    assert stripe.requests() == []
    assert AuditEntry.objects.get(kind="refusal").actor == by.user


def test_an_auditor_may_look_and_not_touch(stripe, office, auditor):
    with pytest.raises(errors.NotPermitted):
        started(office, auditor)


def test_an_owner_may(stripe, office):
    assert started(office, actor.person(a_member(office, "owner"))).subscription_status == "active"


def test_an_owner_gives_itself_no_trial(stripe, office, owner):
    with pytest.raises(errors.StaffOnly, match="Only the vendor's staff may give a trial"):
        started(office, owner, trial_days=14)
    with pytest.raises(errors.StaffOnly):
        preview(StartSubscription(price=price_id("practice-monthly"), trial_days=14), office, by=owner)

    assert stripe.requests() == []
    assert AuditEntry.objects.get(kind="refusal").actor == owner.user


def test_a_customer_deleted_at_stripe_starts_nothing(stripe, operator, subscribed):
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    stripe.deliver_and_apply()
    stripe.forget_requests()
    office = Office.objects.get(pk=subscribed.pk)

    with pytest.raises(errors.NoCustomer):
        started(office, operator)
    with pytest.raises(errors.NoCustomer):
        preview(StartSubscription(price=price_id("practice-monthly")), office, by=operator)
    with pytest.raises(errors.NoCustomer):
        perform(CreatePaymentLink(price=price_id("practice-monthly")), office, by=operator, reason=REASON)
    assert stripe.requests() == []


@pytest.mark.parametrize("path", ["/v1/customers", "/v1/subscriptions", "/v1/invoices"])
@pytest.mark.parametrize("kind", ["503", "429"])
def test_an_answer_that_never_came_is_unknown_and_settled_by_the_worker(stripe, operator, office, kind, path, as_due):
    stripe.fail_next(kind, path_prefix=path, method="POST")

    with pytest.raises(errors.StripeUnavailable, match="not known yet"):
        started(office, operator)

    assert Operation.objects.get().status == "unknown"
    as_due()
    assert resume_unsettled() == 1
    office.refresh_from_db()
    assert Operation.objects.get().status == "succeeded"
    assert office.subscription_status == "active"
    assert len(stripe.listed("customers")) == 1
    assert len(stripe.listed("subscriptions", status="all")) == 1
    assert len(stripe.listed("charges")) == 1


def test_a_lost_answer_after_the_work_was_done_charges_once(stripe, operator, office, as_due, monkeypatch):
    from billing.stripe_api import client

    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.5)
    client._client.cache_clear()
    stripe.fail_next("timeout_after", path_prefix="/v1/invoices", method="POST", seconds=3)

    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    as_due()
    resume_unsettled()

    client._client.cache_clear()
    assert Office.objects.get(pk=office.pk).subscription_status == "active"
    assert [one["status"] for one in stripe.listed("charges")] == ["succeeded"]
    assert OperationStep.objects.get(name="pay").asked == 2


def failing(stripe, end, kind="503"):
    """Let the next request fail whose address ends like this."""
    left = [end]

    def act(number, method, url):
        if left and url.endswith(left[0]):
            stripe.fail_next(kind, method=method.upper(), path_prefix=url.removeprefix(stripe.url))
            left.pop()

    return act


@pytest.mark.parametrize("lost", [("/pay", "pm_card_visa"), ("/void", "pm_card_chargeCustomerFail")])
def test_what_is_paid_at_stripe_before_it_was_given_up_stays_live(stripe, operator, office, as_due, lost, monkeypatch):
    """The answer of paying is lost, or the card is declined and the answer of voiding is lost."""
    end, card = lost
    on_each_request(monkeypatch, failing(stripe, end))
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator, payment_method=card)
    made(stripe, f"invoices/{stripe.listed('invoices')[0]['id']}/pay", paid_out_of_band="true")

    as_due()
    resume_unsettled()

    assert Operation.objects.get().status == "succeeded"
    assert Office.objects.get(pk=office.pk).subscription_status == "active"
    assert [one["status"] for one in stripe.listed("invoices")] == ["paid"]


def test_what_is_cancelled_at_stripe_before_it_was_given_up_ends_declined(
    stripe, operator, office, as_due, monkeypatch
):
    on_each_request(monkeypatch, failing(stripe, "/void"))
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator, payment_method="pm_card_chargeCustomerFail")
    stripe.delete(f"subscriptions/{stripe.listed('subscriptions', status='all')[0]['id']}")

    as_due()
    resume_unsettled()

    assert Operation.objects.get().status == "declined"
    assert not Office.objects.get(pk=office.pk).has_payment_method


def test_a_replayed_failure_is_looked_for_and_then_abandoned(stripe, operator, office, as_due):
    stripe.fail_next("500_after", path_prefix="/v1/subscriptions", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)

    as_due()
    resume_unsettled()

    assert Operation.objects.get().status == "abandoned"
    assert office.findings.get().kind == "operation_abandoned"
    assert stripe.listed("subscriptions", status="all") == []


def test_after_a_day_a_customer_whose_answer_was_lost_is_found_and_started_with(stripe, operator, office, as_due):
    stripe.fail_next("drop_after", path_prefix="/v1/customers", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    OperationStep.objects.update(first_asked_at=clock.wall() - timedelta(days=1, hours=1))
    stripe.http.delete("/_sandbox/idempotency_keys").raise_for_status()
    as_due()
    resume_unsettled()

    assert Operation.objects.get().status == "abandoned"
    office = started(office, operator)

    [customer] = stripe.listed("customers")
    assert (office.payment_provider_customer_id, office.subscription_status) == (customer["id"], "active")
    assert len(stripe.listed("charges")) == 1


def test_while_one_is_unsettled_another_is_refused_and_names_the_first(stripe, operator, office):
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)

    with pytest.raises(errors.OperationInProgress, match=r"operator@vendor\.example"):
        started(office, operator)


@pytest.mark.usefixtures("commits_are_kept")
def test_a_refused_key_is_told_apart_from_a_refused_card(stripe, operator, office, settings):
    settings.STRIPE_API_KEY = "sk_test_of_somebody_else"

    with pytest.raises(errors.StripeKeyRefused, match="STRIPE_SECRET_KEY"):
        started(office, operator)

    assert Operation.objects.get().status == "rejected"


def test_while_our_rows_cannot_show_what_was_done_nobody_can_charge_again(stripe, operator, office, as_due):
    stripe.fail_next("503", path_prefix="/v1/customers/cus", method="GET")

    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)

    assert Operation.objects.get().status == "unknown"
    with pytest.raises(errors.OperationInProgress):
        started(office, operator)
    as_due()
    resume_unsettled()
    assert Operation.objects.get().status == "succeeded"
    with pytest.raises(errors.LiveSubscriptionExists):
        started(office, operator)
    assert len(stripe.listed("charges")) == 1


def test_a_late_process_does_not_overwrite_what_another_settled(stripe, operator, office):
    from billing.operations.engine.settle import Status, _settle

    started(office, operator)
    late = Operation.objects.get()
    Operation.objects.update(status="succeeded", attempts=2)

    _settle(late, Status.UNKNOWN, errors.StripeUnavailable())

    assert Operation.objects.get().status == "succeeded"


def test_a_defect_in_one_operation_is_kept_and_does_not_stop_the_worker(stripe, operator, office, as_due):
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        started(office, operator)
    Operation.objects.update(request={"unheard": "of"})
    as_due()

    assert resume_unsettled() == 1
    assert Operation.objects.get().error_message == "A defect: TypeError."


@pytest.fixture
def as_due():
    """Unsettled operations are due at once."""

    def make_due():
        from billing import clock

        Operation.objects.filter(status="unknown").update(lease_until=clock.wall())

    return make_due
