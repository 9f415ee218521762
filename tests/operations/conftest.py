import pytest

from billing.audit import actor
from billing.operations import subscribe
from tests.conftest import a_member, price


@pytest.fixture
def subscribed(stripe, operator, office):
    return subscribe(office, price("practice-monthly"), by=operator, reason="new", payment_method="pm_card_visa")


@pytest.fixture
def on_trial(stripe, operator, office):
    return subscribe(
        office, price("practice-monthly"), by=operator, reason="new", trial_days=14, payment_method="pm_card_visa"
    )


@pytest.fixture
def owner(office):
    return actor.person(a_member(office, "owner"))


@pytest.fixture
def viewer(office):
    return actor.person(a_member(office, "viewer"))
