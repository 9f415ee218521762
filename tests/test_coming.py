"""What comes next for Offices, by hand, and the places that show it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import coming, history, next_steps
from billing.admin.filters.offices import VIEWS
from billing.admin.filters.subscriptions import NextFor
from billing.audit import actor, trail
from billing.entitlement import Policy
from billing.models import Office, Plan, PlanPrice, Subscription
from billing.next_steps import State, Step
from billing.office_state.rows import Rows
from billing.office_state.sentences import said
from billing.operations.engine.standing import Standing

AT = datetime(2030, 1, 15, tzinfo=UTC)
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=31)


def an_office(**values):
    return Office.objects.bulk_create([Office(name="Oak Clinic", billing_email="b@oak.example", **values)])[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ({"trial_end": AT}, True),
        ({"trial_end": AT + 6 * DAY}, True),
        ({"trial_end": AT + WEEK}, False),  # the window is half-open
        ({"trial_end": AT - DAY}, False),
        ({"trial_end": AT + DAY, "cancel_at": AT + DAY}, False),  # it ends with the trial
        ({"trial_end": AT + DAY, "cancel_at": AT + 400 * DAY}, True),
        ({"trial_end": AT + DAY, "archived_at": AT}, False),
        ({"trial_end": AT + DAY, "subscription_status": "active"}, False),
    ],
    ids=str,
)
def test_a_trial_that_ends_and_goes_on_is_told(values, is_told):
    an_office(**{"subscription_status": "trialing", **values})

    assert Office.objects.filter(coming.trial_ends(AT, within=WEEK)).exists() is is_told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("expires", "charged_in", "more", "is_told"),
    [
        ("2029-12", 20, {}, True),
        ("2030-01", 10, {}, False),  # valid until the end of January, and charged on the 25th
        ("2030-01", 20, {}, True),  # charged on 4 February
        ("2030-02", 20, {}, False),
        ("2029-12", 31, {}, False),  # the window is half-open
        ("2029-12", 150, {}, False),
        ("2029-12", 20, {"cancel_at": AT + 20 * DAY}, False),  # it ends, and is not charged
        ("2029-12", 20, {"cancel_at": AT + 700 * DAY}, True),
        ("2029-12", 20, {"archived_at": AT}, False),
        ("2029-12", 20, {"subscription_status": "canceled"}, False),
        ("", 20, {}, False),  # a bank account has no end
    ],
    ids=str,
)
def test_a_card_that_will_have_expired_at_the_next_charge_is_told(expires, charged_in, more, is_told):
    period_end = AT + charged_in * DAY
    an_office(
        **{"subscription_status": "active", "payment_method_expires": expires, "current_period_end": period_end, **more}
    )

    assert Office.objects.filter(coming.card_expires(AT, within=MONTH)).exists() is is_told


END = AT + 20 * DAY
NEXT_CHARGE = [
    ({}, END),
    ({"subscription_status": "trialing", "trial_end": END}, END),
    ({"subscription_status": "past_due"}, END),
    ({"subscription_status": "unpaid"}, None),  # its new invoices stay drafts
    ({"subscription_status": "paused"}, None),  # it makes no invoices
    ({"subscription_status": "canceled"}, None),
    ({"subscription_status": "incomplete"}, None),
    ({"cancel_at": END}, None),
    ({"cancel_at": END + DAY}, END),
    ({"collection_paused": "void"}, None),
    ({"collection_paused": "keep_as_draft", "collection_paused_until": END + DAY}, None),
    ({"collection_paused": "keep_as_draft", "collection_paused_until": END}, END),
    ({"collection_paused": "keep_as_draft", "collection_paused_until": END - DAY}, END),
    ({"current_period_end": None}, None),
]
"""By hand: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses and …/pause-payment"""


@pytest.mark.django_db
@pytest.mark.parametrize(("values", "charged"), NEXT_CHARGE, ids=str)
def test_every_place_says_the_same_of_the_next_charge(values, charged):
    card = {"payment_method_brand": "visa", "payment_method_last4": "4242", "payment_method_expires": "2029-12"}
    given = {"subscription_status": "active", "payment_provider_subscription_id": "sub_1", "current_period_end": END}
    office = an_office(**given | card | values)
    with trail.acting(actor.job("tests"), reason="tests"):
        plan = Plan.objects.create(name="Oak")
        price = {"currency": "usd", "unit_amount": 19_900, "interval": "month", "interval_count": 1}
        Subscription.objects.create(
            office=office,
            stripe_id="sub_1",
            ticket=1,
            quantity=1,
            status=office.subscription_status,
            plan_price=PlanPrice.objects.create(plan=plan, **price),
            created_at=AT,
            started_at=AT,
        )
    present = office.current_subscription
    present.has_more_items = False  # as the page reads it
    words = said(Rows(office=office, subscriptions=(present,)), Policy(), at=AT).in_words

    assert coming.next_charge(office) == charged
    assert Standing.of(office).next_charge == charged
    assert Office.objects.filter(coming.card_expires(AT, within=MONTH)).exists() is (charged is not None)
    if office.subscription_status == "active":
        assert ("next charge on" in words) is (charged is not None)
    if office.is_trialing:
        assert ("Charged then" in words) is (charged is not None)
    if office.subscription_status in ("active", "trialing"):
        fits = Step.CARD_LINK in next_steps.fitting(State(office), at=AT)
        assert fits is (charged is not None)


@pytest.mark.django_db
def test_a_trial_whose_invoices_are_not_collected_ends_without_a_promised_charge():
    card = {"payment_method_brand": "visa", "payment_method_last4": "4242"}
    paused = {"collection_paused": "void", "trial_end": END, "current_period_end": END}
    office = an_office(subscription_status="trialing", **card, **paused)
    with trail.acting(actor.job("tests"), reason="tests"):
        present = Subscription.objects.create(
            office=office, stripe_id="sub_1", ticket=1, status="trialing", quantity=1, created_at=AT, started_at=AT
        )
    words = said(Rows(office=office, subscriptions=(present,)), Policy(), at=AT).in_words

    assert "Charged then" not in words
    assert "Collection is paused until somebody resumes it" in words


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ends", "renews"),
    [(None, END), (END, None), (END + DAY, END)],
)
def test_the_standing_says_that_a_subscription_renews_before_it_ends_later(ends, renews):
    office = an_office(subscription_status="active", current_period_end=END, cancel_at=ends)

    assert history.standing(office).renews_at == renews


@pytest.mark.parametrize(("filtered", "view"), [("trial", "trial-ends"), ("card", "card-expires")])
def test_the_filter_of_subscriptions_is_called_as_the_view_of_offices(filtered, view):
    assert NextFor.choices_here[filtered][0] == VIEWS[view].title
