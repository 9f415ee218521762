"""Checks of this machine, the database and the settings."""

import functools
import shutil
from pathlib import Path

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from billing import changed_settings, checks
from billing.durations import many
from billing.models import KnownSetting
from billing.monitoring.outcome import Outcome, Seen, amber, green, of_system_check, red
from config.databases import is_file, is_libsql_server

MIB = 1024 * 1024
AMBER_TIMES = 4
"""How many times the least free space is amber."""
MIGRATE = "Run: python manage.py migrate"
FULL = 2
"""SQLite's number for PRAGMA synchronous = FULL. Source: https://www.sqlite.org/pragma.html#pragma_synchronous"""


def file_of(using: str = "default") -> Path | None:
    """Return the database file, or None if the database is none."""
    if not is_file(settings.DATABASES["default"]):
        return None
    return Path(str(connections[using].settings_dict["NAME"]).removeprefix("file:").partition("?")[0])


def lacks_its_file(using: str = "default") -> bool:
    """Return whether there is no database file. To connect would make an empty one."""
    file = file_of(using)
    return file is not None and file.parent.is_dir() and not file.exists()


def database(seen: Seen) -> Outcome:
    if lacks_its_file(seen.using):
        return red(
            "There is no database file at this path.",
            "Look at DATABASE_URL. For a new database run: python manage.py migrate. To go back to a backup: restore.",
        )
    try:
        with connections[seen.using].cursor() as cursor:
            cursor.execute("SELECT 1")
    except AnyDatabaseError as error:
        return red(
            f"The database does not answer ({type(error).__name__}).",
            "Start the database, and look at DATABASE_URL, the disk and the rights on the file.",
        )
    return green("The database answers.")


def migrations(seen: Seen) -> Outcome:
    applied = MigrationRecorder(connections[seen.using]).applied_migrations()
    if missing := _known_migrations() - set(applied):
        return red(f"The database lacks {many(len(missing), 'migration')} of this version.", MIGRATE)
    return green("The database has all migrations of this version.")


@functools.cache
def _known_migrations() -> set[tuple[str, str]]:
    return set(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)


def durability(seen: Seen) -> Outcome:
    """Whether a commit is on disk before anybody is told that it is done."""
    kept = "What was committed is on disk, also after a power cut."
    if is_libsql_server(settings.DATABASES["default"]):
        lost = "A libSQL server does not put each commit on disk, so a power cut can lose what was written last."
        return (
            amber(lost, "Use PostgreSQL or a database file in live mode.") if settings.STRIPE_LIVE_MODE else green(lost)
        )
    with connections[seen.using].cursor() as cursor:
        if connections[seen.using].vendor == "postgresql":
            cursor.execute("SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')")
            if off := sorted(name for name, value in cursor.fetchall() if value == "off"):
                return red(f"PostgreSQL can lose commits at a power cut: {', '.join(off)} is off.", "Switch it on.")
            return green(kept)
        cursor.execute("PRAGMA journal_mode")
        (journal,) = cursor.fetchone()
        cursor.execute("PRAGMA synchronous")
        (synchronous,) = cursor.fetchone()
    if journal != "wal" or synchronous < FULL:
        how = f"journal_mode is {journal}, synchronous is {synchronous}"
        return red(f"The database file can lose commits at a power cut: {how}.", "Restart web and workers.")
    return green(kept)


def role_defaults(seen: Seen) -> Outcome | None:
    if connections[seen.using].vendor != "postgresql":
        return None
    return of_system_check(
        checks.check_role_defaults(using=seen.using), well="The database role has its time limits and UTC."
    )


def encryption(seen: Seen) -> Outcome:
    well = "There is no live data, or the settings say that it is encrypted at rest."
    return of_system_check(checks.check_where_live_data_is(), well=well)


def disk(seen: Seen) -> Outcome | None:
    """The disk of a database file. A database server watches its own."""
    if (file := file_of(seen.using)) is None:
        return None
    try:
        free = shutil.disk_usage(file.parent).free // MIB
    except OSError:
        return red(
            "The folder of the database file cannot be read.", "Look at the disk, and at DATABASE_URL.", "folder"
        )
    least = settings.DISK_LEAST_FREE_MB
    says = f"{free:,} MB are free on the disk of the database."
    todo = f"Free some space. Below {least:,} MB (DISK_LEAST_FREE_MB) this is red, and a full disk stops all writing."
    if free < least:
        return red(says, todo)
    return amber(says, todo) if free < AMBER_TIMES * least else green(says)


def environment(seen: Seen) -> Outcome:
    changed = changed_settings.differing(using=seen.using)
    if changed:
        return amber(
            f"This process has other settings than the worker that started last: {', '.join(changed)}.",
            "Restart web and workers, so that all of them have the same.",
        )
    if not KnownSetting.objects.using(seen.using).exists():
        return green("No worker has started yet, so there are no settings to compare with.")
    return green("A worker started with the same settings.")


def proxies(seen: Seen) -> Outcome:
    return of_system_check(checks.check_trusted_proxies(), well="TRUSTED_PROXIES is set, or DEBUG is on.")


def static_files(seen: Seen) -> Outcome:
    return of_system_check(checks.check_static_files(), well="The static files are there.")
