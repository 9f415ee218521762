"""What ends service, or gives up paid time or money, says so in a second step before it is done."""

from datetime import timedelta

import pytest

from billing import clock
from billing.access import grants
from billing.audit import trail
from billing.models import Invoice, Membership, Office, Operation, Payment, PaymentMethod
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.trial import RestartPeriod
from tests.admin.test_offices import page, signed_in
from tests.admin.test_terms import WHY, confirmed, fresh, sent
from tests.conftest import a_person, price, price_id, subscribed_office

RED = "bg-red-600"


def loss(answer):
    return " ".join(answer.context["step"].loss.says)


@pytest.fixture
def yearly(stripe, operator, office):
    office = subscribed_office(office, by=operator, plan="practice-yearly")
    stripe.deliver_and_apply()
    return fresh(office)


def test_a_cancellation_now_says_how_many_paid_days_are_lost_and_what_they_cost(stripe, operator, yearly):
    stripe.advance(days=64, hours=12)
    seen = sent(operator, "cancel/", yearly, when="now")

    # 1,990.00 USD were paid for 365 days, and 300 whole days are left: 1,990.00 × 300 / 365
    assert "300 days that are paid, about 1,635.62 USD, are not given back" in loss(seen)
    assert RED in seen.content.decode()
    assert not Operation.objects.filter(kind="cancel").exists()


def test_it_is_done_once_it_is_confirmed_and_the_way_back_is_offered_then_too(stripe, operator, yearly):
    seen = sent(operator, "cancel/", yearly, when="now")
    shown = seen.content.decode()
    done = sent(operator, "cancel/", yearly, when="now", confirmed="yes", seen=seen.context["step"].loss.seen)

    payment = Payment.objects.get()
    for told in (shown, done.content.decode()):
        assert f"/admin/billing/payment/{payment.pk}/refund/?amount=" in told
        assert f"/admin/billing/office/{yearly.pk}/credit/?direction=give" in told
    assert fresh(yearly).subscription_status == "canceled"


def test_the_amount_is_filled_in_on_the_page_that_gives_it_back(stripe, operator, yearly):
    client = signed_in(operator.user)
    filled = client.get(f"/admin/billing/payment/{Payment.objects.get().pk}/refund/?amount=123.45&note=Jane")

    assert 'value="123.45"' in filled.content.decode()
    assert "Jane" not in filled.content.decode()


def test_who_may_not_give_back_is_not_offered_it(stripe, operator, yearly):
    only = a_person("only@vendor.example", group="operator")
    seen = signed_in(only).post(page("cancel/", yearly), {**WHY, "when": "now"}).content.decode()

    assert "are not given back" in seen
    assert "/refund/" not in seen


def test_a_confirmation_of_another_loss_shows_the_new_one(stripe, operator, yearly):
    seen = sent(operator, "cancel/", yearly, when="now").context["step"].loss.seen
    stripe.advance(days=2)
    again = sent(operator, "cancel/", yearly, when="now", confirmed="yes", seen=seen)

    assert again.context["step"].loss.seen != seen
    assert fresh(yearly).subscription_status == "active"


def test_a_confirmation_without_a_second_step_is_not_carried_out(stripe, operator, yearly):
    sent(operator, "cancel/", yearly, when="now", confirmed="yes")

    assert fresh(yearly).subscription_status == "active"


def test_at_the_end_of_the_period_no_paid_time_is_lost(stripe, operator, subscribed):
    seen = sent(operator, "cancel/", subscribed, when="period_end")

    assert "Time that is paid is not lost" in loss(seen)
    assert RED in seen.content.decode()


def test_on_a_date_within_the_period_the_days_after_it_are_lost(stripe, operator, yearly):
    stripe.advance(days=65)
    day = (clock.billing() + timedelta(days=100)).date()
    seen = sent(operator, "cancel/", yearly, when="date", last_day=day.isoformat())

    assert "199 days that are paid" in loss(seen) or "198 days that are paid" in loss(seen)


def test_what_was_credited_already_is_not_lost_again(stripe, operator, yearly):
    stripe.post("credit_notes", invoice=Invoice.objects.get().stripe_id, amount=199_000, credit_amount=199_000)
    stripe.deliver_and_apply()
    seen = sent(operator, "cancel/", fresh(yearly), when="now")

    assert "What was paid for these days was given back already" in loss(seen)


def test_what_was_refunded_already_is_not_lost_again_nor_offered(stripe, operator, yearly):
    stripe.post("refunds", charge=Payment.objects.get().stripe_id)
    stripe.deliver_and_apply()
    seen = sent(operator, "cancel/", fresh(yearly), when="now")

    assert "What was paid for these days was given back already" in loss(seen)
    assert seen.context["step"].loss.paid is None
    assert seen.context["ways_back"] == []


