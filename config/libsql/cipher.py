"""SQLCipher, before Django is there: open an encrypted file by its key.

The key is 64 hexadecimal digits: a raw key, from which nothing is derived.
Source: https://www.zetetic.net/sqlcipher/sqlcipher-api/#key
"""

from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2

BUSY, NOT_A_DATABASE = 5, 26
"""SQLite's codes: another process holds the file; the key is not the file's."""


def raw(key: str) -> str:
    """The key as SQLCipher takes one that it shall not derive another one from."""
    return f"x'{key}'"


def key_pragma(key: str) -> str:
    return f'PRAGMA key = "{raw(key)}"'


def unlock(connection: Any, key: str) -> None:
    """Give the connection its key, and read the first page. Raises DatabaseError, see ``is_wrong_key``."""
    connection.execute(key_pragma(key))
    connection.execute("SELECT count(*) FROM sqlite_master")


def is_wrong_key(error: Exception) -> bool:
    """Whether the key is not the file's. Another process that holds the file for a moment is no wrong key."""
    return bool(getattr(error, "sqlite_errorcode", None) == NOT_A_DATABASE)


def opens(file: Path, key: str) -> bool:
    """Whether this key is the file's, as far as can be seen now: the file may be held by another process."""
    connection = dbapi2.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
    try:
        connection.execute("PRAGMA cipher_log_level = NONE")  # it would tell of the wrong key on stderr, in its words
        unlock(connection, key)
    except dbapi2.DatabaseError as error:
        return not is_wrong_key(error)
    finally:
        connection.execute("PRAGMA cipher_log_level = WARN")
        connection.close()
    return True
