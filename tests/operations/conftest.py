import pytest

from billing.audit import actor
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.start import StartSubscription
from tests.conftest import a_member, price_id


@pytest.fixture
def subscribed(stripe, operator, office):
    return perform(
        StartSubscription(price=price_id("practice-monthly"), payment_method="pm_card_visa"),
        office,
        by=operator,
        reason="new",
    )


@pytest.fixture
def on_trial(stripe, operator, office):
    return perform(
        StartSubscription(price=price_id("practice-monthly"), trial_days=14, payment_method="pm_card_visa"),
        office,
        by=operator,
        reason="new",
    )


@pytest.fixture
def owner(office):
    return actor.person(a_member(office, "owner"))


@pytest.fixture
def viewer(office):
    return actor.person(a_member(office, "viewer"))
