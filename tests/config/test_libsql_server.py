"""What django-libsql's driver does wrong on a real server, and config/libsql/server.py does right.

Each case runs twice, on the driver as it is and on ours. ``RIGHT`` was worked out by hand, from SQLite's documentation
and what Python's sqlite3 does.
"""

import base64
import contextlib
import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connections, transaction

from billing.models import Office
from tests.libsql_server import Server
from tests.processes import until

if not shutil.which(os.environ.get("LIBSQL_SERVER", "sqld")):
    pytest.skip("LIBSQL_SERVER names no libSQL server: make test-libsql", allow_module_level=True)

from libsql.db.backends.sqlite3 import base as plain
from libsql_client import LibsqlError
from libsql_client.dbapi2.types import RawExecuteResult

from config.libsql import server as ours

SECRET = "nobody-shall-read-this"
PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
"""Of the first example of RFC 8032: no token here fits it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server") / "data"
    folder.mkdir()
    running = Server(folder)
    running.start()
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def _on_a_database_of_its_own(django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def connection_of(form: Any, url: str, **options: Any) -> Any:
    given = {"ENGINE": "config.libsql", "NAME": url, "OPTIONS": options, "CONN_HEALTH_CHECKS": True}
    return form.DatabaseWrapper(connections.configure_settings({"default": given})["default"], "libsql")


@pytest.fixture(params=["plain", "ours"])
def form(request) -> Any:
    return {"plain": plain, "ours": ours}[request.param]


@pytest.fixture
def database(form, server) -> Iterator[Any]:
    with opened(form, server) as connection:
        yield connection


@contextlib.contextmanager
def opened(form: Any, server: Server, **options: Any) -> Iterator[Any]:
    connection = connection_of(form, server.url, **options)
    connections["libsql"] = connection
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS kept")
        cursor.execute("CREATE TABLE kept (n INTEGER UNIQUE, t TEXT)")
    try:
        yield connection
    finally:
        with contextlib.suppress(Exception):
            connection.close()
        del connections["libsql"]


def kept(server: Server) -> list[Any]:
    """What the server has, asked by another connection."""
    other = connection_of(ours, server.url)
    try:
        with other.cursor() as cursor:
            return [row[0] for row in cursor.execute("SELECT n FROM kept ORDER BY n").fetchall()]
    finally:
        other.close()


def put(connection: Any, *numbers: Any) -> None:
    with connection.cursor() as cursor:
        for number in numbers:
            cursor.execute("INSERT INTO kept (n) VALUES (%s)", [number])


def put_by_another(server: Server, number: int) -> None:
    other = connection_of(ours, server.url)
    put(other, number)
    other.close()


def all_rows_in_batches(database: Any, server: Server) -> Any:
    """A thousand rows, fetched a hundred at a time."""
    with database.cursor() as cursor:
        cursor.execute("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 1000) SELECT x FROM c")
        rows: list[Any] = []
        while batch := cursor.fetchmany(100):
            rows += batch
    return len(rows)


def a_row_before_a_savepoint_that_is_rolled_back(database: Any, server: Server) -> Any:
    with transaction.atomic(using="libsql"):
        put(database, 1)
        with contextlib.suppress(ZeroDivisionError), transaction.atomic(using="libsql"):
            put(database, 2)
            raise ZeroDivisionError
        put(database, 3)
    return kept(server)


def a_block_whose_lock_was_taken_away(database: Any, server: Server) -> Any:
    """The server takes the write lock from a transaction older than five seconds, when another one waits."""
    with contextlib.suppress(DatabaseError), transaction.atomic(using="libsql"):
        put(database, 1)
        waiting = threading.Thread(target=put_by_another, args=(server, 2))
        time.sleep(5.5)
        waiting.start()
        waiting.join()
        for number in (3, 4):
            with contextlib.suppress(DatabaseError):
                put(database, number)
    return kept(server)


def the_largest_integers(database: Any, server: Server) -> Any:
    put(database, 2**63 - 1, -(2**63))
    return kept(server)


def an_integer_beyond_64_bits(database: Any, server: Server) -> Any:
    try:
        put(database, 2**63)
    except OverflowError:
        return "refused"
    return kept(server)


def a_number_that_is_there_twice(database: Any, server: Server) -> Any:
    put(database, 1)
    try:
        put(database, 1)
    except IntegrityError:
        return "refused"
    return kept(server)


CASES: list[tuple[Any, Any, bool]] = [  # what is right, and whether the driver by itself does it
    (all_rows_in_batches, 1000, False),
    (a_row_before_a_savepoint_that_is_rolled_back, [1, 3], False),
    (a_block_whose_lock_was_taken_away, [2], False),
    (the_largest_integers, [-(2**63), 2**63 - 1], True),
    (an_integer_beyond_64_bits, "refused", True),
    (a_number_that_is_there_twice, "refused", True),
]


@pytest.mark.parametrize(("case", "right", "driver_does_it"), CASES, ids=[case.__name__ for case, *_ in CASES])
def test_the_driver_is_wrong_where_it_was_seen_to_be_and_ours_is_right(
    case, right, driver_does_it, database, server, form
):
    try:
        seen = case(database, server)
    except Exception as error:  # noqa: BLE001  the driver raises whatever comes
        seen = repr(error)

    assert (seen == right) == (form is ours or driver_does_it), seen


@contextlib.contextmanager
def silent(answers: bool = False) -> Iterator[str]:
    """A server that takes connections and says nothing; or shakes hands, and says nothing then."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}"


def refused() -> contextlib.AbstractContextManager[str]:
    return contextlib.nullcontext("ws://127.0.0.1:1")


