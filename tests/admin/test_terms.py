"""The pages on which staff agree terms with an Office, and start its subscription by a link or after a preview."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from billing import clock
from billing.models import AuditEntry, Office, Operation
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.trial import MoveTrialEnd
from tests.admin.test_offices import page, signed_in
from tests.at_stripe import a_coupon
from tests.conftest import price, subscribed_office

WHY = {"why": "agreed"}


@pytest.fixture
def on_trial(stripe, operator, office):
    return subscribed_office(office, by=operator, trial_days=14)


def sent(by, name, office, **form):
    return signed_in(by.user).post(page(name, office), {**WHY, **form}, follow=True)


def in_second_step(answer):
    """What the page of a second step sends beside the form."""
    names = ("confirmed", "as_of", "seen")
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', answer.content.decode()) for name in names}
    return {name: html.unescape(value[1]) for name, value in found.items() if value}


def confirmed(by, name, office, **form):
    """The page of the second step, and what came of it once it was confirmed."""
    seen = sent(by, name, office, **form)
    return seen.content.decode(), sent(by, name, office, **form, **in_second_step(seen)).content.decode()


def twice(by, name, office, between, **form):
    """What came of a second confirmation of the same preview, after ``between`` made room for it."""
    step = in_second_step(sent(by, name, office, **form))
    first = sent(by, name, office, **form, **step).content.decode()
    assert ": done" in first
    between()
    return sent(by, name, office, **form, **step).content.decode()


def fresh(office):
    return Office.objects.get(pk=office.pk)


def midnight_in_new_york(days):
    """The day that many days from now, and the moment at which it is over there, in UTC (the zone is -4 or -5)."""
    day = (clock.billing() + timedelta(days=days)).date()
    return day, datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)


def test_a_start_is_confirmed_once(stripe, operator, office):
    form = {"price": str(price("seats-monthly").public_id), "quantity": "3", "trial_days": "0"}

    def cancelled():
        perform(CancelSubscription(at_period_end=False), fresh(office), by=operator, reason="closing")

    again = twice(operator, "subscribe/", office, cancelled, **form, payment_method="pm_card_visa")

    assert "something has changed since" in again
    assert len(stripe.listed("invoices")) == 1


def test_an_end_of_a_trial_is_confirmed_once(stripe, operator, on_trial):
    day = (clock.billing() + timedelta(days=5)).date()

    def moved():
        perform(MoveTrialEnd(at=clock.billing() + timedelta(days=8)), fresh(on_trial), by=operator, reason="agreed")

    again = twice(operator, "move-trial-end/", on_trial, moved, when="date", last_day=day.isoformat())

    assert "something has changed since" in again
    assert Operation.objects.filter(kind="move_trial_end").count() == 2


def test_the_first_invoice_is_shown_before_a_subscription_starts(stripe, operator, office):
    form = {"price": str(price("seats-monthly").public_id), "quantity": "3", "trial_days": "0"}
    form["payment_method"] = "pm_card_visa"

    seen, done = confirmed(operator, "subscribe/", office, **form)

    assert "Confirm and charge 147.00 USD" in seen
    assert "Team, 3 seats" in seen
    assert "Start a subscription: done" in done
    assert stripe.listed("invoices")[0]["amount_paid"] == 14_700


def test_with_a_trial_the_page_says_that_nothing_is_charged_now(stripe, operator, office):
    form = {"price": str(price("practice-monthly").public_id), "quantity": "1", "trial_days": "14"}
    seen = sent(operator, "subscribe/", office, **form).content.decode()

    assert "Nothing is charged now or during the 14 days of the trial" in seen
    assert "199.00 USD" in seen
    assert "Confirm and charge" not in seen


def test_a_payment_link_is_shown_once_and_in_no_session(stripe, operator, office):
    form = {"price": str(price("practice-monthly").public_id), "quantity": "1", "trial_days": "0"}
    client = signed_in(operator.user)

    answer = client.post(page("payment-link/", office), {**WHY, **form})

    address = f"{stripe.url}/pay/"
    assert address in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert address not in str(dict(client.session)) + str(client.cookies)
    assert "Withdraw the payment link" in client.get(page("change/", office)).content.decode()
    assert "done" in sent(operator, "withdraw-link/", office).content.decode()
    assert [one["status"] for one in stripe.listed("checkout/sessions")] == ["expired"]


def test_another_interval_is_said_clearly_before_it_is_confirmed(stripe, operator, subscribed):
    form = {"price": str(price("practice-yearly").public_id), "quantity": "1", "settle": "now"}
    seen = sent(operator, "change-plan/", subscribed, **form).content.decode()

    assert "It is charged once a year instead of once a month: a whole year begins now." in seen


def test_a_price_that_an_office_cannot_have_is_refused_with_the_reason(stripe, operator, subscribed):
    form = {"price": str(price("practice-euro").public_id), "quantity": "1", "settle": "now"}
    seen = sent(operator, "change-plan/", subscribed, **form).content.decode()

    assert "it is not in the currency of the Office. Choose one from the list." in seen
    assert "Select a valid choice" not in seen
    assert f'value="{form["price"]}"' not in seen
    assert not Operation.objects.filter(kind="change_subscription").exists()


def test_a_subscription_ends_after_a_day_at_the_office(stripe, operator, subscribed):
    day, utc = midnight_in_new_york(50)
    shown = sent(operator, "cancel/", subscribed, when="date").content.decode()
    assert "Choose the day." in shown

    confirmed(operator, "cancel/", subscribed, when="date", last_day=day.isoformat())

    assert fresh(subscribed).cancel_at - utc in (timedelta(hours=4), timedelta(hours=5))


def test_a_cancellation_is_taken_back_and_offered_only_where_there_is_one(stripe, operator, subscribed):
    offered = "Take the cancellation back"
    assert offered not in sent(operator, "change/", subscribed).content.decode()
    perform(CancelSubscription(), subscribed, by=operator, reason="closing")
    assert offered in signed_in(operator.user).get(page("change/", subscribed)).content.decode()

    sent(operator, "resume-renewal/", subscribed)

    assert fresh(subscribed).cancel_at is None
    assert "not set to end" in sent(operator, "resume-renewal/", subscribed).content.decode()


def test_a_trial_is_extended_to_the_end_of_a_day_and_ended_now(stripe, operator, on_trial):
    day, utc = midnight_in_new_york(30)
    seen, done = confirmed(operator, "move-trial-end/", on_trial, when="date", last_day=day.isoformat())
    assert "199.00 USD" in seen
    assert "Extend or end the trial: done" in done
    assert fresh(on_trial).trial_end - utc in (timedelta(hours=4), timedelta(hours=5))

    seen, done = confirmed(operator, "move-trial-end/", on_trial, when="now")
    assert "Confirm and charge 199.00 USD" in seen
    assert fresh(on_trial).subscription_status == "active"


def test_a_period_begins_today_after_a_preview(stripe, operator, subscribed):
    seen, done = confirmed(operator, "restart-period/", subscribed, credit="not_at_all")

    assert "Confirm and charge 199.00 USD" in seen
    assert "Begin the period today: done" in done
    assert len(stripe.listed("charges")) == 2


def test_collection_is_paused_from_a_day_seen_on_the_office_and_resumed(stripe, operator, subscribed):
    day, _ = midnight_in_new_york(40)
    confirmed(operator, "pause-collection/", subscribed, invoices_become="void", from_day=day.isoformat())

    shown = signed_in(operator.user).get(page("change/", subscribed)).content.decode()
    again = f"paused, collected again from {day.day} {day:%B %Y} (America/New_York)"
    assert f"{again}: new invoices are void, and never charged" in shown
    assert "active, not collected" in shown
    sent(operator, "resume-collection/", subscribed)
    assert fresh(subscribed).collection_paused == ""


def test_a_discount_is_given_after_a_preview_seen_on_the_office_and_removed(stripe, operator, subscribed):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    assert "no coupon or promotion code" in sent(operator, "apply-discount/", subscribed, code="NONE").content.decode()

    seen, _ = confirmed(operator, "apply-discount/", subscribed, code="FIFTH")
    assert "Discount: 20 % off, without an end." in seen
    assert "159.20 USD" in seen
    assert "20 % off, without an end" in signed_in(operator.user).get(page("change/", subscribed)).content.decode()

    seen, _ = confirmed(operator, "remove-discount/", subscribed)
    assert "199.00 USD" in seen
    assert fresh(subscribed).current_subscription.discount == ""


@pytest.mark.parametrize(
    "name",
    "payment-link withdraw-link resume-renewal move-trial-end restart-period pause-collection resume-collection "
    "apply-discount remove-discount".split(),
)
def test_an_auditor_may_do_none_of_it(stripe, auditor, office, name):
    client = signed_in(auditor.user)

    assert client.get(page(f"{name}/", office)).status_code == 403
    assert client.post(page(f"{name}/", office), WHY).status_code == 403


def test_a_time_zone_that_does_not_exist_is_told(stripe, operator, subscribed):
    Office.objects.filter(pk=subscribed.pk).update(time_zone="Mars/Olympus")

    shown = sent(operator, "cancel/", subscribed, when="date", last_day="2090-01-01").content.decode()

    assert "does not exist" in shown
    assert not Operation.objects.filter(kind="cancel_on_date").exists()


def test_where_stripe_is_away_at_a_preview_the_form_stays_with_its_input(stripe, operator, subscribed):
    stripe.fail_next("503", method="POST", path_prefix="/v1/invoices/create_preview")
    client = signed_in(operator.user)
    page = f"/admin/billing/office/{subscribed.pk}/restart-period/"
    answer = client.post(page, {"credit": "not_at_all", "why": "other", "note": "as we said on the phone"})

    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Nothing was changed: try again" in shown
    assert "in the background" not in shown
    assert "as we said on the phone" in shown
    assert not Operation.objects.filter(kind="restart_period").exists()


def test_a_discount_for_which_no_invoice_comes_is_refused_at_its_preview_and_not_tried(stripe, operator, subscribed):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    ending = perform(CancelSubscription(), subscribed, by=operator, reason="closing")

    assert (
        "This subscription ends before its next invoice"
        in sent(operator, "apply-discount/", ending, code="FIFTH").content.decode()
    )
    assert not AuditEntry.objects.filter(kind="refusal").exists()


def test_a_discount_is_removed_at_once_where_no_invoice_comes_that_could_be_shown(stripe, operator, subscribed):
    a_coupon(stripe, "FIFTH", percent_off=20, duration="forever")
    perform(ApplyDiscount(code="FIFTH"), subscribed, by=operator, reason="agreed")
    ending = perform(CancelSubscription(), subscribed, by=operator, reason="closing")
    sent(operator, "remove-discount/", ending)

    assert Operation.objects.get(kind="remove_discount").status == "succeeded"
