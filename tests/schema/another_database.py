"""Databases besides the tests' own, and other versions of our migrations."""

import contextlib
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.db.utils import load_backend
from django.test import override_settings

from tests.other_connections import let_go_of

TODAY = Path(__file__).parents[2] / "billing" / "migrations"
FIRST = Path(__file__).parent / "migrations"
"""The first versions of the migrations that were edited after they were on main."""


class Databases:
    """Databases of one test, on the server of the tests' own database, or in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.made = folder, list[str]()

    def make(self, like: str = "") -> str:
        """Make an empty database, or a copy of the named one. Returns its name."""
        name = f"test_{uuid.uuid4().hex}"
        self.made.append(name)
        if connections["default"].vendor != "sqlite":
            if like:
                let_go_of(like)
            _on_server(f"CREATE DATABASE {name}" + (f" TEMPLATE {like}" if like else ""))
        elif like:
            shutil.copy(self.folder / like, self.folder / name)
        return name

    @contextlib.contextmanager
    def default(self, name: str) -> Iterator[Any]:
        """Let the default connection lead to this database inside the block."""
        own = connections["default"]
        place = str(self.folder / name) if own.vendor == "sqlite" else name
        given = {**own.settings_dict, "NAME": place, "CONN_MAX_AGE": 0}
        connections["default"] = load_backend(given["ENGINE"]).DatabaseWrapper(given, "default")
        ContentType.objects.clear_cache()
        try:
            yield connections["default"]
        finally:
            connections["default"].close()
            connections["default"] = own
            ContentType.objects.clear_cache()

    def drop(self) -> None:
        for name in self.made if connections["default"].vendor != "sqlite" else ():
            _on_server(f"DROP DATABASE {name} WITH (FORCE)")


def _on_server(statement: str) -> None:
    with connections["default"]._nodb_cursor() as cursor:
        cursor.execute(statement)


@contextlib.contextmanager
def migrations_as(versions: dict[str, Path], folder: Path) -> Iterator[None]:
    """Give ``billing`` only these migrations: by name, each with the folder that has its file."""
    package = folder / f"then_{uuid.uuid4().hex}"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, source in versions.items():
        shutil.copy(source / f"{name}.py", package)
    sys.path.insert(0, str(folder))
    try:
        with override_settings(MIGRATION_MODULES={**settings.MIGRATION_MODULES, "billing": package.name}):
            yield
    finally:
        sys.path.remove(str(folder))


def schema(connection: Any) -> dict[str, Any]:
    """Return our tables with their columns, and their keys, indexes and checks with names."""
    look, found = connection.introspection, {}
    with connection.cursor() as cursor:
        for table in look.table_names(cursor):
            if not table.startswith("billing_"):
                continue
            columns = {one.name: one for one in look.get_table_description(cursor, table)}
            shown = {name: (one.type_code, one.display_size, one.null_ok) for name, one in columns.items()}
            parts = look.get_constraints(cursor, table).items()
            rules = sorted(repr(("" if name.startswith("__") else name, one)) for name, one in parts)
            defaults = {name: one.default for name, one in columns.items() if one.default is not None}
            found[table] = {"columns": shown, "rules": rules, "defaults": defaults}
    return found
