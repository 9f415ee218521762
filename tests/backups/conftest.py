"""Databases of a test's own, a key for backups, and a day whose second half a backup does not have."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pyrage import x25519

from tests.moving.places import Place, Places, opened
from tests.outbox.conftest import mail_server

__all__ = ["mail_server"]


@pytest.fixture
def places(tmp_path: Path, django_db_blocker: Any) -> Iterator[Places]:
    made = Places(tmp_path)
    with django_db_blocker.unblock(), made.undo:
        yield made


@pytest.fixture(scope="session")
def with_tables(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Path:
    """A plain database file with all tables, to make copies of."""
    file = tmp_path_factory.mktemp("tables") / "tables.db"
    with django_db_blocker.unblock(), opened(Place(f"libsql:///{file}")) as connection:
        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


@pytest.fixture
def backup_key(settings: Any) -> str:
    settings.BACKUP_KEYS = [str(x25519.Identity.generate())]
    return settings.BACKUP_KEYS[0]