@pytest.mark.parametrize("place", [refused, silent])
def test_where_patience_is_short_a_server_that_does_not_answer_is_an_error_within_two_seconds(place):
    from config import databases

    with place() as url:
        patient = {"ENGINE": "config.libsql", "NAME": url, "OPTIONS": {}}
        limited = databases.with_limits(patient, seconds=databases.IMPATIENT_SECONDS)
        connection = connection_of(ours, url, **limited["OPTIONS"])
        began = time.monotonic()
        with pytest.raises(OperationalError):
            connection.ensure_connection()
        assert time.monotonic() - began < 2


def test_a_server_that_falls_silent_is_an_error_within_two_seconds_each_time(server):
    import signal

    from config import databases

    patient = {"ENGINE": "config.libsql", "NAME": server.url, "OPTIONS": {}}
    limits = databases.with_limits(patient, seconds=databases.IMPATIENT_SECONDS)["OPTIONS"]
    with opened(ours, server, **limits) as connection:
        server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            for _ in range(3):
                began = time.monotonic()
                with pytest.raises(OperationalError):
                    put(connection, 1)
                assert time.monotonic() - began < 2
                connection.close_if_unusable_or_obsolete()
        finally:
            server.process.send_signal(signal.SIGCONT)
        put(connection, 2)


def busy(*_: Any) -> RawExecuteResult:
    return RawExecuteResult([None], [LibsqlError("database is locked", "SQLITE_BUSY")])


@pytest.mark.parametrize(
    ("word", "in_a_block", "times", "tries", "is_kept"),
    [
        ("INSERT", False, 2, 3, True),
        ("BEGIN", True, 2, 3, True),
        ("INSERT", True, 1, 1, False),
        ("COMMIT", True, 1, 1, False),
    ],
)
def test_what_is_refused_because_others_write_is_tried_again_but_not_inside_a_block(
    word, in_a_block, times, tries, is_kept, server, monkeypatch
):
    """Where single statements and transactions of many connections mix, a few in thousands are refused like this."""
    asks, tried = plain.SQLiteCursorWrapper._raw_execute_one, list[str]()

    def busy_at_first(cursor: Any, statement: Any) -> Any:
        if not statement["sql"].startswith(word):
            return asks(cursor, statement)
        tried.append(statement["sql"])
        return busy() if len(tried) <= times else asks(cursor, statement)

    with opened(ours, server) as connection:
        monkeypatch.setattr(plain.SQLiteCursorWrapper, "_raw_execute_one", busy_at_first)
        refused = contextlib.nullcontext() if is_kept else pytest.raises(OperationalError, match="locked")
        block = transaction.atomic(using="libsql") if in_a_block else contextlib.nullcontext()
        with refused, block:
            put(connection, 1)
        monkeypatch.undo()
        assert (kept(server), len(tried)) == ([1] if is_kept else [], tries)


def test_who_is_always_refused_gets_an_error_before_the_time_out(server, monkeypatch):
    with opened(ours, server, timeout=2) as connection:
        monkeypatch.setattr(plain.SQLiteCursorWrapper, "_raw_execute_one", busy)
        began = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            put(connection, 1)
        assert time.monotonic() - began < 2
        monkeypatch.undo()


def test_a_query_under_debug_on_a_lost_connection_is_an_error_of_djangos(server, settings):
    settings.DEBUG = True
    with opened(ours, server) as connection:
        server.kill()
        try:
            with pytest.raises(DatabaseError):
                put(connection, 1)
            with pytest.raises(DatabaseError):
                put(connection, 1)
        finally:
            server.start()
        put(connection, 7)
        assert kept(server) == [7]


def test_no_parameter_of_a_statement_is_logged_at_any_level(server, caplog):
    caplog.set_level(logging.DEBUG)
    loud = [logging.getLogger(name) for name in ("libsql_client", "asyncio", "aiohttp")]
    before = [one.level for one in loud]
    for one in loud[1:]:
        one.setLevel(logging.DEBUG)
    try:
        with opened(ours, server) as connection:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO kept (n, t) VALUES (%s, %s)", [1, SECRET])
                with contextlib.suppress(DatabaseError):
                    cursor.execute("INSERT INTO kept (n, t) VALUES (%s, %s)", [1, SECRET])
            server.process.kill()
            with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("INSERT INTO kept (n, t) VALUES (%s, %s)", [2, SECRET])
    finally:
        for one, level in zip(loud, before, strict=True):
            one.setLevel(level)
        server.kill()
        server.start()

    assert SECRET not in caplog.text


def test_a_query_of_the_orm_on_a_lost_server_is_an_error_of_djangos(server):
    with opened(ours, server):
        server.kill()
        try:
            with pytest.raises(OperationalError):
                list(Office.objects.using("libsql")[:1])
        finally:
            server.start()


def test_an_answer_may_be_as_large_as_it_is(server):
    with opened(ours, server) as connection, connection.cursor() as cursor:
        numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 60000)"
        cursor.execute(f"{numbers} SELECT x, hex(zeroblob(50)) FROM c")
        assert len(cursor.fetchall()) == 60_000


def test_a_token_that_is_refused_leaves_nothing_behind(tmp_path):
    (tmp_path / "data").mkdir()
    public_key = base64.urlsafe_b64encode(bytes.fromhex(PUBLIC_KEY)).decode().rstrip("=")
    closed = Server(tmp_path / "data", SQLD_AUTH_JWT_KEY=public_key)
    closed.start()
    try:
        before = threading.active_count()
        for _ in range(5):
            with pytest.raises(OperationalError, match="refuses the connection"):
                connection_of(ours, closed.url).ensure_connection()
        until(lambda: threading.active_count() <= before)
    finally:
        closed.kill()
