import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_throttle() -> None:
    """Each test signs in as if nobody had before."""
    cache.clear()
