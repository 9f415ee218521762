"""Everything at Stripe held against our rows: what had drifted is found, repaired and told."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor, trail
from billing.findings import report
from billing.models import Adjustment, Finding, Invoice, Office, Payment, ReceivedEvent, Reconciliation, Subscription
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.projection import link_customer
from billing.reconciliation import begin, carry_on, end, reconcile, runs, stages
from billing.webhooks import inbox
from tests.at_stripe import scheduled
from tests.conftest import an_office, price, subscribed_office
from tests.equality import differences, read
from tests.operations.test_bank_debits import renewed

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")


@pytest.fixture
def subscribed(stripe, operator, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    stripe.deliver_and_apply()
    stripe.forget_requests()
    return Office.objects.get()


def compared(**how):
    return reconcile(by=BY, reason="a test", **how)


def test_nothing_is_found_and_no_office_is_looked_at_where_nothing_drifted(stripe, subscribed):
    run = compared(everything=True)

    assert "looks" not in run.counts
    assert (run.counts["customers"], run.counts["subscriptions"], run.counts["invoices"]) == (1, 1, 1)
    assert not Finding.objects.exists()


def test_a_page_of_a_hundred_is_one_request(stripe, subscribed):
    compared()

    asked = [one["path"] for one in stripe.requests("GET")]
    assert sorted(asked) == sorted(
        ["/v1/events"] * 2
        + ["/v1/prices", "/v1/customers", "/v1/subscription_schedules", "/v1/subscriptions"]
        + ["/v1/invoices"] * 3
        + ["/v1/charges", "/v1/refunds", "/v1/credit_notes", "/v1/disputes"]
    )


def lost(stripe):
    """What Stripe reported meanwhile never arrives, and it believes that it did."""
    stripe.taken()
    ReceivedEvent.objects.all().delete()


def equal(stripe, office):
    return differences(Office.objects.get(pk=office.pk), read(stripe, office.payment_provider_customer_id))


def test_what_was_changed_and_never_told_is_repaired_and_told_with_both_values(stripe, subscribed):
    (item,) = stripe.listed("subscription_items", subscription=subscribed.payment_provider_subscription_id)
    stripe.post(f"subscription_items/{item['id']}", quantity=5)
    lost(stripe)

    run = compared()

    assert Subscription.objects.get().quantity == 5
    assert run.counts["drifted"] == 1
    found = Finding.objects.get(kind="drift")
    assert "quantity: 3 here, 5 at Stripe" in found.detail
    assert found.severity == "critical"
    assert found.resolved_at is not None
    assert found.resolution.startswith("repaired")
    assert equal(stripe, subscribed) == []


def test_another_card_that_looks_the_same_is_the_default_one_now(stripe, subscribed):
    customer = subscribed.payment_provider_customer_id
    other = stripe.post("payment_methods/pm_card_visa/attach", customer=customer)["id"]
    stripe.post(f"customers/{customer}", **{"invoice_settings[default_payment_method]": other})
    lost(stripe)

    compared()

    assert equal(stripe, subscribed) == []
    found = Finding.objects.get(kind="drift")
    assert "which payment method is the default differed" in found.detail
    assert other not in found.detail


@pytest.mark.parametrize("repairs", [True, False])
def test_a_schedule_that_was_never_told_is_shown_and_told(stripe, subscribed, settings, repairs):
    settings.RECONCILE_REPAIRS = repairs
    schedule = scheduled(stripe, subscribed.payment_provider_customer_id)
    lost(stripe)

    run = compared()

    assert (run.counts["schedules"], run.counts["looks"], run.counts["drifted"]) == (1, 1, 1)
    assert "looks" not in compared().counts
    assert "schedules differed" in Finding.objects.get(kind="drift").detail
    assert Finding.objects.get(kind="schedule").resolved_at is None
    assert equal(stripe, subscribed) == []

    stripe.post(f"subscription_schedules/{schedule['id']}/cancel")
    lost(stripe)
    compared()

    assert Finding.objects.get(kind="schedule").resolved_at is not None
    assert Office.objects.get().coming_schedules is None
    assert equal(stripe, subscribed) == []


def test_a_schedule_that_manages_a_subscription_and_was_never_told_is_shown_and_told(stripe, subscribed):
    own = subscribed.payment_provider_subscription_id
    schedule = stripe.post("subscription_schedules", from_subscription=own)["id"]
    stripe.post(f"subscription_schedules/{schedule}", end_behavior="cancel")
    lost(stripe)

    compared()

    assert Office.objects.get().ends_with_this_period
    found = Finding.objects.get(kind="drift")
    assert "cancel at: nothing here" in found.detail
    assert "schedule differed" in found.detail
    assert Finding.objects.get(kind="schedule").resolved_at is None
    assert equal(stripe, subscribed) == []


def test_a_deleted_customer_is_found_once(stripe, subscribed):
    """Stripe's list goes on showing its subscription, which no look sees any more."""
    stripe.advance(days=3)
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    lost(stripe)
    stripe.advance(days=3)

    compared()
    again = compared()

    assert (Subscription.objects.get().status, "looks" in again.counts) == ("canceled", False)
    assert not Finding.objects.filter(kind="drift", resolved_at=None).exists()


