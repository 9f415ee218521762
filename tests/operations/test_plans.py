"""Plans are made, published, renamed and retired through Stripe, one operation on a plan at a time, each on record."""

from datetime import timedelta

import pytest

from billing import clock, errors
from billing.audit import trail
from billing.models import AuditEntry, Finding, Plan, PlanOperation, PlanPrice
from billing.operations.plans import performed
from billing.operations.plans.performed import perform
from billing.operations.plans.prices import AddPrice, MakePlan, PublishPlan
from billing.operations.plans.retiring import RenamePlan, RetirePlan, RetirePrice
from tests.conftest import price, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True)
WHY = "agreed by the board"
CLINIC = {"name": "Clinic", "code": "clinic"}
TERMS = {"price_code": "clinic-monthly", "unit_amount": 29_900, "currency": "usd", "per_seat": True}


def made(by, **given):
    return perform(MakePlan(**{**CLINIC, **TERMS, **given}), None, by=by, reason=WHY)


def at_stripe(stripe, kind, key):
    return next(one for one in stripe.listed(kind) if one["id"] == key)


def again(operation):
    """Let the worker run it once more, as if its wait were over."""
    PlanOperation.objects.filter(pk=operation.pk).update(lease_until=clock.wall() - timedelta(seconds=1))
    performed.resume_unsettled()
    operation.refresh_from_db()
    return operation


def test_a_plan_is_made_with_its_first_price_here_and_at_stripe(stripe, administrator):
    plan = made(administrator)

    row = plan.prices.get()
    product = at_stripe(stripe, "products", plan.stripe_product_id)
    sold = at_stripe(stripe, "prices", row.stripe_price_id)
    assert (product["name"], product["active"]) == ("Clinic", True)
    assert (sold["unit_amount"], sold["currency"], sold["recurring"]["interval"]) == (29_900, "usd", "month")
    assert row.is_for_sale(clock.billing())
    operation = plan.operations.get()
    assert (operation.status, operation.reason) == ("succeeded", WHY)
    entries = AuditEntry.objects.filter(content_type__model__in=("plan", "planprice", "planoperation"), reason=WHY)
    assert {one.content_type.model for one in entries} == {"plan", "planprice", "planoperation"}
    assert {one.actor for one in entries} == {administrator.user}


@pytest.mark.parametrize(
    "wanted", [MakePlan(**CLINIC, **TERMS), RenamePlan(name="Clinic"), RetirePlan(), PublishPlan()], ids=str
)
def test_who_may_not_make_plans_changes_none_and_is_on_record(stripe, operator, wanted):
    plan = None if isinstance(wanted, MakePlan) else Plan.objects.get(code="team")
    stripe.forget_requests()

    with pytest.raises(errors.NotPermitted):
        perform(wanted, plan, by=operator, reason=WHY)

    assert stripe.requests() == []
    assert AuditEntry.objects.filter(kind="refusal", actor=operator.user).count() == 1
    assert not PlanOperation.objects.filter(actor=operator.user).exists()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"code": "team"}, errors.PlanCodeTaken),
        ({"price_code": "seats-monthly"}, errors.PlanCodeTaken),
        ({"currency": "usx"}, errors.AmountInvalid),
        ({"currency": "isk", "unit_amount": 490_050}, errors.AmountInvalid),
        ({"unit_amount": -1}, errors.AmountInvalid),
        ({"interval_count": 0}, errors.AmountInvalid),
        ({"name": "Team, John Doe born 3/4/1980"}, errors.TextNotNeutral),
    ],
)
def test_what_cannot_be_sold_is_refused_before_anything_is_written(stripe, administrator, given, error):
    stripe.forget_requests()
    with pytest.raises(error):
        made(administrator, **given)
    assert stripe.requests() == []
    assert not Plan.objects.filter(code="clinic").exists()


def test_without_a_reason_nothing_begins(stripe, administrator):
    with pytest.raises(errors.ReasonRequired):
        perform(MakePlan(**CLINIC, **TERMS), None, by=administrator, reason="")
    assert not Plan.objects.filter(code="clinic").exists()