# 500.00 of 1,990.00 USD were given back, and nearly all of the year is left. A credit note with a refund is one thing.
@pytest.mark.parametrize("by_note", [True, False])
def test_a_refund_lowers_what_is_lost_once(stripe, operator, yearly, by_note):
    invoice, payment = Invoice.objects.get(), Payment.objects.get()
    if by_note:
        stripe.post("credit_notes", invoice=invoice.stripe_id, amount=50_000, refund_amount=50_000)
    else:
        perform(RefundPayment(amount=50_000), payment, by=operator, reason="office_asked")
    stripe.deliver_and_apply()
    assert Payment.objects.get().amount_refunded == 50_000
    stripe.advance(days=64, hours=12)
    seen = sent(operator, "cancel/", fresh(yearly), when="now")

    # 1,490.00 × 300 / 365
    assert "about 1,224.66 USD, are not given back" in loss(seen)


def test_a_refund_and_credit_beside_it_both_lower_what_is_lost(stripe, operator, yearly):
    perform(RefundPayment(amount=30_000), Payment.objects.get(), by=operator, reason="office_asked")
    note = IssueCreditNote(to="balance", amount=20_000)
    perform(note, Invoice.objects.get(), by=operator, reason="office_asked")
    stripe.deliver_and_apply()
    stripe.advance(days=64, hours=12)

    assert "about 1,224.66 USD, are not given back" in loss(sent(operator, "cancel/", fresh(yearly), when="now"))


def test_a_trial_that_is_cancelled_now_says_how_many_days_are_given_up(stripe, operator, office):
    office = subscribed_office(office, by=operator, trial_days=14)
    seen = sent(operator, "cancel/", office, when="now")

    assert "13 days before the trial ends" in loss(seen)


def test_a_trial_that_ends_now_says_so_beside_what_is_charged(stripe, operator, office):
    office = subscribed_office(office, by=operator, trial_days=14)
    seen = sent(operator, "move-trial-end/", office, when="now")

    assert "13 days earlier" in loss(seen)
    assert "Confirm and charge 199.00 USD" in seen.content.decode()


def test_an_end_of_the_trial_that_is_later_gives_up_nothing(stripe, operator, office):
    office = subscribed_office(office, by=operator, trial_days=14)
    day = (clock.billing() + timedelta(days=20)).date()

    assert sent(operator, "move-trial-end/", office, when="date", last_day=day.isoformat()).context["step"].loss is None


def test_a_void_invoice_and_one_that_is_written_off_say_what_is_given_up(stripe, operator, subscribed):
    perform(ChargeOffice(charge="training", amount=30_000, days_until_due=14), subscribed, by=operator, reason="agreed")
    invoice = Invoice.objects.get(kind="one_off")
    for act in ("void", "mark-uncollectible"):
        place = f"/admin/billing/invoice/{invoice.pk}/{act}/"
        seen = signed_in(operator.user).post(place, WHY)
        assert "300.00 USD is" in loss(seen)
        assert RED in seen.content.decode()
    assert Invoice.objects.get(pk=invoice.pk).status == "open"


def test_the_last_payment_method_says_that_nothing_can_be_charged(stripe, operator, subscribed):
    perform(CancelSubscription(at_period_end=False), subscribed, by=operator, reason="closing")
    card = PaymentMethod.objects.get()
    seen = sent(operator, "remove-card/", fresh(subscribed), card=str(card.public_id))

    assert "is the last payment method" in loss(seen)


def test_one_of_two_payment_methods_is_removed_without_a_second_step(stripe, operator, subscribed):
    stripe.post("payment_methods/pm_card_mastercard/attach", customer=subscribed.payment_provider_customer_id)
    stripe.deliver_and_apply()
    card = PaymentMethod.objects.get(is_default=False)

    assert "done" in sent(operator, "remove-card/", fresh(subscribed), card=str(card.public_id)).content.decode()


def test_an_archive_says_who_does_not_see_the_office_any_more(stripe, operator, office):
    with trail.acting(operator, office=office, reason="agreed"):
        grants.write_grants(
            Membership.objects.create(user=a_person("owner@maple.example"), office=office, role="owner")
        )
    seen = sent(operator, "archive/", office)

    assert "Its one member does not see the Office any more" in loss(seen)
    assert not Office.objects.get(pk=office.pk).archived_at
    sent(operator, "archive/", office, confirmed="yes", seen=seen.context["step"].loss.seen)
    assert Office.objects.get(pk=office.pk).archived_at


def test_a_pause_that_voids_says_that_the_month_is_never_charged_and_one_with_drafts_is_done(
    stripe, operator, subscribed
):
    seen = sent(operator, "pause-collection/", subscribed, invoices_become="void")
    assert "199.00 USD a month is not collected" in loss(seen)

    assert "done" in sent(operator, "pause-collection/", subscribed, invoices_become="keep_as_draft").content.decode()


def test_a_new_period_without_credit_gives_up_the_rest_of_the_present_one(stripe, operator, yearly):
    assert previews.second_step(RestartPeriod(credit="now"), yearly, by=operator).loss is None
    lost = previews.second_step(RestartPeriod(credit="not_at_all"), yearly, by=operator).loss

    assert lost is not None
    assert "364 days that are paid" in lost.says[0]


