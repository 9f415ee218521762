"""Put an encrypted copy in the place of the database file: to encrypt a plain one, or to change the key.

The copy is made beside the file, compared with it, and put on disk. Only then does it replace the file, in one step.
Until that step the file is whole and opens as before. What a killed run left is removed by the next one, which starts
anew. For all of this time no other process can open the file.
"""

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from django.db.backends.sqlite3 import _functions
from sqlcipher3 import dbapi2

from config.libsql import cipher

COPY = ".being-encrypted"
"""How the name of the copy ends."""
BESIDE = ("-wal", "-shm", "-journal")
BLOCK = b"\x00" * 1024 * 1024
PATIENCE_SECONDS = 1


class NotReplaced(Exception):
    """The file is as it was. The text says why, and what to do."""


def replace(file: Path, *, key: str, new_key: str, record: Callable[[Path], None]) -> bool:
    """Replace the file by its copy that only ``new_key`` opens. ``key`` is empty where the file is plain.

    ``record`` may write to the copy before it replaces the file. Repeating is safe until that moment. Returns whether
    the old file could be overwritten.

    Raises:
        NotReplaced: another process has the file open, there is no room, or the copy is not the same.
    """
    file = file.resolve()  # a link stays a link
    copy = file.with_name(file.name + COPY)
    try:
        with _held(file, key) as connection:
            try:
                _remove(copy)
                _check_room(file)
                _write(connection, file, copy, new_key)
                _compare(connection, copy, new_key)
                record(copy)
                return _put_in_place(copy, file)
            finally:
                _remove(copy)
    except (dbapi2.Error, OSError) as error:
        raise NotReplaced(f"{error}.") from error


@contextlib.contextmanager
def _held(file: Path, key: str) -> Iterator[Any]:
    """Hold the file, so that no other process can open it.

    A process that has the file open, though idle, holds a lock on it while the file is in WAL. So leaving WAL is
    refused. After that the exclusive lock is kept until the connection is closed.
    Source: https://www.sqlite.org/pragma.html#pragma_locking_mode
    """
    connection = dbapi2.connect(str(file), timeout=PATIENCE_SECONDS, isolation_level=None)
    connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
    try:
        if key:
            connection.execute(cipher.key_pragma(key))
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            if mode != "delete":
                raise NotReplaced(f"{file} does not leave the journal mode {mode}.")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except dbapi2.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != cipher.BUSY:
                raise
            raise NotReplaced(
                f"Another process has {file} open. Stop each web, worker, shell and command first, then run this again."
            ) from error
        _functions.register(connection)  # an index or a constraint of Django's can call them
        yield connection
    finally:
        with contextlib.suppress(dbapi2.Error):  # the file may have its new key already: an error would say it has not
            connection.close()


def _remove(copy: Path) -> None:
    for end in ("", *BESIDE):
        copy.with_name(copy.name + end).unlink(missing_ok=True)


def _check_room(file: Path) -> None:
    """There is room for the copy: each page of it has 2% for the cipher, and the audit entry needs a little."""
    needed = file.stat().st_size * 105 // 100 + 2_000_000
    free = shutil.disk_usage(file.parent).free
    if free < needed:
        raise NotReplaced(
            f"There is not enough room in {file.parent}. The copy needs {needed // 1_000_000 + 1} MB, and "
            f"{free // 1_000_000} MB are free."
        )


def _write(connection: Any, file: Path, copy: Path, key: str) -> None:
    """Write everything in the file into the copy. Only who may read the file may read the copy."""
    like = file.stat()
    made = os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.fchown(made, like.st_uid, like.st_gid)
        os.fchmod(made, like.st_mode & 0o777)
    finally:
        os.close(made)
    with _attached(connection, copy, key):
        connection.execute("PRAGMA copy.journal_mode = OFF")  # an unfinished copy is thrown away
        connection.execute("PRAGMA copy.synchronous = OFF")  # a finished one is put on disk before it is used
        connection.execute("SELECT sqlcipher_export('copy')")
        for name in ("user_version", "application_id"):
            (value,) = connection.execute(f"PRAGMA main.{name}").fetchone()
            connection.execute(f"PRAGMA copy.{name} = {value}")


def _compare(connection: Any, copy: Path, key: str) -> None:
    """The copy, read anew, is sound and has the same in it. Raises: NotReplaced."""
    with _attached(connection, copy, key):
        damaged = connection.execute("PRAGMA copy.cipher_integrity_check").fetchall()
        damaged += [row for row in connection.execute("PRAGMA copy.integrity_check") if row != ("ok",)]
        if damaged:
            raise NotReplaced(f"The copy is damaged: {damaged[0][0]}.")
        same = _all_same(connection, "PRAGMA {}.user_version") and _all_same(connection, "PRAGMA {}.application_id")
        if not (same and _all_same(connection, "SELECT type, name, tbl_name, sql FROM {}.sqlite_master ORDER BY 1, 2")):
            raise NotReplaced("The copy has another schema than the file.")
        for (table,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            if not _all_same(connection, f'SELECT * FROM {{}}."{table}" NOT INDEXED'):  # noqa: S608  the schema's name
                raise NotReplaced(f"The copy has other rows than the file in the table {table}.")


def _all_same(connection: Any, query: str) -> bool:
    """Every row of the file is in the copy, in the same order and of the same types, and no other row is."""
    ours, theirs = (connection.execute(query.format(name)) for name in ("main", "copy"))
    return all(repr(one) == repr(other) for one, other in zip_longest(ours, theirs))


def _put_in_place(copy: Path, file: Path) -> bool:
    """Put the copy on disk, let it replace the file, and overwrite what the file was.

    A process may wait for the old file, with that open. It finds no database in it, or that the file has moved, which
    SQLite notices. Closing the old file ends this process's lock on it, so that is last.
    """
    if any(copy.with_name(copy.name + end).exists() for end in BESIDE):
        raise NotReplaced("The copy is still open somewhere.")
    _put_on_disk(copy)
    _put_on_disk(copy.parent)
    with file.open("r+b", buffering=0) as old:
        for end in BESIDE:
            file.with_name(file.name + end).unlink(missing_ok=True)
        os.replace(copy, file)
        try:
            _put_on_disk(file.parent)
            _overwrite(old)
        except OSError:
            return False
    return True


def _put_on_disk(place: Path) -> None:
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _overwrite(old: Any) -> None:
    left = os.fstat(old.fileno()).st_size
    while left > 0:
        left -= old.write(BLOCK[:left])
    os.fsync(old.fileno())


@contextlib.contextmanager
def _attached(connection: Any, copy: Path, key: str) -> Iterator[None]:
    connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(copy), cipher.raw(key)))
    try:
        yield
    finally:
        connection.execute("DETACH DATABASE copy")