def test_a_new_price_replaces_an_old_one_and_an_office_keeps_what_it_pays(stripe, administrator, operator, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)
    old = price("seats-monthly")

    perform(
        AddPrice(**{**TERMS, "price_code": "seats-dearer", "unit_amount": 5_900}, replaces=str(old.public_id)),
        old.plan,
        by=administrator,
        reason=WHY,
    )

    old.refresh_from_db()
    for_sale = PlanPrice.objects.for_sale(clock.billing()).filter(plan=old.plan)
    assert [one.code for one in for_sale] == ["seats-dearer"]
    assert old.unit_amount == 4_900
    assert not at_stripe(stripe, "prices", old.stripe_price_id)["active"]
    assert office.subscriptions.get().plan_price == old
    stripe.deliver_and_apply()
    assert not Finding.objects.exists()


def test_a_renamed_plan_has_its_name_here_and_at_stripe(stripe, administrator):
    plan = Plan.objects.get(code="team")

    perform(RenamePlan(name="Group practice"), plan, by=administrator, reason=WHY)

    plan.refresh_from_db()
    assert plan.name == at_stripe(stripe, "products", plan.stripe_product_id)["name"] == "Group practice"
    with pytest.raises(errors.NothingToChange):
        perform(RenamePlan(name="Group practice"), plan, by=administrator, reason=WHY)


def test_a_retired_plan_is_not_for_sale_here_nor_at_stripe_and_that_is_no_finding(stripe, administrator):
    plan = Plan.objects.get(code="team")

    perform(RetirePlan(), plan, by=administrator, reason=WHY)

    stripe.deliver_and_apply()
    assert not PlanPrice.objects.for_sale(clock.billing()).filter(plan=plan).exists()
    assert not at_stripe(stripe, "products", plan.stripe_product_id)["active"]
    assert not Finding.objects.exists()
    for wanted in (RetirePlan(), RenamePlan(name="Clinic"), AddPrice(**TERMS)):
        with pytest.raises(errors.PlanRetired):
            perform(wanted, plan, by=administrator, reason=WHY)


def test_a_retired_price_is_not_for_sale_here_nor_at_stripe_and_that_is_no_finding(stripe, administrator):
    row = price("practice-euro")
    wanted = RetirePrice(price=str(row.public_id))

    perform(wanted, row.plan, by=administrator, reason=WHY)

    stripe.deliver_and_apply()
    row.refresh_from_db()
    assert not row.is_for_sale(clock.billing())
    assert not at_stripe(stripe, "prices", row.stripe_price_id)["active"]
    assert not Finding.objects.exists()
    with pytest.raises(errors.PlanUnknown):
        perform(wanted, row.plan, by=administrator, reason=WHY)


def test_what_the_database_has_and_stripe_has_not_is_published(stripe, administrator):
    plan = Plan.objects.get(code="team")
    with trail.acting(administrator, reason=WHY):
        PlanPrice.objects.create(plan=plan, code="late", currency="usd", unit_amount=100, interval="month")

    perform(PublishPlan(), plan, by=administrator, reason=WHY)

    assert price("late").is_for_sale(clock.billing())
    with pytest.raises(errors.NothingToChange):
        perform(PublishPlan(), plan, by=administrator, reason=WHY)


# --- what Stripe refuses, and what it does not answer

CASES = {
    "make": lambda: (MakePlan(**CLINIC, **TERMS), None),
    "add": lambda: (AddPrice(**TERMS, replaces=str(price("seats-monthly").public_id)), Plan.objects.get(code="team")),
    "rename": lambda: (RenamePlan(name="Clinic"), Plan.objects.get(code="team")),
    "retire a price": lambda: (RetirePrice(price=str(price("seats-monthly").public_id)), Plan.objects.get(code="team")),
    "retire a plan": lambda: (RetirePlan(), Plan.objects.get(code="team")),
}
each = pytest.mark.parametrize("case", CASES)


