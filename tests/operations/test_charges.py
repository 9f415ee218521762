from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import actor
from billing.models import AuditEntry, Invoice, Office, Operation
from billing.money import Money
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.refund import RefundPayment
from billing.operations.subscriptions.start import StartSubscription
from tests.conftest import a_member, determined, price_id, subscribed_office

REASON = "agreed by phone"


@pytest.fixture
def practice(stripe, operator, office):
    return subscribed_office(office, by=operator)


def charged(office, by, **given):
    return perform(ChargeOffice(**{"charge": "training", "amount": 25_000, **given}), office, by=by, reason=REASON)


def one_offs(stripe, **where):
    return [one for one in stripe.listed("invoices", **where) if one["billing_reason"] == "manual"]


def charges_of(stripe, amount):
    return [one["status"] for one in stripe.listed("charges") if one["amount"] == amount]


def asked(stripe, path, **given):
    """Somebody does this at Stripe, past us."""
    headers = {"Authorization": "Bearer sk_test_only_for_tests"}
    return stripe.http.post(f"/v1/{path}", data=given, headers=headers).raise_for_status().json()


def bear_tax(stripe, office, *, inclusive=False):
    """The subscription's invoices bear a tax rate from now on."""
    made = {"display_name": "Sales tax", "percentage": 7.7, "inclusive": str(inclusive).lower()}
    rate = asked(stripe, "tax_rates", **made)["id"]
    asked(stripe, f"subscriptions/{office.payment_provider_subscription_id}", **{"default_tax_rates[0]": rate})


def credit(stripe, office, amount):
    path = f"customers/{office.payment_provider_customer_id}/balance_transactions"
    asked(stripe, path, amount=-amount, currency="usd")


def test_an_office_is_charged_once_beside_its_subscription_and_our_rows_show_it(stripe, operator, practice):
    invoice = charged(practice, operator)

    assert (invoice.status, invoice.kind, invoice.amount_paid, invoice.currency) == ("paid", "one_off", 25_000, "usd")
    assert [(line["text"], line["amount"]) for line in invoice.lines] == [("Training", 25_000)]
    assert [row.status for row in invoice.payments.all()] == ["succeeded"]
    assert invoice.subscription is None
    [at_stripe] = one_offs(stripe)
    assert at_stripe["lines"]["data"][0]["description"] == "Training"
    assert (at_stripe["auto_advance"], charges_of(stripe, 25_000)) == (False, ["succeeded"])
    steps = Operation.objects.get(kind="charge_office").steps.values_list("name", flat=True)
    assert list(steps) == ["draft", "line", "finalise", "pay"]


def test_a_second_charge_like_the_first_is_another_one(stripe, operator, practice):
    first, second = charged(practice, operator), charged(practice, operator)

    assert first != second
    assert charges_of(stripe, 25_000) == ["succeeded", "succeeded"]


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_preview_is_what_is_charged_to_the_cent_with_the_taxes_of_the_subscription(
    stripe, operator, practice, inclusive
):
    bear_tax(stripe, practice, inclusive=inclusive)
    before = stripe.listed("invoices")
    seen = preview(ChargeOffice(charge="hardware", amount=12_345), practice, by=operator)
    assert stripe.listed("invoices") == before

    invoice = charged(practice, operator, charge="hardware", amount=12_345, as_of=seen.as_of)

    assert seen.now
    assert (seen.charged.amount, seen.total.amount) == (invoice.amount_paid, invoice.total)
    assert seen.tax.amount == invoice.tax == invoice.lines[0]["tax"] > 0
    assert (invoice.total > 12_345) is not inclusive


def test_credit_pays_first_and_what_waits_for_the_renewal_is_not_taken_in(stripe, operator, practice):
    credit(stripe, practice, 10_000)
    asked(stripe, "invoiceitems", customer=practice.payment_provider_customer_id, amount=77_700, currency="usd")

    seen = preview(ChargeOffice(charge="training", amount=25_000), practice, by=operator)
    invoice = charged(practice, operator)

    assert (seen.total, seen.charged) == (Money(25_000, "usd"), Money(15_000, "usd"))
    assert (invoice.total, invoice.amount_paid, invoice.to_balance) == (25_000, 15_000, -10_000)


