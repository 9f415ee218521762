"""A libSQL server: Django's SQLite backend over django-libsql's driver, corrected where that loses data.

Django-libsql gives the driver, its connection and its cursor. Django gives the rest (SQL, schema, introspection), as
for a database file. This is the only module that imports django-libsql. What it corrects:

- ``fetchmany`` loses a row of each full batch.
- ``ROLLBACK TO SAVEPOINT`` counts as the end of the transaction, and the rows before the savepoint are lost.
- After the server took the transaction away, the rest of an ``atomic`` block runs in autocommit.
- A time-out or a lost connection is raised as an error that Django does not know.
- The server refuses some statements because others write, long before the time-out.
- Closing waits for a server that is silent.
- Each statement is logged with its parameters.
"""

import asyncio
import contextlib
import logging
import threading
import time
from functools import partial
from itertools import islice
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.sqlite3 import base
from libsql.db.backends.sqlite3 import base as driver
from libsql_client import LibsqlError

from config.libsql import common
from config.libsql.operations import DatabaseOperations

LOST = {
    "TRANSACTION_TIMEOUT",
    "TRANSACTION_BUSY",
    "STREAM_CLOSED",
    "STREAM_EXPIRED",
    "HRANA_WEBSOCKET_ERROR",
    "HRANA_PROTO_ERROR",
    "CLIENT_CLOSED",
}
"""The codes after which the server has no transaction, or no connection, of ours any more."""
CLOSING_SECONDS = 0.2
AGAIN_SECONDS = 0.05

for _name in ("libsql_client", "libsql_client.dbapi2"):  # it writes statements with their parameters
    logging.getLogger(_name).propagate = False
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)


class Connection(driver.Database.Connection):
    """The driver's connection, with savepoints that hold and a close that does not wait."""

    def _raw_init(self) -> None:
        super()._raw_init()
        self.cursor_factory = Cursor

    def _acquire_session(self) -> Any:
        """Take answers of any size. aiohttp's limit of 4 MiB would end the connection."""
        session = super()._acquire_session()
        session.ws_connect = partial(session.ws_connect, max_msg_size=0)
        return session

    def _begin_transaction_if_needed(self, statement: Any) -> None:
        """Begin before a first SAVEPOINT too, so that it is not the transaction itself."""
        first = statement.tokens[0].upper()
        if first == "SAVEPOINT" and self.isolation_level is not None and not self.in_transaction:
            self._begin_transaction()
        super()._begin_transaction_if_needed(statement)

    def _update_in_transaction(self, statement: Any) -> None:
        """ROLLBACK TO does not end the transaction."""
        words = [token.upper() for token in statement.tokens[:4]]
        if not (words[0] == "ROLLBACK" and "TO" in words):
            super()._update_in_transaction(statement)

    def _raw_close(self) -> None:
        """Let go of the connection at once. The driver waits four times its time-out where a server is silent."""
        executor = getattr(self, "_executor", None)
        parts = [part for name in ("_conn", "_session") if (part := getattr(self, name, None))]
        self._stream = self._conn = self._session = self._executor = None
        if executor is None:
            return

        async def end() -> None:
            for part in parts:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(part.close(), CLOSING_SECONDS)

        with contextlib.suppress(Exception):
            executor.submit(end).result(2 * CLOSING_SECONDS + 0.1)
        threading.Thread(target=executor.shutdown, daemon=True).start()  # it waits for a name that is being resolved

    def let_go(self) -> None:
        """Run nothing more on this connection: what follows would not be in the transaction."""
        self._raw_close()
        self._closed = True

    @property
    def is_lost(self) -> bool:
        return bool(self._closed)