def test_what_nobody_told_of_before_its_customer_was_deleted_is_no_drift(stripe, office):
    card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
    customer = stripe.post("customers", name="A practice", **card)["id"]
    with trail.acting(BY, reason="tests"):
        link_customer(office.pk, customer)
    item = {"items[0][price]": price("practice-monthly").stripe_price_id}
    stripe.post("subscriptions", customer=customer, **item)
    stripe.delete(f"customers/{customer}")
    lost(stripe)

    run = compared()

    assert (Subscription.objects.count(), "left" in run.counts) == (0, False)
    assert not Finding.objects.filter(kind="drift", resolved_at=None).exists()


def test_a_month_that_nobody_told_of_is_repaired(stripe, subscribed, operator):
    stripe.advance(days=32)
    charge = Payment.objects.get().stripe_id
    stripe.post("refunds", charge=charge, amount=1_000)
    stripe.post(f"customers/{subscribed.payment_provider_customer_id}", balance=-500)
    lost(stripe)

    compared()

    assert equal(stripe, subscribed) == []
    assert (Invoice.objects.count(), Payment.objects.count(), Adjustment.objects.count()) == (2, 2, 1)


def test_events_that_stripe_could_not_deliver_are_taken_in_and_worked_off(stripe, subscribed):
    stripe.advance(days=32)
    missed = {one["id"] for one in stripe.listed("events", delivery_success="false")}
    assert missed

    run = compared()

    taken_in = ReceivedEvent.objects.filter(stripe_id__in=missed, status="waiting")
    assert {"customer.subscription.updated", "invoice.paid"} <= set(taken_in.values_list("type", flat=True))
    assert run.counts["events that had not arrived"] == taken_in.count()
    assert Finding.objects.filter(kind="events_missed", resolved_at=None).exists()
    inbox.work_off()
    assert not ReceivedEvent.objects.filter(status="waiting").exists()
    assert equal(stripe, subscribed) == []


def test_what_waits_to_be_looked_at_is_no_drift(stripe, subscribed):
    stripe.advance(days=32)
    stripe.deliver()

    compared()

    assert not Finding.objects.filter(kind="drift").exists()


def test_the_next_comparison_that_misses_no_event_resolves_the_finding(stripe, subscribed):
    stripe.advance(days=32)
    compared()
    stripe.deliver()

    compared()

    assert Finding.objects.get(kind="events_missed").resolved_at is not None


def test_a_deleted_customer_is_absent_and_hence_looked_at(stripe, subscribed):
    stripe.delete(f"customers/{subscribed.payment_provider_customer_id}")
    lost(stripe)

    compared()

    assert Office.objects.get().subscription_status == "canceled"
    assert Finding.objects.filter(kind="customer_deleted", resolved_at=None).exists()


def test_an_open_invoice_that_is_no_longer_open_is_looked_at(stripe, subscribed, operator):
    invoice = perform(
        ChargeOffice(charge="training", amount=5_000, days_until_due=30), subscribed, by=operator, reason="training"
    )
    stripe.post(f"invoices/{invoice.stripe_id}/void")
    lost(stripe)
    stripe.advance(days=60)
    lost(stripe)

    compared()

    assert Invoice.objects.get(pk=invoice.pk).status == "void"


def test_an_office_on_a_test_clock_is_compared_by_itself(stripe, operator):
    clock_id = stripe.post("test_helpers/test_clocks", frozen_time=int(clock.billing().timestamp()))["id"]
    office = an_office("On a clock")
    customer = stripe.post("customers", test_clock=clock_id, **{"metadata[office]": str(office.public_id)})["id"]
    Office.objects.filter(pk=office.pk).update(payment_provider_customer_id=customer, test_clock=clock_id)
    stripe.post(
        "subscriptions",
        customer=customer,
        trial_period_days=14,
        **{"items[0][price]": price("practice-monthly").stripe_price_id},
    )
    lost(stripe)

    compared()

    assert Office.objects.get(pk=office.pk).subscription_status == "trialing"


