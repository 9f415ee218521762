"""What holds of every preview that is confirmed: it is confirmed once, and of nothing that changed since."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing import clock, errors, operations
from billing.models import Invoice, Office, Operation, Payment
from billing.operations import resume_unsettled
from tests.at_stripe import a_coupon
from tests.conftest import price

REASON = "agreed by phone"
SUBSCRIBED = ("change", "restart", "charge", "credit", "refund", "credit_note")
EVERY = (*SUBSCRIBED, "trial_end", "subscribe")


@dataclass
class Act:
    """One operation with its preview, about an Office that it can be done to."""

    office: Office
    operation: Any
    preview: Any
    about: Any
    given: dict[str, Any]
    extra: dict[str, Any]

    def fresh(self):
        return Office.objects.get(pk=self.office.pk)

    def seen(self, by):
        return self.preview(self.about(), by=by, **self.given)

    def confirm(self, by, as_of):
        return self.operation(self.about(), by=by, reason=REASON, as_of=as_of, **self.given, **self.extra)


@pytest.fixture
def act(request, stripe, operator, office):
    name, ops = request.param, operations
    card = {"payment_method": "pm_card_visa"}
    if name != "subscribe":
        trial = 14 if name == "trial_end" else 0
        ops.subscribe(office, price("seats-monthly"), by=operator, reason="new", trial_days=trial, **card)
        stripe.advance(days=2)
        stripe.deliver_and_apply()

    def fresh():
        return Office.objects.get(pk=office.pk)

    operation, preview, about, given = {
        "change": (ops.change_subscription, ops.preview_change, fresh, {"quantity": 5}),
        "restart": (ops.restart_period, ops.preview_restarted_period, fresh, {"credit": "not_at_all"}),
        "trial_end": (
            ops.move_trial_end,
            ops.preview_trial_end,
            fresh,
            {"at": clock.billing().replace(microsecond=0) + timedelta(days=5)},
        ),
        "charge": (ops.charge_office, ops.preview_charge, fresh, {"charge": "training", "amount": 25_000}),
        "credit": (ops.adjust_credit, ops.preview_credit, fresh, {"amount": 1_000}),
        "refund": (ops.refund_payment, ops.preview_refund, Payment.objects.get, {"amount": 100}),
        "credit_note": (
            ops.issue_credit_note,
            ops.preview_credit_note,
            Invoice.objects.get,
            {"amount": 100, "to": "balance"},
        ),
        "subscribe": (ops.subscribe, ops.preview_subscribe, fresh, {"price": price("seats-monthly"), "quantity": 2}),
    }[name]
    return Act(office, operation, preview, about, given, card if name == "subscribe" else {})


def every(names=EVERY):
    return pytest.mark.parametrize("act", names, indirect=True)


def begun(office):
    return Operation.objects.filter(office=office).count()


@every()
def test_a_preview_is_confirmed_once(stripe, operator, act):
    if act.operation is operations.change_subscription:  # the second time it would change nothing
        act.given["settle"] = "not_at_all"
    seen = act.seen(operator)
    act.confirm(operator, seen.as_of)
    if act.operation is operations.subscribe:
        operations.cancel_subscription(act.about(), by=operator, reason=REASON, at_period_end=False)
    if act.operation is operations.change_subscription:
        operations.change_subscription(act.about(), by=operator, reason=REASON, quantity=1)
    if act.operation is operations.move_trial_end:
        operations.move_trial_end(act.about(), clock.billing() + timedelta(days=8), by=operator, reason=REASON)
    before = begun(act.office)

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)
    assert begun(act.office) == before


@every()
def test_it_is_not_confirmed_after_another_operation(stripe, operator, act):
    seen = act.seen(operator)
    operations.change_contact(act.office, by=operator, reason=REASON, name="Maple and Sons")

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)


@every(("change", "restart"))
def test_a_discount_that_was_given_since_makes_another_amount(stripe, operator, act):
    a_coupon(stripe, "half", percent_off=50, duration="once")
    seen = act.seen(operator)
    operations.apply_discount(act.about(), "half", by=operator, reason=REASON)

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)


@every()
@pytest.mark.parametrize("off", [timedelta(hours=-1, seconds=-1), timedelta(minutes=1)])
def test_it_is_of_the_last_hour(stripe, operator, act, off):
    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, clock.billing() + off)


@every()
def test_one_that_was_refused_changed_nothing(stripe, operator, act):
    seen = act.seen(operator)
    operations.change_contact(act.office, by=operator, reason=REASON, name="Maple and Sons")
    Operation.objects.filter(pk=Operation.objects.first().pk).update(status="rejected")

    act.confirm(operator, seen.as_of)


@every(SUBSCRIBED)
def test_nothing_is_shown_while_the_outcome_of_another_is_unknown(stripe, operator, act):
    seen = act.seen(operator)
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        operations.adjust_credit(act.fresh(), 500, by=operator, reason="goodwill")

    with pytest.raises(errors.OperationInProgress):
        act.seen(operator)
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()
    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)
    act.confirm(operator, act.seen(operator).as_of)


@every(SUBSCRIBED)
def test_what_settled_after_the_preview_counts_whenever_it_began(stripe, operator, act):
    operations.adjust_credit(act.fresh(), 500, by=operator, reason="goodwill")
    seen = act.seen(operator)
    Operation.objects.filter(kind="adjust_credit").update(settled_at=clock.wall())

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)


@every()
def test_nothing_is_shown_of_an_archived_office(stripe, operator, act):
    Office.objects.filter(pk=act.office.pk).update(archived_at=clock.wall())

    with pytest.raises(errors.OfficeArchived):
        act.seen(operator)


@every(("change", "restart", "charge", "trial_end", "subscribe"))
def test_what_charges_is_shown_under_a_determination_only(stripe, operator, settings, act):
    settings.STRIPE_LIVE_MODE = True

    with pytest.raises(errors.DeterminationMissing):
        act.seen(operator)
