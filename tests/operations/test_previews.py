"""What holds of every preview that is confirmed: it is confirmed once, and of nothing that changed since."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from billing import clock, errors
from billing.models import Invoice, Office, Operation, Payment
from billing.operations.engine.begin import perform
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.credit import AdjustCredit
from billing.operations.money.credit_note import IssueCreditNote
from billing.operations.money.refund import RefundPayment
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from billing.operations.subscriptions.discounts import ApplyDiscount
from billing.operations.subscriptions.start import StartSubscription
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod
from tests.at_stripe import a_coupon
from tests.conftest import price_id

REASON = "agreed by phone"
SUBSCRIBED = ("change", "restart", "charge", "credit", "refund", "credit_note", "discount")
EVERY = (*SUBSCRIBED, "trial_end", "subscribe")


@dataclass
class Act:
    """One operation with its preview, about an Office that it can be done to."""

    office: Office
    about: Any
    wanted: Any
    card: dict[str, Any]

    @property
    def kind(self):
        return type(self.wanted)

    def fresh(self):
        return Office.objects.get(pk=self.office.pk)

    def seen(self, by):
        return preview(self.wanted, self.about(), by=by)

    def confirm(self, by, as_of):
        return perform(replace(self.wanted, as_of=as_of, **self.card), self.about(), by=by, reason=REASON)


@pytest.fixture
def act(request, stripe, operator, office):
    name, card = request.param, {"payment_method": "pm_card_visa"}
    if name == "discount":
        a_coupon(stripe, "third", percent_off=30, duration="forever")
    if name != "subscribe":
        trial = 14 if name == "trial_end" else 0
        start = StartSubscription(price=price_id("seats-monthly"), trial_days=trial, **card)
        perform(start, office, by=operator, reason="new")
        stripe.advance(days=2)
        stripe.deliver_and_apply()

    def fresh():
        return Office.objects.get(pk=office.pk)

    about, wanted = {
        "change": (fresh, ChangeSubscription(quantity=5)),
        "restart": (fresh, RestartPeriod(credit="not_at_all")),
        "trial_end": (fresh, MoveTrialEnd(at=clock.billing().replace(microsecond=0) + timedelta(days=5))),
        "charge": (fresh, ChargeOffice(charge="training", amount=25_000)),
        "credit": (fresh, AdjustCredit(amount=1_000)),
        "refund": (Payment.objects.get, RefundPayment(amount=100)),
        "credit_note": (Invoice.objects.get, IssueCreditNote(amount=100, to="balance")),
        "discount": (fresh, ApplyDiscount(code="third")),
        "subscribe": (fresh, StartSubscription(price=price_id("seats-monthly"), quantity=2)),
    }[name]
    return Act(office, about, wanted, card if name == "subscribe" else {})


def every(names=EVERY):
    return pytest.mark.parametrize("act", names, indirect=True)


def begun(office):
    return Operation.objects.filter(office=office).count()


@every()
def test_a_preview_is_confirmed_once(stripe, operator, act):
    if act.kind is ChangeSubscription:  # the second time it would change nothing
        act.wanted = replace(act.wanted, settle="not_at_all")
    seen = act.seen(operator)
    act.confirm(operator, seen.as_of)
    if act.kind is StartSubscription:
        perform(CancelSubscription(at_period_end=False), act.about(), by=operator, reason=REASON)
    if act.kind is ChangeSubscription:
        perform(ChangeSubscription(quantity=1), act.about(), by=operator, reason=REASON)
    if act.kind is MoveTrialEnd:
        perform(MoveTrialEnd(at=clock.billing() + timedelta(days=8)), act.about(), by=operator, reason=REASON)
    before = begun(act.office)

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)
    assert begun(act.office) == before


@every()
def test_it_is_not_confirmed_after_another_operation(stripe, operator, act):
    seen = act.seen(operator)
    perform(ChangeContact(name="Maple and Sons"), act.office, by=operator, reason=REASON)

    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)


@every(("change", "restart"))
def test_a_discount_that_was_given_since_makes_another_amount(stripe, operator, act):
    a_coupon(stripe, "half", percent_off=50, duration="once")
    seen = act.seen(operator)
    perform(ApplyDiscount(code="half"), act.about(), by=operator, reason=REASON)

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
    perform(ChangeContact(name="Maple and Sons"), act.office, by=operator, reason=REASON)
    Operation.objects.filter(pk=Operation.objects.first().pk).update(status="rejected")

    act.confirm(operator, seen.as_of)


@every(SUBSCRIBED)
def test_nothing_is_shown_while_the_outcome_of_another_is_unknown(stripe, operator, act):
    seen = act.seen(operator)
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers")
    with pytest.raises(errors.StripeUnavailable):
        perform(AdjustCredit(amount=500), act.fresh(), by=operator, reason="goodwill")

    with pytest.raises(errors.OperationInProgress):
        act.seen(operator)
    Operation.objects.filter(status="unknown").update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()
    with pytest.raises(errors.PreviewStale):
        act.confirm(operator, seen.as_of)
    act.confirm(operator, act.seen(operator).as_of)


@every(SUBSCRIBED)
def test_what_settled_after_the_preview_counts_whenever_it_began(stripe, operator, act):
    perform(AdjustCredit(amount=500), act.fresh(), by=operator, reason="goodwill")
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
