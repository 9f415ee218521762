"""Databases of a test's own, a key for backups, and a day whose second half a backup does not have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyrage import x25519

from tests.moving.places import Places
from tests.outbox.conftest import mail_server

__all__ = ["mail_server"]


@pytest.fixture
def places(tmp_path: Path, django_db_blocker: Any) -> Iterator[Places]:
    made = Places(tmp_path)
    with django_db_blocker.unblock(), made.undo:
        yield made


@pytest.fixture
def backup_key(settings: Any) -> str:
    settings.BACKUP_KEYS = [str(x25519.Identity.generate())]
    return settings.BACKUP_KEYS[0]
