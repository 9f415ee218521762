"""What others scheduled at Stripe: no start and no archiving beside it, and no change of what a schedule manages."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.models import AuditEntry, Finding, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import OnSubscription, Previewed
from billing.operations.engine.previews import preview
from billing.operations.engine.registry import REGISTRY
from billing.operations.offices.archive import ArchiveOffice
from billing.operations.offices.customer import EnsureCustomer
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.payment_link import CreatePaymentLink
from billing.operations.subscriptions.start import StartSubscription
from tests.at_stripe import made, on_each_request, scheduled
from tests.conftest import price, price_id
from tests.operations.test_permissions import MAY

REASON = "agreed by phone"
MANAGED = [one for one in REGISTRY.values() if issubclass(one, OnSubscription)]
TOO_MANY = 12
"""More than the requests that a start makes before it begins a subscription."""


def a_start():
    return StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa")


def a_link():
    return CreatePaymentLink(price=price_id("practice-monthly"))


def fresh(office):
    return Office.objects.get(pk=office.pk)


@pytest.fixture
def customer(stripe, operator, office):
    """The customer of an Office, with a card that pays."""
    found = perform(EnsureCustomer(), office, by=operator, reason=REASON).payment_provider_customer_id
    card = stripe.post("payment_methods/pm_card_visa/attach", customer=found)["id"]
    stripe.post(f"customers/{found}", **{"invoice_settings[default_payment_method]": card})
    stripe.deliver_and_apply()
    return found


@pytest.fixture
def managed(stripe, subscribed):
    """A subscription that a schedule manages, which our rows show."""
    schedule = made(stripe, "subscription_schedules", from_subscription=subscribed.payment_provider_subscription_id)
    stripe.deliver_and_apply()
    stripe.forget_requests()
    return schedule


# --- a schedule that has not started


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
@pytest.mark.parametrize("asked", [a_start, a_link])
def test_beside_a_schedule_nothing_else_starts(stripe, operator, office, customer, asked, told):
    scheduled(stripe, customer)
    if told:
        stripe.deliver_and_apply()
    stripe.forget_requests()

    with pytest.raises(errors.ScheduleStarts, match=r"starts a subscription on .*, with Practice at .*dashboard"):
        perform(asked(), fresh(office), by=operator, reason=REASON)

    assert stripe.requests("POST") == []
    assert len(fresh(office).coming_schedules) == 1
    begun = Operation.objects.exclude(kind="ensure_customer").values_list("status", "error_code")
    assert list(begun) == ([] if told else [("rejected", "schedule_starts")])
    assert AuditEntry.objects.filter(kind="refusal").count() == (1 if told else 0)
    assert stripe.listed("subscriptions", status="all") == []


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_no_preview_of_a_start_is_shown_beside_a_schedule(stripe, operator, office, customer, told):
    scheduled(stripe, customer)
    if told:
        stripe.deliver_and_apply()

    with pytest.raises(errors.ScheduleStarts):
        preview(a_start(), fresh(office), by=operator)


@pytest.mark.parametrize("boundary", range(TOO_MANY))
def test_a_schedule_that_starts_meanwhile_leaves_one_subscription(
    stripe, operator, office, customer, monkeypatch, boundary
):
    """Its day comes before each of our requests in turn. Whatever the moment, no second subscription begins."""
    scheduled(stripe, customer, days=1)

    def its_day_comes(number, method, url):
        if number == boundary:
            stripe.advance(days=2)

    on_each_request(monkeypatch, its_day_comes)
    with pytest.raises((errors.ScheduleStarts, errors.LiveSubscriptionExists)):
        perform(a_start(), fresh(office), by=operator, reason=REASON)

    assert len(stripe.listed("subscriptions", status="all")) <= 1
    assert not any(one["path"] == "/v1/subscriptions" for one in stripe.requests("POST"))


def test_once_the_schedule_is_canceled_a_subscription_starts(stripe, operator, office, customer):
    schedule = scheduled(stripe, customer)
    stripe.deliver_and_apply()
    stripe.post(f"subscription_schedules/{schedule['id']}/cancel")
    stripe.deliver_and_apply()

    assert perform(a_start(), fresh(office), by=operator, reason=REASON).subscription_status == "active"


def test_an_office_with_a_schedule_is_not_archived(stripe, operator, office, customer):
    schedule = scheduled(stripe, customer)
    stripe.deliver_and_apply()

    with pytest.raises(errors.StillBilled, match=r"starts a subscription on .*Cancel the schedule"):
        perform(ArchiveOffice(), fresh(office), by=operator, reason=REASON)

    stripe.post(f"subscription_schedules/{schedule['id']}/cancel")
    stripe.deliver_and_apply()
    assert perform(ArchiveOffice(), fresh(office), by=operator, reason=REASON).archived_at


def test_a_schedule_of_an_archived_office_is_told_as_critical_before_it_is_billed(stripe, operator, office, customer):
    perform(ArchiveOffice(), fresh(office), by=operator, reason=REASON)
    scheduled(stripe, customer)
    stripe.deliver_and_apply()

    found = Finding.objects.get(resolved_at=None)
    assert (found.kind, found.severity) == ("schedule", "critical")
    assert "The Office is archived." in found.detail


def test_a_schedule_that_a_person_accepted_is_told_again_beside_another_subscription(
    stripe, operator, office, customer
):
    """Accepted was that it starts the only one. What is told is critical then: two would be charged."""
    scheduled(stripe, customer)
    stripe.deliver_and_apply()
    [accepted] = Finding.objects.all()
    accepted.decision_holds, accepted.resolved_at = True, clock.wall()
    accepted.save()
    stripe.advance(hours=1)
    stripe.deliver_and_apply()
    assert not Finding.objects.filter(resolved_at=None).exists()

    made(stripe, "subscriptions", customer=customer, **{"items[0][price]": price("seats-monthly").stripe_price_id})
    stripe.deliver_and_apply()

    assert Finding.objects.get(kind="schedule", resolved_at=None).severity == "critical"


# --- a schedule that manages a subscription


@pytest.mark.parametrize("declared", MANAGED, ids=str)
def test_what_a_schedule_manages_is_not_changed_here(stripe, operator, subscribed, managed, declared):
    """Stripe refuses another end of it, and a change would last until the next phase. It is not asked at all."""
    office, request = fresh(subscribed), declared(**MAY[declared][1])
    act = [lambda: perform(request, office, by=operator, reason=REASON)]
    if isinstance(request, Previewed):
        act.append(lambda: preview(request, office, by=operator))

    for one in act:
        with pytest.raises(errors.ManagedBySchedule, match="Release the schedule in Stripe's dashboard"):
            one()

    assert stripe.requests() == []
    assert not Operation.objects.filter(kind=declared.kind).exists()


def test_there_are_operations_that_a_schedule_forbids():
    assert len(MANAGED) == 11


def test_what_a_schedule_manages_can_be_canceled_at_once(stripe, operator, subscribed, managed):
    office = perform(CancelSubscription(at_period_end=False), fresh(subscribed), by=operator, reason=REASON)

    assert office.subscription_status == "canceled"
    assert stripe.listed("subscription_schedules")[0]["status"] == "canceled"
    assert not Finding.objects.filter(kind="schedule", resolved_at=None).exists()


def test_once_it_is_released_it_can_be_changed(stripe, operator, subscribed, managed):
    stripe.post(f"subscription_schedules/{managed['id']}/release")
    stripe.deliver_and_apply()

    office = perform(CancelSubscription(), fresh(subscribed), by=operator, reason=REASON)

    assert office.ends_with_this_period


def test_what_ends_with_its_schedule_is_already_canceled_at_its_period_end(stripe, operator, subscribed, managed):
    stripe.post(f"subscription_schedules/{managed['id']}", end_behavior="cancel")
    stripe.deliver_and_apply()

    office = perform(CancelSubscription(), fresh(subscribed), by=operator, reason=REASON)

    assert office.ends_with_this_period
    assert not Operation.objects.filter(kind=CancelSubscription.kind).exists()


def test_a_schedule_that_nobody_told_us_of_is_stripes_refusal(stripe, operator, subscribed):
    """Its words, without the id. Nothing was changed."""
    made(stripe, "subscription_schedules", from_subscription=subscribed.payment_provider_subscription_id)

    with pytest.raises(errors.StripeRejected, match=r"subscription schedule `sub_sched_….{4}`.*update the schedule"):
        perform(CancelSubscription(), fresh(subscribed), by=operator, reason=REASON)

    assert Operation.objects.get(kind=CancelSubscription.kind).status == "rejected"


def test_a_phase_that_passed_is_told_no_more(stripe, operator, subscribed, managed):
    phase = managed["phases"][0]
    terms = {
        "phases[0][start_date]": phase["start_date"],
        "phases[0][end_date]": phase["end_date"],
        "phases[0][items][0][price]": phase["items"][0]["price"],
        "phases[1][items][0][price]": phase["items"][0]["price"],
        "phases[1][items][0][quantity]": 2,
        "phases[1][duration][interval]": "month",
    }
    stripe.post(f"subscription_schedules/{managed['id']}", **terms)
    stripe.deliver_and_apply()
    assert "it changes to Practice × 2" in Finding.objects.get(kind="schedule", resolved_at=None).detail

    stripe.advance(seconds=int(timedelta(days=33).total_seconds()))
    stripe.deliver_and_apply()

    told = Finding.objects.get(kind="schedule", resolved_at=None)
    assert "changes nothing any more" in told.detail
    assert told.severity == "notice"
