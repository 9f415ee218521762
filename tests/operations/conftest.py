import pytest

from billing.audit import actor
from tests.conftest import a_member, subscribed_office


@pytest.fixture
def on_trial(stripe, operator, office):
    return subscribed_office(office, by=operator, trial_days=14)


@pytest.fixture
def owner(office):
    return actor.person(a_member(office, "owner"))


@pytest.fixture
def viewer(office):
    return actor.person(a_member(office, "viewer"))
