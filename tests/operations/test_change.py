from datetime import timedelta

import pytest

from billing import clock, errors
from billing.admin.acts import subscription as staff
from billing.models import AuditEntry, Operation, PlanPrice
from billing.money import Money
from billing.office_pages import forms as office_pages
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Asked
from billing.operations.engine.previews import preview
from billing.operations.engine.settle import resume_unsettled
from billing.operations.subscriptions.change import ChangeSubscription
from tests.conftest import a_member, price_id, subscribed_office

REASON = "more colleagues"


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


def newest_invoice(stripe):
    return stripe.listed("invoices")[0]


def test_seats_are_added_and_the_difference_is_charged_now(stripe, operator, team):
    office = perform(ChangeSubscription(quantity=5), team, by=operator, reason=REASON)

    assert (office.quantity, office.subscription_status) == (5, "active")
    assert newest_invoice(stripe)["billing_reason"] == "subscription_update"
    assert office.invoices.first().amount_paid == newest_invoice(stripe)["amount_paid"] > 0


def test_a_preview_is_what_is_charged_to_the_cent(stripe, operator, team):
    stripe.advance(days=11, hours=7)
    stripe.deliver_and_apply()
    before = stripe.listed("invoices")
    seen = preview(ChangeSubscription(quantity=9), team, by=operator)
    assert stripe.listed("invoices") == before

    perform(ChangeSubscription(quantity=9, as_of=seen.as_of), team, by=operator, reason=REASON)

    charged = newest_invoice(stripe)
    assert seen.now
    assert seen.charged == Money(charged["amount_paid"], "usd")
    assert [line.amount.amount for line in seen.lines] == [one["amount"] for one in charged["lines"]["data"]]
    assert [line.text for line in seen.lines] == ["Unused time: Team, 3 seats", "Remaining time: Team, 9 seats"]
    assert seen.afterwards == "441.00 USD a month, before taxes and discounts"


def test_fewer_seats_leave_a_credit_with_the_next_invoice(stripe, operator, team):
    seen = preview(ChangeSubscription(quantity=1, settle="next_invoice"), team, by=operator)
    office = perform(ChangeSubscription(quantity=1, settle="next_invoice"), team, by=operator, reason=REASON)

    assert (seen.now, seen.at) == (False, office.current_period_end)
    assert (office.quantity, len(stripe.listed("invoices"))) == (1, 1)
    stripe.advance(days=32)
    assert newest_invoice(stripe)["total"] == seen.total.amount < 4_900


def test_another_plan_and_interval_begin_a_period_that_is_charged_now(stripe, operator, team):
    seen = preview(ChangeSubscription(price=price_id("practice-yearly")), team, by=operator)
    office = perform(
        ChangeSubscription(price=price_id("practice-yearly"), as_of=seen.as_of), team, by=operator, reason=REASON
    )

    assert (office.current_plan.code, office.quantity) == ("practice", 1)
    assert office.current_period_end > clock.billing() + timedelta(days=360)
    assert newest_invoice(stripe)["amount_paid"] == seen.charged.amount


def test_a_declined_card_changes_nothing(stripe, operator, team):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    with pytest.raises(errors.CardDeclined):
        perform(ChangeSubscription(quantity=5), team, by=operator, reason=REASON)

    team.refresh_from_db()
    assert (team.quantity, len(stripe.listed("invoices"))) == (3, 1)
    assert Operation.objects.get(kind="change_subscription").status == "declined"


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"quantity": 3}, errors.NothingToChange),
        ({"quantity": 0}, errors.QuantityInvalid),
        ({"price": "practice-monthly", "quantity": 2}, errors.QuantityInvalid),
        ({"price": "practice-euro"}, errors.CurrencyMismatch),
        ({"price": "00000000-0000-0000-0000-000000000000"}, errors.PlanUnknown),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_before_stripe_is_asked(stripe, operator, team, given, refusal):
    if given.get("price", "").startswith("practice"):
        given = {**given, "price": price_id(given["price"])}
    stripe.forget_requests()

    with pytest.raises(refusal):
        perform(ChangeSubscription(**given), team, by=operator, reason=REASON)
    with pytest.raises(refusal):
        preview(ChangeSubscription(**given), team, by=operator)

    assert stripe.requests() == []
    assert AuditEntry.objects.filter(office=team, kind=AuditEntry.Kind.REFUSAL).exists()