def test_what_credit_covers_is_charged_to_no_card(stripe, operator, practice):
    credit(stripe, practice, 90_000)

    invoice = charged(practice, operator)

    assert (invoice.status, invoice.amount_paid, charges_of(stripe, 25_000)) == ("paid", 0, [])


def test_with_days_it_is_sent_to_be_paid_until_then(stripe, operator, practice):
    seen = preview(ChargeOffice(charge="training", amount=25_000, days_until_due=14), practice, by=operator)
    invoice = charged(practice, operator, days_until_due=14)

    assert not seen.now
    assert seen.title.startswith("Sent to the Office, which pays it by ")
    assert (invoice.status, invoice.collection, invoice.amount_remaining) == ("open", "send_invoice", 25_000)
    assert timedelta(days=13) < invoice.due_at - clock.billing() <= timedelta(days=14)
    assert [one["type"] for one in stripe.listed("events", type="invoice.sent")] == ["invoice.sent"]
    assert charges_of(stripe, 25_000) == []
    assert Office.objects.get(pk=practice.pk).balance_due == 25_000


def test_a_declined_card_leaves_the_invoice_void_and_nothing_owed(stripe, operator, practice):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    with pytest.raises(errors.CardDeclined):
        charged(practice, operator)

    assert [one["status"] for one in one_offs(stripe)] == ["void"]
    invoice = Invoice.objects.get(kind="one_off")
    assert (invoice.status, [row.status for row in invoice.payments.all()]) == ("void", ["failed"])
    practice.refresh_from_db()
    assert (practice.balance_due, practice.past_due_since) == (0, None)
    assert Operation.objects.get(kind="charge_office").status == "declined"


def test_a_card_that_asks_its_holder_leaves_the_invoice_void(stripe, operator, practice):
    stripe.control("charges", outcome="authenticate")
    with pytest.raises(errors.AuthenticationRequired):
        charged(practice, operator)

    assert [one["status"] for one in one_offs(stripe)] == ["void"]


def test_a_draft_that_somebody_deletes_is_not_gone_on_with(stripe, operator, practice):
    stripe.fail_next("503", method="POST", path_prefix="/v1/invoiceitems")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    stripe.delete(f"invoices/{one_offs(stripe)[0]['id']}")
    Operation.objects.update(lease_until=clock.wall())

    resume_unsettled()

    assert Operation.objects.get(kind="charge_office").status == "rejected"
    assert (one_offs(stripe), charges_of(stripe, 25_000)) == ([], [])


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"charge": "a favour"}, errors.ChargeUnknown),
        ({"amount": 99}, errors.AmountOutOfBounds),
        ({"amount": 1_000_001}, errors.AmountOutOfBounds),
        ({"amount": -5_000}, errors.AmountOutOfBounds),
        ({"days_until_due": 91}, errors.DaysInvalid),
        ({"days_until_due": -1}, errors.DaysInvalid),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, practice, given, refusal):
    stripe.forget_requests()
    given = {"charge": "training", "amount": 25_000, **given}

    with pytest.raises(refusal):
        perform(ChargeOffice(**given), practice, by=operator, reason=REASON)
    with pytest.raises(refusal):
        preview(ChargeOffice(**given), practice, by=operator)

    assert stripe.requests() == []
    assert AuditEntry.objects.filter(office=practice, kind=AuditEntry.Kind.REFUSAL).exists()


def test_without_a_card_it_can_only_be_sent(stripe, operator, office):
    office = perform(
        StartSubscription(price=price_id("practice-monthly"), trial_days=14), office, by=operator, reason="new"
    )

    with pytest.raises(errors.PaymentMethodRequired, match="send the invoice"):
        charged(office, operator)
    assert charged(office, operator, days_until_due=7).status == "open"


def test_an_office_without_a_currency_is_not_charged(stripe, operator, office):
    with pytest.raises(errors.CurrencyUnknown):
        charged(office, operator)


def test_a_preview_of_long_ago_is_not_confirmed(stripe, operator, practice):
    seen = preview(ChargeOffice(charge="training", amount=25_000), practice, by=operator)
    stripe.advance(hours=2)

    with pytest.raises(errors.PreviewStale):
        charged(practice, operator, as_of=seen.as_of)


