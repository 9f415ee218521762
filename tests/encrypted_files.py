"""Database files of a test's own, plain or encrypted, and processes of ours on them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

from config import databases
from config.environment import Problems
from tests.processes import ROOT

KEY, NEW_KEY = "0123456789abcdef" * 4, "fedcba9876543210" * 4
OFFICE = "Willow Creek Pediatrics"
CREATE_OFFICE = f"""
from billing.audit import actor, trail
from billing.models import Office
with trail.acting(actor.job("tests"), reason="tests"):
    Office.objects.create(name={OFFICE!r}, billing_email="billing@willow.example")
"""


def variables(file: Path, key: str = "", new_key: str = "", env_file: str = "production.env") -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": str(ROOT / "tests" / env_file),
        "DATABASE_URL": f"libsql:///{file}",
        "DATABASE_KEY": key,
        "DATABASE_NEW_KEY": new_key,
    }


def python(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def manage(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return python("manage.py", *words, env=env)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain file with all tables and an Office."""
    file = tmp_path_factory.mktemp("migrated") / "billing.db"
    for words in (("migrate", "--verbosity=0"), ("shell", "--verbosity=0", "-c", CREATE_OFFICE)):
        ended = manage(*words, env=variables(file))
        assert ended.returncode == 0, ended.stderr
    return file


@pytest.fixture
def plain(migrated: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "database"
    folder.mkdir()
    return Path(shutil.copy(migrated, folder))


@pytest.fixture
def encrypted(plain: Path) -> Path:
    from config.libsql import encryption

    assert encryption.replace(plain, key="", new_key=KEY, record=lambda copy: None)
    return plain


@pytest.fixture
def opened(django_db_blocker: Any) -> Iterator[Callable[..., Any]]:
    """Opens a file as the product does. It is closed with the test."""
    made = []

    def open_(file: Path, key: str = "") -> Any:
        problems = Problems()
        entry = databases.database(f"libsql:///{file}", key=key, base_dir=ROOT, problems=problems)
        problems.raise_if_any()
        made.append(ConnectionHandler({"default": entry})["default"])
        return made[-1]

    with django_db_blocker.unblock():
        yield open_
        for connection in made:
            connection.close()


def rows(connection: Any, query: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def everything(connection: Any) -> dict[str, list[Any]]:
    """The rows of all tables."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
    return {name: rows(connection, f'SELECT * FROM "{name}"') for name in (*names, "sqlite_sequence")}