def test_with_repairs_off_a_difference_waits_for_a_click(stripe, subscribed, settings):
    settings.RECONCILE_REPAIRS = False
    stripe.post(f"customers/{subscribed.payment_provider_customer_id}", balance=-700)
    lost(stripe)

    compared()

    found = Finding.objects.get(kind="drift")
    assert found.resolved_at is None
    assert "credit balance: 0.00 USD here, 7.00 USD at Stripe" in found.detail
    assert Office.objects.get().credit_balance == 0


def test_a_drift_that_is_no_more_is_over_with_the_next_comparison(stripe, subscribed, settings):
    settings.RECONCILE_REPAIRS = False
    customer = subscribed.payment_provider_customer_id
    stripe.post(f"customers/{customer}", balance=-700)
    lost(stripe)
    compared()
    compared()
    assert Finding.objects.get(kind="drift").resolved_at is None

    stripe.post(f"customers/{customer}", balance=0)
    lost(stripe)
    compared()

    assert Finding.objects.get(kind="drift").resolution == "equal when it was compared again"


def test_an_unknown_customer_with_one_of_our_plans_is_told_and_left_alone(stripe):
    customer = stripe.post("customers", name="Cedar Lane Clinic", email="billing@cedar.example")["id"]
    stripe.post(
        "subscriptions",
        customer=customer,
        trial_period_days=14,
        **{"items[0][price]": price("practice-monthly").stripe_price_id},
    )

    compared()

    assert Finding.objects.get(kind="unknown_customer", resolved_at=None).subject == customer
    assert not Office.objects.exists()


def test_a_customer_that_says_it_is_an_office_without_one_is_told(stripe, office):
    stripe.post("customers", **{"metadata[office]": str(office.public_id)})

    compared()

    assert Finding.objects.get(kind="customer_not_linked").office == office
    assert Office.objects.get().payment_provider_customer_id is None


def test_one_that_was_interrupted_goes_on_from_its_page(stripe, subscribed):
    run = begin(by=BY, reason="a test")
    for _ in range(4):
        assert carry_on(run, by=BY)
    stage = run.stage
    stripe.forget_requests()

    again = Reconciliation.objects.get()
    assert again.stage == stage
    while carry_on(again, by=BY) and again.ended_at is None:
        pass

    assert Reconciliation.objects.get().ended_at is not None
    assert "/v1/events" not in {one["path"] for one in stripe.requests()}


def test_two_processes_never_carry_on_one_at_once(stripe, subscribed):
    run = begin(by=BY, reason="a test")
    Reconciliation.objects.update(lease_until=clock.wall() + timedelta(seconds=60))

    assert not carry_on(run, by=BY)
    with pytest.raises(errors.ReconciliationUnderWay):
        begin(by=BY, reason="a test")
    with pytest.raises(errors.ReconciliationUnderWay):
        compared()


def test_when_stripe_does_not_answer_it_stands_where_it_stood(stripe, subscribed):
    run = begin(by=BY, reason="a test")
    stripe.fail_next("500", method="GET", path_prefix="/v1/events")

    with pytest.raises(errors.StripeUnavailable):
        carry_on(run, by=BY)

    assert Reconciliation.objects.get().stage == run.stage
    assert Reconciliation.objects.get().lease_until is None
    assert carry_on(run, by=BY)


def test_where_the_page_before_is_gone_its_stage_begins_anew(stripe, subscribed):
    run = begin(by=BY, reason="a test")
    Reconciliation.objects.update(stage="draft invoices", cursor="in_1Gone000000000")

    assert carry_on(run, by=BY)

    assert (run.stage, run.cursor) == ("draft invoices", "")
    assert carry_on(run, by=BY)
    assert run.stage == "open invoices"


def test_what_is_compared_at_last_was_never_wrong(stripe, subscribed):
    report("not_compared", str(subscribed.public_id), office=subscribed, detail="x", severity="critical")
    stripe.post(f"customers/{subscribed.payment_provider_customer_id}", balance=-700)

    compared()

    assert Finding.objects.get(kind="not_compared").resolved_at is not None


def test_a_person_without_the_role_begins_and_ends_none(stripe, auditor, operator):
    with pytest.raises(errors.NotPermitted):
        begin(by=auditor, reason="to see")
    run = begin(by=operator, reason="to see")
    with pytest.raises(errors.NotPermitted):
        end(run, by=auditor, reason="to see")

    end(run, by=operator, reason="it cannot get on")

    assert Reconciliation.objects.get().ended_at is not None
    assert compared().ended_at is not None