def test_a_customer_deleted_at_stripe_is_not_charged(stripe, operator, practice):
    stripe.delete(f"customers/{practice.payment_provider_customer_id}")
    stripe.deliver_and_apply()
    stripe.forget_requests()
    office = Office.objects.get(pk=practice.pk)

    with pytest.raises(errors.NoCustomer):
        charged(office, operator, days_until_due=5)
    with pytest.raises(errors.NoCustomer):
        preview(ChargeOffice(charge="training", amount=25_000, days_until_due=5), office, by=operator)
    assert stripe.requests() == []


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_an_office_cannot_charge_itself(stripe, practice, role):
    member = actor.person(a_member(practice, role))

    with pytest.raises(errors.NotPermitted):
        charged(practice, member)
    with pytest.raises(errors.NotPermitted):
        preview(ChargeOffice(charge="training", amount=25_000), practice, by=member)
    assert one_offs(stripe) == []


def test_it_waits_for_a_determination_in_live_mode(stripe, operator, administrator, practice, settings):
    settings.STRIPE_LIVE_MODE = True
    with pytest.raises(errors.DeterminationMissing):
        charged(practice, operator)
    with pytest.raises(errors.DeterminationMissing):
        preview(ChargeOffice(charge="training", amount=25_000), practice, by=operator)

    determined(operator, administrator)
    assert charged(practice, operator).status == "paid"


STEPS = {
    "draft": "/v1/invoices",
    "line": "/v1/invoiceitems",
    "finalise": "/v1/invoices/",
    "pay": "/v1/invoices/",
}


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
@pytest.mark.parametrize("step", STEPS)
def test_an_answer_that_was_lost_at_any_step_ends_in_one_charge_or_none(stripe, operator, practice, step, kind):
    lose(stripe, step, kind)
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    operation = Operation.objects.get(kind="charge_office")
    shown = set(Invoice.objects.filter(kind="one_off", deleted_at=None).values_list("status", flat=True))
    if kind == "500_after":  # Stripe keeps its failure for the key: the invoice is given up
        assert (operation.status, charges_of(stripe, 25_000)) == ("abandoned", [])
        assert {one["status"] for one in one_offs(stripe)} <= {"void"}
        assert shown <= {"void"}
    else:
        assert (operation.status, charges_of(stripe, 25_000)) == ("succeeded", ["succeeded"])
        assert [one["status"] for one in one_offs(stripe)] == ["paid"]
        assert shown == {"paid"}


def lose(stripe, step, kind):
    """The answer of this step is lost; the sandbox's own id of the invoice is known only once it is drafted."""
    if step in ("draft", "line"):
        stripe.fail_next(kind, method="POST", path_prefix=STEPS[step])
        return
    for _ in range({"finalise": 1, "pay": 2}[step] - 1):
        stripe.fail_next("slow", method="POST", path_prefix=STEPS[step], seconds=0)
    stripe.fail_next(kind, method="POST", path_prefix=STEPS[step])


@pytest.mark.parametrize(
    ("kind", "expected"), [("503", "succeeded"), ("drop_after", "succeeded"), ("500_after", "abandoned")]
)
def test_the_lost_answer_of_a_sending_is_found_out(stripe, operator, practice, kind, expected):
    stripe.fail_next("slow", method="POST", path_prefix="/v1/invoices/", seconds=0)
    stripe.fail_next(kind, method="POST", path_prefix="/v1/invoices/")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator, days_until_due=14)
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    assert Operation.objects.get(kind="charge_office").status == expected
    sent = len(stripe.listed("events", type="invoice.sent"))
    statuses = [one["status"] for one in one_offs(stripe)]
    assert (sent, statuses) == ((1, ["open"]) if expected == "succeeded" else (0, ["void"]))


def test_after_a_day_what_was_paid_is_found_by_the_operation_and_not_paid_again(stripe, operator, practice):
    lose(stripe, "pay", "drop_after")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    operation = Operation.objects.get(kind="charge_office")
    operation.steps.update(first_asked_at=clock.wall() - timedelta(hours=21))
    Operation.objects.update(lease_until=clock.wall())
    stripe.http.delete("/_sandbox/idempotency_keys")

    resume_unsettled()

    operation.refresh_from_db()
    assert (operation.status, charges_of(stripe, 25_000)) == ("succeeded", ["succeeded"])
    assert Invoice.objects.get(kind="one_off").status == "paid"