class Cursor(driver.SQLiteCursorWrapper):
    """The driver's cursor, with all rows and with errors that Django knows."""

    def close(self) -> None:
        """Close nothing on a lost connection: Django closes a cursor that failed, and an error here would hide why."""
        if not self.connection.is_lost:
            super().close()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return list(islice(self, size or self.arraysize))

    def _raw_execute_one(self, statement: Any) -> Any:
        """Try a statement again that was refused because others write, outside of a transaction.

        All tries together take no longer than the time-out. None begins after half of it, so that a slow answer is not
        taken for a lost server.
        """
        patience = self.connection._timeout
        until = time.monotonic() + patience
        try:
            while True:
                result = self._checked(super()._raw_execute_one(statement))
                busy = any(isinstance(error, LibsqlError) and error.code == "SQLITE_BUSY" for error in result.errors)
                left = until - time.monotonic() - AGAIN_SECONDS
                if not busy or self.connection.in_transaction or left < patience / 2:
                    return result
                time.sleep(AGAIN_SECONDS)
                self.connection._timeout = left
        finally:
            self.connection._timeout = patience

    def _raw_execute_multiple(self, statements: Any) -> Any:
        return self._checked(super()._raw_execute_multiple(statements))

    def _checked(self, result: Any) -> Any:
        """Take for lost what the server did not say itself: what it says is a ``LibsqlError``."""
        for at, error in enumerate(result.errors):
            if error is not None and (not isinstance(error, LibsqlError) or error.code in LOST):
                result.errors[at] = driver.Database.OperationalError(f"The libSQL server is lost: {error!r}")
                self.connection.let_go()
        return result


class DatabaseFeatures(base.DatabaseFeatures):
    test_db_allows_multiple_connections = True
    can_clone_databases = False


class DatabaseCreation(base.DatabaseCreation):
    """Tests run on a server of their own, which must be empty: nothing on a server is ever dropped."""

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        name: str = self.connection.settings_dict["NAME"]
        with self.connection.cursor() as cursor:
            tables = self.connection.introspection.table_names(cursor)
        if tables and not keepdb:
            raise ImproperlyConfigured(f"{name} has tables. Tests need a server of their own: make test-libsql")
        return name

    def _get_test_db_name(self) -> str:
        return str(self.connection.settings_dict["NAME"])

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        """Leave it: whoever started the server ends it."""

    def test_db_signature(self) -> tuple[str, ...]:
        return (self.connection.settings_dict["NAME"],)


class DatabaseWrapper(common.DatabaseWrapper):
    """NAME is the address, PASSWORD the token."""

    display_name = "libSQL (server)"
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
    operators = {
        name: sql
        for name, sql in common.DatabaseWrapper.operators.items()
        if name != "iregex"  # the server has a function for it, see DatabaseOperations.regex_lookup
    }
    our_options = {"timeout": common.WAIT_SECONDS, "transaction_mode": "IMMEDIATE"}

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "auth_token": self.settings_dict["PASSWORD"] or None}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        try:
            connection = driver.Database.connect(**conn_params, factory=Connection)
        except (TimeoutError, OSError, AssertionError, RuntimeError) as error:
            raise driver.Database.OperationalError(f"The libSQL server does not answer: {error!r}") from error
        try:
            connection.execute("PRAGMA foreign_keys = ON")
        except driver.Database.Error as error:  # a token that is refused is seen here first
            connection.let_go()
            raise driver.Database.OperationalError(f"The libSQL server refuses the connection: {error}") from error
        return connection

    def ensure_connection(self) -> None:
        """Open another connection for a lost one, where no transaction was lost with it."""
        self._close_if_lost()
        super().ensure_connection()

    def close_if_unusable_or_obsolete(self) -> None:
        """Django calls it between requests, so a server that is away must not raise here."""
        self._close_if_lost()
        super().close_if_unusable_or_obsolete()

    def _close_if_lost(self) -> None:
        if self.connection is not None and self.connection.is_lost and not self.in_atomic_block:
            self.close()

    def create_cursor(self, name: str | None = None) -> Cursor:
        return self.connection.cursor(factory=Cursor)

    def get_database_version(self) -> tuple[int, ...]:
        with self.temporary_connection() as cursor:
            cursor.execute("SELECT sqlite_version()")
            return tuple(int(part) for part in cursor.fetchone()[0].split("."))

    def is_usable(self) -> bool:
        """Ask whether the connection is alive, with a part of its time-out, so that there is time for another one."""
        patience = self.connection._timeout
        try:
            self.connection._timeout = patience / 4
            self.connection.execute("SELECT 1").fetchone()
        except Exception:  # noqa: BLE001  whatever it is, a new connection is opened
            return False
        finally:
            self.connection._timeout = patience
        return True

    def is_in_memory_db(self) -> bool:
        return False
