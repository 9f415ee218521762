"""A bank warns early of fraud: a person is told in time to prevent the dispute, and only as long as that is possible.

What is right is from https://docs.stripe.com/disputes/measuring#early-fraud-warnings: only a refund in whole prevents
the dispute, and a warning is actionable until then, or until the dispute comes.
"""

from zoneinfo import ZoneInfo

import pytest

from billing.matters import close_what_is_over
from billing.models import Finding, Payment
from billing.money import Money
from billing.reconciliation import decisions
from billing.webhooks import inbox
from tests.conftest import post_delivery, subscribed_office
from tests.test_adjustments import at_stripe


@pytest.fixture
def payment(stripe, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    return Payment.objects.get()


def warn(stripe, payment):
    stripe.control(f"charges/{payment.stripe_id}/fraud_warning", fraud_type="made_with_stolen_card")
    stripe.deliver_and_apply()


def told():
    return Finding.objects.filter(kind="fraud_warning", resolved_at=None)


def test_a_warning_is_told_with_the_payment_its_money_and_what_to_do(stripe, payment):
    warn(stripe, payment)

    found = told().get()
    assert (found.office, found.severity, found.subject) == (payment.office, "critical", str(payment.public_id))
    assert payment.money == Money(19_900, "usd")
    day = payment.created_at.astimezone(ZoneInfo("America/New_York"))
    assert f"{payment.money} on {day.day} {day:%B %Y} (America/New_York) may be fraud" in found.detail
    assert "refund all of it now" in found.detail
    assert "stolen" not in found.detail
    assert "ch_" not in found.detail


def test_the_test_card_that_is_warned_of_leads_to_it_too(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_createIssuerFraudRecord")
    stripe.deliver_and_apply()

    assert told().get().subject == str(Payment.objects.get().public_id)


def test_a_payment_that_is_not_known_yet_is_fetched(stripe, payment):
    stripe.advance(days=32)
    unseen = stripe.listed("charges")[0]["id"]
    assert not Payment.objects.filter(stripe_id=unseen).exists()
    stripe.taken()
    stripe.control(f"charges/{unseen}/fraud_warning")
    stripe.deliver_and_apply()

    assert told().get().subject == str(Payment.objects.get(stripe_id=unseen).public_id)


def test_a_refund_in_whole_ends_it_and_one_of_a_part_does_not(stripe, payment):
    warn(stripe, payment)
    at_stripe(stripe, "refunds", charge=payment.stripe_id, amount=900)
    stripe.deliver_and_apply()
    assert told().exists()

    at_stripe(stripe, "refunds", charge=payment.stripe_id)
    stripe.deliver_and_apply()

    assert not told().exists()
    assert Finding.objects.get().resolution == "the payment was refunded in whole, or is disputed"


def test_a_warning_after_a_refund_of_a_part_says_what_went_back(stripe, payment):
    at_stripe(stripe, "refunds", charge=payment.stripe_id, amount=900)
    warn(stripe, payment)

    assert f"{Money(19_900, 'usd')}, of which {Money(900, 'usd')} went back," in told().get().detail


def test_a_dispute_ends_it(stripe, payment):
    warn(stripe, payment)
    stripe.control(f"charges/{payment.stripe_id}/dispute")
    stripe.deliver_and_apply()

    assert not told().exists()
    assert Finding.objects.get(resolved_at=None).kind == "dispute"


def test_without_stripes_word_about_the_warning_our_own_rows_end_it(stripe, payment):
    warn(stripe, payment)
    at_stripe(stripe, "refunds", charge=payment.stripe_id)
    for one in stripe.taken():
        if not one["type"].startswith("radar."):
            post_delivery(one)
    inbox.work_off()
    assert told().exists()

    close_what_is_over()

    assert not told().exists()


@pytest.mark.parametrize("before", ["refunds", "dispute"])
def test_a_warning_that_comes_too_late_is_not_told(stripe, payment, before):
    if before == "refunds":
        at_stripe(stripe, "refunds", charge=payment.stripe_id)
    else:
        stripe.control(f"charges/{payment.stripe_id}/dispute")
    warn(stripe, payment)

    assert not told().exists()


def test_what_a_person_closed_stays_closed(stripe, payment, operator):
    warn(stripe, payment)
    decisions.close(told().get(), by=operator, reason="the Office says that it paid")

    warn(stripe, payment)

    assert not told().exists()


def test_a_refund_that_did_not_arrive_tells_it_again(stripe, operator, office):
    subscribed_office(office, by=operator, card="pm_card_refundFail")
    stripe.deliver_and_apply()
    payment = Payment.objects.get()
    warn(stripe, payment)
    refund = at_stripe(stripe, "refunds", charge=payment.stripe_id)
    stripe.deliver_and_apply()
    assert not told().exists()

    stripe.control(f"refunds/{refund['id']}/settle")
    stripe.deliver_and_apply()

    assert told().exists()