def test_what_is_paid_at_stripe_before_it_was_given_up_is_charged(stripe, operator, practice):
    lose_giving_up(stripe, practice, operator)
    asked(stripe, f"invoices/{one_offs(stripe)[0]['id']}/pay", paid_out_of_band="true")

    assert resumed().status == "succeeded"
    assert [one["status"] for one in one_offs(stripe)] == ["paid"]
    assert Invoice.objects.get(kind="one_off").status == "paid"


def test_what_is_paid_at_stripe_before_it_was_collected_is_charged(stripe, operator, practice):
    lose(stripe, "pay", "503")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    asked(stripe, f"invoices/{one_offs(stripe)[0]['id']}/pay", paid_out_of_band="true")

    assert resumed().status == "succeeded"
    assert [one["status"] for one in one_offs(stripe)] == ["paid"]
    assert Invoice.objects.get(kind="one_off").status == "paid"


@pytest.mark.parametrize("kind", ["503", "drop_after"])
def test_an_answer_lost_while_it_is_given_up_ends_declined_and_void(stripe, operator, practice, kind):
    lose_giving_up(stripe, practice, operator, kind)

    operation = resumed()

    assert (operation.status, operation.decline_code) == ("declined", "insufficient_funds")
    assert [one["status"] for one in one_offs(stripe)] == ["void"]


def test_what_is_voided_at_stripe_before_it_was_given_up_ends_declined(stripe, operator, practice):
    lose_giving_up(stripe, practice, operator)
    asked(stripe, f"invoices/{one_offs(stripe)[0]['id']}/void")

    assert resumed().status == "declined"


@pytest.mark.parametrize(("by_hand", "expected"), [(["finalize", "pay"], "succeeded"), (["finalize"], "rejected")])
def test_a_draft_that_somebody_finalises_is_charged_if_it_was_paid(stripe, operator, practice, by_hand, expected):
    lose(stripe, "finalise", "503")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    for act in by_hand:
        asked(stripe, f"invoices/{one_offs(stripe)[0]['id']}/{act}")

    assert resumed().status == expected
    status = {"succeeded": "paid", "rejected": "void"}[expected]
    assert [one["status"] for one in one_offs(stripe)] == [status]
    assert Invoice.objects.get(kind="one_off").status == status


def test_a_draft_that_somebody_finalises_without_its_line_charged_nothing(stripe, operator, practice):
    stripe.fail_next("503", method="POST", path_prefix="/v1/invoiceitems")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)
    asked(stripe, f"invoices/{one_offs(stripe)[0]['id']}/finalize")

    assert resumed().status == "rejected"
    assert [(one["status"], one["total"]) for one in one_offs(stripe)] == [("paid", 0)]


def lose_giving_up(stripe, office, by, kind="503"):
    """The card is declined, and the answer of giving the invoice up is lost."""
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    for _ in range(2):
        stripe.fail_next("slow", method="POST", path_prefix="/v1/invoices/", seconds=0)
    stripe.fail_next(kind, method="POST", path_prefix="/v1/invoices/")
    with pytest.raises(errors.StripeUnavailable):
        charged(office, by)


def resumed():
    """The charge, once the worker came to it."""
    Operation.objects.update(lease_until=clock.wall())
    resume_unsettled()
    return Operation.objects.get(kind="charge_office")


def test_two_people_at_once_end_in_one_charge_and_one_refusal(stripe, operator, administrator, practice):
    lose(stripe, "pay", "503")
    with pytest.raises(errors.StripeUnavailable):
        charged(practice, operator)

    with pytest.raises(errors.OperationInProgress, match="One-off charge"):
        charged(practice, administrator)


@pytest.mark.parametrize(("currency", "amount"), [("isk", 55_050), ("ugx", 38_550), ("kwd", 5_124)])
def test_a_fraction_that_the_currency_does_not_have_is_refused_before_stripe_is_asked(
    stripe, operator, office, currency, amount
):
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    Office.objects.update(currency=currency)
    office.payments.update(currency=currency)
    stripe.forget_requests()
    asked = [
        (ChargeOffice(charge="training", amount=amount, days_until_due=14), Office.objects.get()),
        (AdjustCredit(amount=amount), Office.objects.get()),
        (RefundPayment(amount=101), office.payments.get()),
    ]

    for request, subject in asked:
        with pytest.raises(errors.AmountInvalid, match=f"{currency.upper()} has fewer decimals"):
            perform(request, subject, by=operator, reason="agreed")

    assert not stripe.requests("POST")
