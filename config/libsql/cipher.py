"""SQLCipher, before Django is there: open an encrypted file by its key.

The key is 64 hexadecimal digits: a raw key, from which nothing is derived.
Source: https://www.zetetic.net/sqlcipher/sqlcipher-api/#key
"""

from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2


def unlock(connection: Any, key: str) -> None:
    """Give the connection its key. Raises DatabaseError where it is not the file's."""
    connection.execute(f"PRAGMA key = \"x'{key}'\"")
    connection.execute("SELECT count(*) FROM sqlite_master")


def opens(file: Path, key: str) -> bool:
    """Whether this key is the file's."""
    connection = dbapi2.connect(f"file:{file}?mode=ro", uri=True)
    try:
        unlock(connection, key)
    except dbapi2.DatabaseError:
        return False
    finally:
        connection.close()
    return True
