"""What a copy of the database holds, read from the copy itself: how many rows, and the trail's newest head."""

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import _functions  # type: ignore[attr-defined]  # missing in its stubs

from billing.backups import NotDone, postgresql
from billing.backups.copies import Form


@dataclass(frozen=True, slots=True)
class Contents:
    """``tables`` are those with rows. ``entry`` is the last entry of the audit trail, ``seal`` and ``root`` its head.

    ``size`` is how many entries are sealed. Where there is none, numbers are 0 and texts are empty.
    """

    tables: dict[str, int]
    migrations: list[str]
    account: str
    entry: int
    seal: int
    size: int
    root: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read(copy: Path, form: Form, *, key: str) -> Contents:
    """Read the whole copy. ``key`` is that of an encrypted database file.

    Raises: NotDone: it is damaged, or the key is another one.
    """
    if form is Form.POSTGRESQL:
        return _of_dump(copy)
    with opened(copy, form, key=key) as connection:
        return _of_file(connection, form)


@contextlib.contextmanager
def opened(file: Path, form: Form, *, key: str) -> Iterator[Any]:
    """Open a database file that nothing else uses. Raises: NotDone."""
    if form is Form.FILE:
        errors: type[Exception] = sqlite3.Error
        connection: Any = sqlite3.connect(file, isolation_level=None)
    else:
        if not key:
            raise NotDone("The backup is of an encrypted database file. Set DATABASE_KEY to the key that it had then.")
        from sqlcipher3 import dbapi2

        from config.libsql import cipher

        errors, connection = dbapi2.Error, dbapi2.connect(str(file), isolation_level=None)
        connection.execute(cipher.key_pragma(key))
    try:
        _functions.register(connection)  # an index or a constraint of Django's can call them
        yield connection
    except errors as error:
        hint = "" if form is Form.FILE else " Is DATABASE_KEY the key that the database file had then?"
        raise NotDone(f"The database file in the backup cannot be read: {error}.{hint}") from error
    finally:
        connection.close()


def _of_file(connection: Any, form: Form) -> Contents:
    damaged = [row for row in connection.execute("PRAGMA integrity_check") if row != ("ok",)]
    if form is Form.ENCRYPTED:
        damaged += connection.execute("PRAGMA cipher_integrity_check").fetchall()
    if damaged:
        raise NotDone(f"The database file in the backup is damaged: {damaged[0][0]}.")
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    ).fetchall()
    counts = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names}  # noqa: S608
    migrations = connection.execute("SELECT name FROM django_migrations WHERE app = 'billing' ORDER BY name").fetchall()
    account = connection.execute("SELECT account_id FROM billing_stripeaccount").fetchone()
    entry = connection.execute("SELECT max(id) FROM billing_auditentry").fetchone()[0]
    seal = connection.execute("SELECT number, size, root FROM billing_auditseal ORDER BY number DESC").fetchone()
    number, size, root = seal or (0, 0, "")
    return Contents(
        tables={name: count for name, count in counts.items() if count},
        migrations=[name for (name,) in migrations],
        account=account[0] if account else "",
        entry=entry or 0,
        seal=number,
        size=size,
        root=root,
    )


def _of_dump(dump: Path) -> Contents:
    counts: Counter[str] = Counter()
    migrations, account, entry, head = [], "", 0, (0, 0, "")
    for table, row in postgresql.rows(dump):
        counts[table] += 1
        if table == "django_migrations" and row["app"] == "billing":
            migrations.append(row["name"])
        elif table == "billing_stripeaccount":
            account = row["account_id"]
        elif table == "billing_auditentry":
            entry = max(entry, int(row["id"]))
        elif table == "billing_auditseal":
            head = max(head, (int(row["number"]), int(row["size"]), row["root"]))
    number, size, root = head
    return Contents(dict(sorted(counts.items())), sorted(migrations), account, entry, number, size, root)
