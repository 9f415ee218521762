import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_throttle(db: None) -> None:
    """Let each test sign in as if nobody had signed in before."""
    cache.clear()
