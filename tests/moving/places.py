"""Databases of every form beside the tests' own one, and what is in them."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.utils import load_backend
from django.test import override_settings

from config import databases
from config.environment import Problems
from tests.libsql_server import Server
from tests.processes import ROOT

Contents = dict[str, dict[Any, dict[str, Any]]]
KEY = "0123456789abcdef" * 4
POSTGRESQL = os.environ.get("TEST_DATABASE_URL", "")
LIBSQL_SERVER = shutil.which(os.environ.get("LIBSQL_SERVER", "sqld"))

needs_postgresql = pytest.mark.skipif(not POSTGRESQL, reason="TEST_DATABASE_URL names no PostgreSQL server")
needs_libsql_server = pytest.mark.skipif(LIBSQL_SERVER is None, reason="LIBSQL_SERVER names no server")
needs_cipher = pytest.mark.skipif(
    importlib.util.find_spec("sqlcipher3") is None, reason="requirements-encrypted.txt is not installed"
)


@dataclass(frozen=True)
class Place:
    """A database, as the environment names it."""

    url: str
    key: str = ""

    @property
    def entry(self) -> dict[str, Any]:
        problems = Problems()
        entry = databases.database(self.url, key=self.key, base_dir=ROOT, problems=problems)
        problems.raise_if_any()
        return entry

    def environment(self, to: "Place | None" = None) -> dict[str, str]:
        variables = {"DATABASE_URL": self.url, "DATABASE_KEY": self.key, "DATABASE_TO_KEY": to.key if to else ""}
        return {**os.environ, "ENV_FILE": "tests/test.env", **variables}


class Places:
    """Makes empty databases, which are gone after the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.undo = contextlib.ExitStack()

    def file(self) -> Place:
        return Place(f"libsql:///{self.folder / uuid.uuid4().hex}.db")

    def encrypted(self) -> Place:
        return Place(self.file().url, KEY)

    def libsql_server(self) -> Place:
        server = Server(self.folder / uuid.uuid4().hex)
        server.folder.mkdir()
        self.undo.callback(server.kill)
        server.start()
        return Place(server.url)

    def postgresql(self) -> Place:
        name = f"test_{uuid.uuid4().hex}"
        on_server(f"CREATE DATABASE {name}")
        self.undo.callback(on_server, f"DROP DATABASE {name} WITH (FORCE)")
        return Place(f"{POSTGRESQL.rpartition('/')[0]}/{name}")

    def copy_of(self, file: Path) -> Place:
        place = self.file()
        shutil.copy(file, place.entry["NAME"])
        return place


def on_server(statement: str) -> None:
    with psycopg.connect(POSTGRESQL, autocommit=True) as server:
        server.execute(statement)


@contextlib.contextmanager
def opened(place: Place) -> Iterator[Any]:
    """All connections of this thread lead to this database, so no other thread works."""
    entry = place.entry
    own = {alias: connections[alias] for alias in ("default", "impatient", "optional")}
    for alias in own:
        given = entry if alias == "default" else databases.with_limits(entry, seconds=databases.IMPATIENT_SECONDS)
        complete = connections.configure_settings({"default": given, alias: given})[alias]
        connections[alias] = load_backend(complete["ENGINE"]).DatabaseWrapper(complete, alias)
    ContentType.objects.clear_cache()
    try:
        with override_settings(WORKER_LOOKS_AT_ONCE=1):
            yield connections["default"]
    finally:
        for alias, connection in own.items():
            connections[alias].close()
            connections[alias] = connection
        ContentType.objects.clear_cache()


def contents(place: Place) -> Contents:
    """Each table that has rows: by key, the values as the product reads them."""
    found = {}
    with opened(place):
        for model in apps.get_models(include_auto_created=True):
            if rows := {row.pk: _values(row) for row in model._base_manager.all()}:
                found[model._meta.db_table] = rows
    return found


def _values(row: Any) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def run(*command: str, place: Place, to: Place | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command of manage.py on this database, to its end."""
    environment = {**place.environment(to), **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def move(place: Place, to: Place, **variables: str) -> str:
    """What the command said, which succeeded."""
    done = run("move_database", "--to", to.url, place=place, to=to, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