def test_a_page_that_is_too_much_at_once_is_gone_on_with(stripe, subscribed, operator, monkeypatch):
    monkeypatch.setattr(runs, "BUDGET_SECONDS", 0)
    offices = [subscribed, *(an_office(f"Practice {number}") for number in range(2))]
    for office in offices[1:]:
        subscribed_office(office, by=operator)
    for office in Office.objects.all():
        stripe.post(f"customers/{office.payment_provider_customer_id}", balance=-300)
        Invoice.objects.bulk_create([Invoice(**an_invoice_that_is_nowhere(office))])
    lost(stripe)

    run = compared()

    assert run.ended_at is not None
    assert set(Office.objects.values_list("credit_balance", flat=True)) == {300}
    assert not Invoice.objects.filter(status="open", deleted_at=None).exists()


def an_invoice_that_is_nowhere(office):
    amounts = {"subtotal": 1, "total": 1, "amount_paid": 0, "amount_remaining": 1}
    given = {"office": office, "stripe_id": f"in_nowhere{office.pk}", "ticket": 1, "status": "open", "currency": "usd"}
    return given | amounts | {"created_at": clock.wall()}


def test_what_can_still_change_is_asked_for_however_old_it_is(stripe, subscribed, operator):
    invoice = perform(
        ChargeOffice(charge="training", amount=5_000, days_until_due=30), subscribed, by=operator, reason="training"
    )
    stripe.post(f"invoices/{invoice.stripe_id}/mark_uncollectible")
    stripe.deliver_and_apply()
    for _ in range(2):
        stripe.advance(days=20)
    stripe.deliver_and_apply()
    stripe.post(f"invoices/{invoice.stripe_id}/pay", paid_out_of_band="true")
    lost(stripe)

    compared()

    invoice.refresh_from_db()
    assert (invoice.status, invoice.paid_elsewhere) == ("paid", 5_000)


def test_a_backfill_that_was_stopped_is_not_gone_on_with_by_a_machine(stripe, subscribed):
    stopped = begin(by=BY, reason="a test", adopts=True)
    Reconciliation.objects.update(began_at=clock.wall() - timedelta(hours=23))  # over the hour of the night

    assert not runs.begin_or_continue()
    stopped.refresh_from_db()
    assert stopped.ended_at is None
    with pytest.raises(errors.BackfillUnfinished):
        compared()

    Reconciliation.objects.update(began_at=clock.wall() - timedelta(days=2))
    while runs.begin_or_continue():
        pass

    stopped.refresh_from_db()
    assert stopped.ended_at is not None
    assert Finding.objects.filter(kind="backfill_unfinished", resolved_at=None).exists()
    assert Reconciliation.objects.filter(adopts=False, ended_at__isnull=False).exists()


def test_a_fault_of_ours_frees_the_lease_and_is_told(stripe, subscribed, monkeypatch):
    run = begin(by=BY, reason="a test")
    monkeypatch.setitem(stages.STAGES, run.stage, lambda *_: dict[str, str]()["odd"])

    with pytest.raises(KeyError):
        carry_on(run, by=BY)

    stands = Reconciliation.objects.get()
    assert (stands.lease_until, stands.last_error) == (None, "KeyError: 'odd'")


def test_customers_that_went_with_their_test_clock_hold_up_nothing(stripe):
    for number in range(2):
        office = an_office(f"On a clock {number}")
        gone = {"payment_provider_customer_id": f"cus_nowhere{number}", "test_clock": "clock_gone"}
        Office.objects.filter(pk=office.pk).update(**gone)

    assert compared().ended_at is not None

    assert Finding.objects.filter(kind="not_compared", resolved_at=None).count() == 2


def test_what_older_rows_do_not_hold_is_no_drift_and_is_looked_up(stripe, operator, office):
    """As the version before left them: without the return of a debit, and without whose line a line is."""
    renewed(stripe, operator, office, "pm_usBankAccount_insufficientFunds")
    stripe.advance(days=6)
    stripe.deliver_and_apply()
    office = Office.objects.get(pk=office.pk)
    returned_at, lines = Payment.objects.get(status="failed").returned_at, Invoice.objects.get(status="open").lines
    Payment.objects.update(returned_at=None)
    for row in Invoice.objects.all():
        row.lines = [{name: one for name, one in line.items() if name != "of_subscription"} for line in row.lines]
        row.save(update_fields=["lines"])

    run = compared(everything=True)

    assert not Finding.objects.exists()
    assert (run.counts["looks"], "drifted" in run.counts) == (1, False)
    assert Payment.objects.get(status="failed").returned_at == returned_at
    assert Invoice.objects.get(status="open").lines == lines
    assert Office.objects.get(pk=office.pk).past_due_since == returned_at
    assert equal(stripe, office) == []
