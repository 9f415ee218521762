"""Restoring a backup into an empty place. The database is held from its first moment on: see ``billing.held``."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from billing import clock
from billing.backups import NotDone, archive, contents, copies, postgresql, put_on_disk
from billing.backups.copies import Form
from billing.backups.making import FORMAT
from billing.models import Hold
from config.databases import is_libsql_server

HOLD = (
    "INSERT INTO billing_hold (backup, made_at, restored_at, entry, seal) "
    "VALUES ({backup}, {made_at}, {restored_at}, {entry}, {seal})"
)
ENDS_ACCESS = (
    "DELETE FROM django_session",
    "DELETE FROM usersessions_usersession",
    "DELETE FROM billing_accesstoken",
    "UPDATE billing_onetimelink SET expires_at = {now} WHERE used_at IS NULL AND expires_at > {now}",
)
"""What was ended or used since the backup must not open anything again. People sign in again."""
OF_OTHER_MACHINES = ("billing_observation", "billing_workerheartbeat", "migrate_lease")
"""Tables of what another machine saw of Stripe, and of what ran there when the backup was made."""
INTO_A_FILE = (
    "A backup cannot be restored into a libSQL server. Set DATABASE_URL to a file that does not exist yet, and restore "
    "into it. After after_restore, move_database --to brings it to the server."
)


@dataclass(frozen=True, slots=True)
class Restored:
    """``rows`` is how many rows all tables have together."""

    hold: Hold
    rows: int


def restore(file: Path) -> Restored:
    """Bring the backup into the place of DATABASE_URL, which must be empty, hold it, and migrate it.

    Raises: NotDone: the place is as before.
    """
    _require_empty()
    with _beside_the_place() as work:
        copy = work / "copy"
        manifest = archive.read(file, copy=copy)
        form = _checked(manifest)
        key = str(connection.settings_dict["PASSWORD"])
        held = contents.read(copy, form, key=key)
        if {name: manifest.get(name) for name in held.as_json()} != held.as_json():
            raise NotDone("The copy in the backup is not what its manifest says.")
        if form is Form.POSTGRESQL:
            _into_postgresql(copy, manifest)
        else:
            _into_file(copy, form, key, manifest)
    call_command("migrate", verbosity=0, interactive=False)
    return Restored(Hold.objects.latest("pk"), sum(held.tables.values()))


def _require_empty() -> None:
    entry = connection.settings_dict
    if is_libsql_server(entry):
        raise NotDone(INTO_A_FILE)
    if connection.vendor == "postgresql":
        if connection.introspection.table_names():
            raise NotDone("The database of DATABASE_URL is not empty. Make a new one, and name that.")
        return
    file = Path(entry["NAME"])
    for one in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm", "-journal"))):
        if one.exists():
            raise NotDone(f"{one} exists already. Name a file that does not exist, or take that one away.")


@contextlib.contextmanager
def _beside_the_place() -> Iterator[Path]:
    """Yield a folder that only its owner can read, on the disk on which a database file is to be."""
    beside = None if connection.vendor == "postgresql" else Path(connection.settings_dict["NAME"]).parent
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=beside) as work:
        yield Path(work)


def _checked(manifest: dict[str, Any]) -> Form:
    """Return the form of the copy. Raises: NotDone: it does not fit this version, these settings or this place."""
    if manifest["format"] != FORMAT:
        raise NotDone("The backup is of another format. Restore it with the version of the product that made it.")
    known = {name for app, name in MigrationLoader(None).disk_migrations if app == "billing"}
    if later := sorted(set(manifest["migrations"]) - known):
        raise NotDone(f"The backup is of a later version of the product: it has the migration {later[-1]}.")
    if (manifest["kind"], manifest["livemode"]) != (settings.STRIPE_KIND, settings.STRIPE_LIVE_MODE):
        mode = "live" if manifest["livemode"] else "test"
        raise NotDone(f"The backup belongs to {manifest['kind']}, {mode} mode. Set STRIPE_SECRET_KEY to a key of that.")
    form, here = Form(manifest["form"]), copies.form_of(connection.settings_dict)
    if form is not here:
        advice = "Restore it into its own form. After after_restore, move_database brings it into any other."
        raise NotDone(f"The backup is of the form {form}, and DATABASE_URL with DATABASE_KEY names: {here}. {advice}")
    return form


def _into_file(copy: Path, form: Form, key: str, manifest: dict[str, Any]) -> None:
    """Write the hold into the copy, and give it its name only then."""
    with contents.opened(copy, form, key=key) as opened:
        opened.execute("BEGIN IMMEDIATE")
        for statement in _statements(manifest, as_literal=_literal_of_sqlite):
            opened.execute(statement)
        opened.execute("COMMIT")
    put_on_disk(copy)
    place = Path(connection.settings_dict["NAME"])
    try:
        os.link(copy, place)  # unlike a rename, it replaces nothing
    except FileExistsError:
        raise NotDone(f"{place} exists by now. Is something running on it?") from None
    put_on_disk(place.parent)


def _into_postgresql(copy: Path, manifest: dict[str, Any]) -> None:
    """Run the dump and the hold as one transaction."""
    script = copy.with_name("script")
    script.touch(mode=0o600)
    postgresql.as_script(copy, script)
    tables = "SET search_path = public;\n"  # the dump has emptied it
    with script.open("a") as file:
        file.write(tables + "".join(f"{one};\n" for one in _statements(manifest, as_literal=_literal_of_postgresql)))
    connections.close_all()
    postgresql.restore(connection, script)


def _statements(manifest: dict[str, Any], *, as_literal: Any) -> Iterator[str]:
    """Yield the SQL that holds the restored database. Its table is as it is in the backup, so no model is used."""
    values = {
        "backup": str(manifest["name"])[:100],
        "made_at": datetime.fromisoformat(manifest["made_at"]),
        "restored_at": clock.billing(),
        "entry": int(manifest["entry"]),
        "seal": int(manifest["seal"]),
    }
    yield HOLD.format(**{name: as_literal(value) for name, value in values.items()})
    for statement in ENDS_ACCESS:
        yield statement.format(now=as_literal(clock.wall()))
    for table in OF_OTHER_MACHINES:
        if table in manifest["tables"]:  # those with rows; an older backup does not have each table
            yield f"DELETE FROM {table}"  # noqa: S608


def _literal_of_postgresql(value: str | int | datetime) -> str:
    return sql.Literal(value).as_string(None)


def _literal_of_sqlite(value: str | int | datetime) -> str:
    """Return the value as Django stores it: a time is UTC, without a zone."""
    if isinstance(value, int):
        return str(value)
    text = str(value.replace(tzinfo=None)) if isinstance(value, datetime) else value.replace("'", "''")
    return f"'{text}'"
