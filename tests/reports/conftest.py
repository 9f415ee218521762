import pytest

from billing import clock
from billing.stripe_api import sandbox_clock
from tests.reports.made import NOW


@pytest.fixture
def in_june(db):
    """Let the billing clock stand in the middle of June 2030."""
    clock.follow(lambda: NOW - clock.wall())
    yield
    sandbox_clock.follow()