def test_a_subscription_that_is_behind_is_not_changed(stripe, operator, team):
    stripe.control("charges", outcome="decline")
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    with pytest.raises(errors.SubscriptionNotChangeable):
        perform(ChangeSubscription(quantity=5), team, by=operator, reason=REASON)


def test_without_a_subscription_there_is_nothing_to_change(stripe, operator, office):
    with pytest.raises(errors.NoLiveSubscription):
        perform(ChangeSubscription(quantity=5), office, by=operator, reason=REASON)


def test_a_preview_of_long_ago_is_not_confirmed(stripe, operator, team):
    seen = preview(ChangeSubscription(quantity=9), team, by=operator)
    stripe.advance(hours=2)

    with pytest.raises(errors.PreviewStale):
        perform(ChangeSubscription(quantity=9, as_of=seen.as_of), team, by=operator, reason=REASON)


def test_a_viewer_sees_what_it_would_cost_and_may_not_do_it(stripe, team):
    from billing.audit import actor

    viewer = actor.person(a_member(team, "viewer"))
    assert preview(ChangeSubscription(quantity=5), team, by=viewer).now

    with pytest.raises(errors.NotPermitted):
        perform(ChangeSubscription(quantity=5), team, by=viewer, reason=REASON)


def test_an_owner_does_not_have_seats_for_nothing(stripe, team, owner):
    stripe.forget_requests()
    with pytest.raises(errors.StaffOnly, match="Only the vendor's staff may"):
        perform(ChangeSubscription(quantity=9_000, settle="not_at_all"), team, by=owner, reason=REASON)
    with pytest.raises(errors.StaffOnly):
        preview(ChangeSubscription(quantity=9_000, settle="not_at_all"), team, by=owner)
    assert stripe.requests() == []

    assert perform(ChangeSubscription(quantity=4, settle="next_invoice"), team, by=owner, reason=REASON).quantity == 4


def test_an_outsider_does_not_even_see_the_price(stripe, team, outsider):
    with pytest.raises(errors.NotPermitted):
        preview(ChangeSubscription(quantity=5), team, by=outsider)


@pytest.mark.parametrize("kind", ["503", "drop_after", "500_after"])
def test_an_answer_that_was_lost_is_found_out_and_charged_once(stripe, operator, team, kind):
    stripe.fail_next(kind, method="POST", path_prefix="/v1/subscriptions/")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeSubscription(quantity=5), team, by=operator, reason=REASON)
    operation = Operation.objects.get(kind="change_subscription")
    Operation.objects.update(lease_until=clock.wall() - timedelta(seconds=1))
    resume_unsettled()

    operation.refresh_from_db()
    team.refresh_from_db()
    expected = ("abandoned", 3, 1) if kind == "500_after" else ("succeeded", 5, 2)
    assert (operation.status, team.quantity, len(stripe.listed("invoices"))) == expected


def test_two_people_at_once_end_in_one_change_and_one_refusal(stripe, operator, administrator, team):
    stripe.fail_next("503", method="POST")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeSubscription(quantity=5), team, by=operator, reason=REASON)

    with pytest.raises(errors.OperationInProgress, match=r"Change plan or seats.*operator@vendor\.example"):
        perform(ChangeSubscription(quantity=6), team, by=administrator, reason=REASON)


@pytest.mark.parametrize("form", [staff.ChangeForm, office_pages.ChangeForm])
def test_each_form_offers_what_the_change_accepts(operator, team, form):
    """Every price that is for sale in its currency, and its own one, also if it is sold no more."""
    past = clock.billing() - timedelta(days=1)
    PlanPrice.objects.filter(code="seats-monthly").update(active_until=past)
    if form is staff.ChangeForm:
        shown = form()
        shown.for_subject(team)
    else:
        shown = form(team)
    offered = set(shown.fields["price"].queryset.values_list("code", flat=True))

    assert offered == {one.code for one in PlanPrice.objects.all() if accepts(team, one, by=operator)}
    assert "seats-monthly" in offered
    assert "practice-euro" not in offered


def accepts(office, wanted, *, by):
    try:
        seats = 2 if wanted.per_seat else 1
        change = ChangeSubscription(price=str(wanted.public_id), quantity=seats)
        change.naming(office).prepare(office, Asked(by=by))
    except (errors.CurrencyMismatch, errors.PlanUnknown):
        return False
    return True