def catalogue_of(stripe):
    """What is at Stripe, without ids."""
    products = [(one["name"], one["active"]) for one in stripe.listed("products")]
    prices = [(one["unit_amount"], one["currency"], one["active"]) for one in stripe.listed("prices")]
    return sorted(products), sorted(prices)


@each
@pytest.mark.parametrize("fault", ["503", "drop_after"])
def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_is_made_twice(stripe, administrator, case, fault):
    wanted, plan = CASES[case]()
    stripe.fail_next(fault, method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, plan, by=administrator, reason=WHY)
    operation = PlanOperation.objects.latest("pk")
    assert operation.status == "unknown"
    if plan:
        with pytest.raises(errors.PlanOperationInProgress):
            perform(RenamePlan(name="Another"), plan, by=administrator, reason=WHY)

    assert again(operation).status == "succeeded"

    expected = catalogue_of(stripe)
    assert len(expected[0]) == len(set(expected[0]))
    assert len(expected[1]) == len(set(expected[1]))
    assert AuditEntry.objects.filter(content_type__model="planoperation").count() >= 2


@each
def test_a_failure_that_stripe_keeps_is_given_up_and_the_next_one_is_done(stripe, administrator, case):
    wanted, plan = CASES[case]()
    stripe.fail_next("500_after", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, plan, by=administrator, reason=WHY)
    operation = PlanOperation.objects.latest("pk")

    assert again(operation).status == "abandoned"

    perform(PublishPlan() if case in ("make", "add") else wanted, operation.plan, by=administrator, reason=WHY)
    assert len(catalogue_of(stripe)[0]) == len(set(catalogue_of(stripe)[0]))


@each
def test_after_a_day_what_was_done_is_found_at_stripe(stripe, administrator, case):
    wanted, plan = CASES[case]()
    if case in ("make", "add"):
        stripe.fail_next("drop_after", method="POST", path_prefix="/v1/prices")
    else:
        stripe.fail_next("drop_after", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, plan, by=administrator, reason=WHY)
    operation = PlanOperation.objects.latest("pk")
    a_day_later(operation)

    assert again(operation).status == "succeeded"

    assert len([one for one in stripe.listed("prices") if one["unit_amount"] == 29_900]) == (case in ("make", "add"))


@each
def test_after_a_day_what_was_never_done_is_taken_back_and_told(stripe, administrator, case):
    wanted, plan = CASES[case]()
    before = catalogue_of(stripe), list(PlanPrice.objects.for_sale(clock.billing()).values_list("code", flat=True))
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(wanted, plan, by=administrator, reason=WHY)
    operation = PlanOperation.objects.latest("pk")
    a_day_later(operation)

    assert again(operation).status == "abandoned"

    after = catalogue_of(stripe), list(PlanPrice.objects.for_sale(clock.billing()).values_list("code", flat=True))
    assert after == before
    assert Finding.objects.get().kind == "operation_abandoned"


def a_day_later(operation):
    operation.refresh_from_db()
    for step in operation.steps.values():
        step["first_asked_at"] = (clock.wall() - timedelta(hours=21)).isoformat()
    PlanOperation.objects.filter(pk=operation.pk).update(steps=operation.steps)


@each
def test_what_stripe_refuses_is_said_and_what_was_for_sale_still_is(stripe, administrator, case):
    wanted, plan = CASES[case]()
    before = list(PlanPrice.objects.for_sale(clock.billing()).values_list("code", flat=True))
    stripe.fail_next("forbidden", method="POST")

    with pytest.raises(errors.StripeRejected):
        perform(wanted, plan, by=administrator, reason=WHY)

    operation = PlanOperation.objects.latest("pk")
    assert (operation.status, operation.error_code) == ("rejected", "stripe_key_refused")
    assert list(PlanPrice.objects.for_sale(clock.billing()).values_list("code", flat=True)) == before