def test_fewer_seats_without_credit_give_up_the_difference(stripe, operator, office):
    office = subscribed_office(office, by=operator, plan="seats-monthly", quantity=4)
    lost = previews.second_step(ChangeSubscription(quantity=2, settle="not_at_all"), office, by=operator).loss

    assert lost is not None
    assert "196.00 USD a month. The change to 98.00 USD a month does not give the difference back" in lost.says[0]
    assert previews.second_step(ChangeSubscription(quantity=2), office, by=operator).loss is None


# --- before and after


def rows(answer):
    return {row.label: (row.before, row.after) for row in answer.context["step"].rows}


def test_a_change_of_seats_shows_both_sides(stripe, operator, office):
    office = subscribed_office(office, by=operator, plan="seats-monthly", quantity=4)
    form = {"price": str(price("seats-monthly").public_id), "quantity": "6", "settle": "next_invoice"}
    seen = rows(sent(operator, "change-plan/", office, **form))

    assert seen["Seats"] == ("4", "6")
    assert seen["A month"] == ("196.00 USD", "294.00 USD")
    assert seen["Next charge"][0] == seen["Next charge"][1]
    assert "Charged now" not in seen


def test_another_interval_shows_what_is_charged_now_and_the_next_day(stripe, operator, subscribed):
    form = {"price": str(price("practice-yearly").public_id), "quantity": "1", "settle": "now"}
    seen = rows(sent(operator, "change-plan/", subscribed, **form))

    assert seen["Plan"] == ("Practice, 199.00 USD a month", "Practice, 1,990.00 USD a year")
    assert seen["A month"] == ("199.00 USD", "165.83 USD")
    assert seen["Charged now"][1].startswith("1,79")
    assert seen["Next charge"][0] != seen["Next charge"][1]


def test_a_cancellation_shows_the_end_and_that_nothing_is_charged_any_more(stripe, operator, subscribed):
    seen = rows(sent(operator, "cancel/", subscribed, when="period_end"))

    assert seen["Service ends"][0] == "–" != seen["Service ends"][1]
    assert seen["Next charge"][1] == "–"


def test_credit_shows_both_sides(stripe, operator, subscribed):
    seen = rows(sent(operator, "credit/", subscribed, direction="give", amount="25.00"))

    assert seen["Credit"] == ("no credit", "25.00 USD credit")


# --- nothing on file to charge


def test_without_a_card_the_link_is_offered_first_and_nothing_can_be_confirmed(stripe, operator, office):
    form = {"price": str(price("seats-monthly").public_id), "quantity": "3", "trial_days": "0"}
    empty = signed_in(operator.user).get(page("subscribe/", office)).content.decode()
    seen = sent(operator, "subscribe/", office, **form).content.decode()

    assert empty.index("Start with a payment link") < empty.index("Show the first invoice")
    assert "Confirm" not in seen
    assert 'name="confirmed"' not in seen
    assert f"/admin/billing/office/{office.pk}/payment-link/?price={form['price']}&amp;quantity=3" in seen


def test_the_link_is_made_with_the_same_plan_and_seats(stripe, operator, office):
    place = f"{page('payment-link/', office)}?price={price_id('seats-monthly')}&quantity=3"
    shown = signed_in(operator.user).get(place)

    assert shown.context["form"].initial["price"] == price_id("seats-monthly")
    assert 'value="3"' in shown.content.decode()


def test_a_trial_without_a_card_can_be_confirmed(stripe, operator, office):
    form = {"price": str(price("seats-monthly").public_id), "quantity": "3", "trial_days": "14"}
    _, done = confirmed(operator, "subscribe/", office, **form)

    assert "Start a subscription: done" in done


def test_an_invoice_that_cannot_be_paid_leads_to_the_card_link(stripe, operator, subscribed):
    perform(ChargeOffice(charge="training", amount=30_000, days_until_due=14), subscribed, by=operator, reason="agreed")
    perform(CancelSubscription(at_period_end=False), fresh(subscribed), by=operator, reason="closing")
    stripe.post(f"payment_methods/{PaymentMethod.objects.get().stripe_id}/detach")
    stripe.deliver_and_apply()
    invoice = Invoice.objects.get(kind="one_off")
    client = signed_in(operator.user)

    shown = client.get(f"/admin/billing/invoice/{invoice.pk}/change/").content.decode()
    assert f"/admin/billing/invoice/{invoice.pk}/card-link/" in shown
    assert f"/admin/billing/invoice/{invoice.pk}/pay/" not in shown
    assert client.get(f"/admin/billing/invoice/{invoice.pk}/card-link/").url == page("link-card/", subscribed)
    assert "Link to add a card" in client.get(f"/admin/billing/invoice/{invoice.pk}/pay/").content.decode()
