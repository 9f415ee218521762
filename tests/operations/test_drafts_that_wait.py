"""Drafts that Stripe does not finalise by itself: a person is told of them, and can pay them.

Source: https://docs.stripe.com/billing/subscriptions/overview#unpaid-subscriptions and
https://docs.stripe.com/billing/subscriptions/pause-payment
"""

import pytest

from billing import errors, zones
from billing.matters import close_what_is_over
from billing.models import Finding, Invoice, Office
from billing.operations.engine.begin import perform
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from tests.at_stripe import LOST, made, settled_after
from tests.operations.test_charges import credit

REASON = "agreed by phone"


def now(office):
    return Office.objects.get(pk=office.pk)


def drafts(office):
    return list(Invoice.objects.filter(office=office, status="draft").order_by("created_at"))


def told():
    return Finding.objects.filter(kind="drafts_wait", resolved_at=None)


@pytest.fixture
def unpaid(stripe, subscribed):
    """Its renewal failed for good, two more periods passed, and then it has a card that pays."""
    customer = subscribed.payment_provider_customer_id
    stripe.control("settings", retries_exhausted="unpaid", retry_days=[1])
    bad = made(stripe, "payment_methods/pm_card_chargeCustomerFail/attach", customer=customer)["id"]
    made(stripe, f"customers/{customer}", **{"invoice_settings[default_payment_method]": bad})
    for subscription in stripe.listed("subscriptions"):
        made(stripe, f"subscriptions/{subscription['id']}", default_payment_method=bad)
    for _ in range(3):
        stripe.advance(days=33)
        stripe.deliver_and_apply()
    good = made(stripe, "payment_methods/pm_card_visa/attach", customer=customer)["id"]
    made(stripe, f"customers/{customer}", **{"invoice_settings[default_payment_method]": good})
    made(stripe, f"subscriptions/{subscribed.payment_provider_subscription_id}", default_payment_method=good)
    stripe.deliver_and_apply()
    assert now(subscribed).subscription_status == "unpaid"
    return now(subscribed)


def test_to_pay_the_old_debt_does_not_bring_it_back_and_a_finding_says_what_does(stripe, operator, unpaid):
    perform(PayInvoice(), Invoice.objects.get(status="open"), by=operator, reason=REASON)

    office = now(unpaid)
    assert (office.subscription_status, office.balance_due) == ("unpaid", 0)
    [older, newest] = drafts(office)
    detail = told().get().detail
    first, last = (zones.day(one.created_at, office.time_zone) for one in (older, newest))
    assert f"Only paying the newest one does: 199.00 USD of {last}. Open it under" in detail
    assert detail.endswith(f"Drafts that wait: 199.00 USD of {first}, 199.00 USD of {last}.")


def test_to_pay_the_newest_draft_brings_it_back_and_what_is_left_is_still_told(stripe, operator, unpaid):
    [older, newest] = drafts(unpaid)

    paid = perform(PayInvoice(), newest, by=operator, reason=REASON)

    assert (paid.status, paid.amount_paid, now(unpaid).subscription_status) == ("paid", 19_900, "active")
    assert "Stripe neither finalises nor charges these drafts by itself" in told().get().detail
    assert perform(PayInvoice(), older, by=operator, reason=REASON).status == "paid"
    close_what_is_over()
    assert not told().exists()


def test_a_declined_card_leaves_it_open_and_it_can_be_paid_later(stripe, operator, unpaid):
    newest = drafts(unpaid)[-1]
    stripe.control("charges", outcome="decline", code="insufficient_funds")

    with pytest.raises(errors.CardDeclined):
        perform(PayInvoice(), newest, by=operator, reason=REASON)

    newest.refresh_from_db()
    assert (newest.status, now(unpaid).subscription_status) == ("open", "unpaid")
    day = zones.day(newest.created_at, unpaid.time_zone)
    assert f"Only paying the newest one does: 199.00 USD of {day}." in told().get().detail
    assert perform(PayInvoice(), newest, by=operator, reason=REASON).status == "paid"
    assert now(unpaid).subscription_status == "active"


def test_what_credit_pays_is_charged_to_no_card(stripe, operator, unpaid):
    credit(stripe, unpaid, 90_000)
    charges = len(stripe.listed("charges"))

    paid = perform(PayInvoice(), drafts(unpaid)[-1], by=operator, reason=REASON)

    assert (paid.status, paid.amount_paid, len(stripe.listed("charges"))) == ("paid", 0, charges)
    assert now(unpaid).subscription_status == "active"


def test_one_that_somebody_finalised_meanwhile_is_paid(stripe, operator, unpaid):
    newest = drafts(unpaid)[-1]
    made(stripe, f"invoices/{newest.stripe_id}/finalize")

    assert perform(PayInvoice(), newest, by=operator, reason=REASON).status == "paid"


@pytest.mark.parametrize("step", ["finalize", "pay"])
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_pays_once_or_not_at_all(stripe, operator, unpaid, kind, step):
    newest, before = drafts(unpaid)[-1], [one["status"] for one in stripe.listed("charges")].count("succeeded")

    operation = settled_after(
        stripe,
        kind,
        lambda: perform(PayInvoice(), newest, by=operator, reason=REASON),
        f"/v1/invoices/{newest.stripe_id}/{step}",
    )

    newest.refresh_from_db()
    paid = [one["status"] for one in stripe.listed("charges")].count("succeeded") - before
    done = kind != "500_after"
    left = {"finalize": "draft", "pay": "open"}[step]
    assert (operation.status, newest.status, paid) == (("succeeded", "paid", 1) if done else ("abandoned", left, 0))


def test_drafts_of_a_pause_are_told_when_it_is_over_and_not_before(stripe, operator, subscribed):
    perform(PauseCollection(invoices_become="keep_as_draft"), subscribed, by=operator, reason=REASON)
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    assert len(drafts(subscribed)) == 1
    assert not told().exists()

    perform(ResumeCollection(), now(subscribed), by=operator, reason=REASON)

    assert "collection was paused" in told().get().detail
    perform(PayInvoice(), drafts(subscribed)[0], by=operator, reason=REASON)
    close_what_is_over()
    assert not told().exists()


@pytest.mark.parametrize("act", [VoidInvoice, MarkUncollectible, RetryInvoice, SendInvoice])
def test_nothing_else_is_done_to_it_and_the_refusal_says_what_can_be(stripe, operator, unpaid, act):
    stripe.forget_requests()
    with pytest.raises(errors.InvoiceDraft, match="Stripe does not finalise it by itself: pay it, or leave it"):
        perform(act(), drafts(unpaid)[-1], by=operator, reason=REASON)
    assert stripe.requests("POST") == []


def test_a_draft_that_stripe_finalises_by_itself_is_not_paid_here(stripe, operator, subscribed):
    stripe.control("clock", now=int(subscribed.current_period_end.timestamp()) + 60)
    stripe.deliver_and_apply()
    [draft] = drafts(subscribed)

    with pytest.raises(errors.InvoiceDraft, match="Wait until Stripe finalises it"):
        perform(PayInvoice(), draft, by=operator, reason=REASON)
    assert not told().exists()
