"""The databases behind DATABASE_URL: what each form needs, and what is refused at the start with what to put instead.

| DATABASE_URL | is | beside it |
|---|---|---|
| ``libsql:///var/x.db`` | a file, relative to the project | DATABASE_KEY, if it is encrypted |
| ``libsql:////abs/x.db`` | a file, absolute | the same |
| ``libsql://host``, ``wss://host`` | a libSQL server, by TLS | DATABASE_AUTH_TOKEN |
| ``ws://127.0.0.1:8080`` | a libSQL server on this machine, without TLS | the same, and DATABASE_PLAIN_ON_LOOPBACK |
| ``postgres://user:password@host/name`` | PostgreSQL | |
"""

import importlib.util
import ipaddress
import platform
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from environ import Env

from config.environment import Problems
from config.variables.places import is_writable

LIBSQL = "config.libsql"
IMPATIENT_SECONDS = 1.4  # so that an answer is out within two, also after a write that may be left out
OPTIONAL_SECONDS = 0.4  # for a write that may be left out, while somebody waits for an answer that is ready
PLAIN_FILE = b"SQLite format 3\x00"
FORMS = (
    "use a file (libsql:///var/billing.db), a libSQL server (libsql://host with TLS, ws://127.0.0.1:8080 without) or "
    "PostgreSQL (postgres://user:password@host/name)"
)
POSTGRESQL = {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
    # a pooler gives the next transaction another connection to the server, and the cursor would not be there
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
POSTGRESQL_SCHEMES = ("postgres", "postgresql")
ESCAPE = "In the user, the password and the name write / as %2F, ? as %3F, # as %23, @ as %40, % as %25, a blank as %20"
VERIFIED = (
    "the connection to PostgreSQL must be encrypted, and the server's certificate must be verified. End the URL with "
    "?sslmode=verify-full&sslrootcert=/path/of/the/ca.pem, or use the folder of a Unix socket: "
    "postgres://user@/name?host=/var/run/postgresql."
)
ENCRYPT_IT = "To encrypt it, put the key into DATABASE_NEW_KEY, remove DATABASE_KEY, and run manage.py encrypt_database"
PLAIN_IS_POSSIBLE = "The server is on this machine, so DATABASE_PLAIN_ON_LOOPBACK=true is also possible."
LIVE_SERVER = (
    "a libSQL server is refused with a live key. It does not put each commit on disk, so a power cut can lose what was "
    "written before Stripe charged. Use PostgreSQL or a file. If you accept this, say why in LIBSQL_SERVER_LIVE_REASON"
)


def database(
    url: str, *, key: str = "", new_key: str = "", token: str = "", base_dir: Path, problems: Problems
) -> dict[str, Any]:
    """Return Django's entry for ``url``. ``key`` opens an encrypted file, ``token`` a libSQL server.

    ``new_key`` is for the commands that encrypt the file or change its key.
    """
    if what := _unreadable(url):
        problems.add("DATABASE_URL", what)
        return {"ENGINE": LIBSQL, "NAME": ":memory:"}
    parts = urlsplit(url)
    for variable, value in (("DATABASE_KEY", key), ("DATABASE_NEW_KEY", new_key)):
        if value and not _is_file(parts):
            problems.add(variable, "is only for a file (DATABASE_URL=libsql:///…). Remove it")
    if token and not _is_libsql_server(parts):
        problems.add("DATABASE_AUTH_TOKEN", "is only for a libSQL server (DATABASE_URL=libsql://…). Remove it")
    if parts.scheme in POSTGRESQL_SCHEMES:
        if "server_side_binding" in parts.query:  # the limits and an event are sent together
            problems.add("DATABASE_URL", "must not have server_side_binding. Remove it")
        return {**Env.db_url_config(url), **POSTGRESQL}
    if _is_file(parts):
        return _file(parts, key, new_key, base_dir, problems)
    if _is_libsql_server(parts):
        return _libsql_server(parts, token, problems)
    problems.add("DATABASE_URL", FORMS)
    return {"ENGINE": LIBSQL, "NAME": ":memory:"}


def _unreadable(url: str) -> str:
    """Return why an address would be read as another one, or not at all. The address is not in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:  # the text of the error can have the password
        return f"cannot be read. {ESCAPE}"
    is_file = _is_file(parts)
    if not is_file and (re.search(r"\s", url) or re.search(r"%(?![0-9a-fA-F]{2})", parts.netloc)):
        return f"has a blank in it, or a % that is not part of %XX. {ESCAPE}"
    behind = parts.path + "?" + re.sub(r"(?<![^&])host=@", "", parts.query)  # a socket's name can begin with @
    is_cut = parts.netloc.count("@") > 1 or (not is_file and "@" in behind)
    if is_cut or (parts.scheme in POSTGRESQL_SCHEMES and "#" in url):
        return f"has a special character in the user or the password, or in the name. {ESCAPE}"
    return ""


def with_limits(database: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    """Return the same database for a caller that gives up soon instead of waiting: after ``seconds`` in all.

    It is a connection of its own, because the limits must hold from the connect on, and never reach the patient one.
    PostgreSQL: what our side limits is here; ``LIMITS`` is the first statement of each transaction, see
    ``billing.time_limits``. The time is enough for two statements that each use their whole limit.
    A libSQL server: finding a dead connection may take a quarter of the time-out, and opening another one all of it.
    """
    limited = {**database, "TEST": {"MIRROR": "default"}}
    if is_libsql_server(database):
        limits: dict[str, Any] = {"timeout": seconds * 0.4}
    elif database["ENGINE"] == LIBSQL:
        limits = {"timeout": seconds}
    else:
        limits = {"connect_timeout": 2, "tcp_user_timeout": int(seconds * 1000)}  # libpq takes no less than 2 s
        limited["LIMITS"] = (
            f"SET LOCAL statement_timeout = {int(seconds * 500)}; SET LOCAL lock_timeout = {int(seconds * 400)}"
        )
    return {**limited, "OPTIONS": {**(database.get("OPTIONS") or {}), **limits}}


def is_libsql_server(database: dict[str, Any]) -> bool:
    return database["ENGINE"] == LIBSQL and _is_libsql_server(urlsplit(str(database["NAME"])))


def is_file(database: dict[str, Any]) -> bool:
    return database["ENGINE"] == LIBSQL and not is_libsql_server(database)


def check_database(database: dict[str, Any], *, debug: bool, plain_on_loopback: bool, problems: Problems) -> None:
    """With DEBUG off, require TLS with a verified server, or a Unix socket.

    ``plain_on_loopback`` accepts an address of this machine too, of a server or of a proxy that does the TLS.
    Source: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
    """
    if debug:
        return
    if database["ENGINE"] == LIBSQL:
        if str(database["NAME"]).startswith("ws://") and not plain_on_loopback:
            problems.add(
                "DATABASE_URL",
                f"the connection to the libSQL server must be encrypted (libsql://host). {PLAIN_IS_POSSIBLE}",
            )
        return
    said = {**(database.get("OPTIONS") or {}), **({"host": database["HOST"]} if database["HOST"] else {})}
    meant = said if "service" in said else _defaults_of_libpq() | said
    hosts = str(meant.get("hostaddr") or meant.get("host") or "").split(",")
    if meant.get("sslmode") == "verify-full" or ("service" not in said and all(map(_is_socket, hosts))):
        return
    if all(map(_is_loopback, hosts)):
        if not plain_on_loopback:
            problems.add("DATABASE_URL", f"{VERIFIED} {PLAIN_IS_POSSIBLE}")
        return
    problems.add("DATABASE_URL", VERIFIED)


def check_live(database: dict[str, Any], *, live: bool, reason: str, problems: Problems) -> None:
    """With a live key a libSQL server needs a stated reason, because a power cut can lose commits there."""
    if live and is_libsql_server(database) and not reason.strip():
        problems.add("DATABASE_URL", LIVE_SERVER)


def _is_file(parts: SplitResult) -> bool:
    return parts.scheme == "libsql" and not parts.netloc and bool(parts.path.strip("/"))


def _is_libsql_server(parts: SplitResult) -> bool:
    return parts.scheme in ("libsql", "wss", "ws") and bool(parts.netloc)


def _file(parts: SplitResult, key: str, new_key: str, base_dir: Path, problems: Problems) -> dict[str, Any]:
    if parts.query or parts.fragment:
        problems.add("DATABASE_URL", "a file takes no options. Remove what follows ? or #")
    path = unquote(parts.path)
    name = Path(path[1:]) if path.startswith("//") else base_dir / path.lstrip("/")
    if not problems.found:
        _make_folder(name, problems)
    new_key_opens = bool(new_key) and _check_key_itself("DATABASE_NEW_KEY", new_key, problems) and _opens(name, new_key)
    _check_key(name, key, new_key_opens, problems)
    return {
        "ENGINE": LIBSQL,
        "NAME": str(name),
        "PASSWORD": key,
        "CONN_MAX_AGE": 60,  # opening the file anew costs more than most requests do
        "ATOMIC_REQUESTS": False,
        "TEST": {"NAME": str(name.with_name(f"test-{name.name}"))},
    }


def _make_folder(file: Path, problems: Problems) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problems.add("DATABASE_URL", f"the folder {file.parent} cannot be made: {error.strerror}")
        return
    if file.is_dir():
        problems.add("DATABASE_URL", f"{file} is a folder. Name a file")
    elif not is_writable(file) or not is_writable(file.parent):
        problems.add("DATABASE_URL", f"{file} and its folder must be writable for this user")


def _check_key(file: Path, key: str, new_key_opens: bool, problems: Problems) -> None:
    """The key fits the file, so that a wrong one stops the start and not the first request."""
    begins = _begins(file)
    finished = ". DATABASE_NEW_KEY opens it: put that into DATABASE_KEY, and remove DATABASE_NEW_KEY"
    if not key:
        if begins and begins != PLAIN_FILE:
            what = f"{file} is encrypted, or is not a database. Set the key that it was encrypted with"
            problems.add("DATABASE_KEY", what + finished * new_key_opens)
    elif not _check_key_itself("DATABASE_KEY", key, problems):
        return
    elif begins == PLAIN_FILE:
        problems.add("DATABASE_KEY", f"{file} is not encrypted. {ENCRYPT_IT}")
    elif begins and not _opens(file, key):
        what = f"does not open {file}: it was encrypted with another key, or is not a database"
        problems.add("DATABASE_KEY", what + finished * new_key_opens)


def _check_key_itself(variable: str, key: str, problems: Problems) -> bool:
    """Return whether it can be a key, and is of use here. Add what is wrong to the problems."""
    if importlib.util.find_spec("sqlcipher3") is None:
        problems.add(
            variable,
            "an encrypted file needs the driver sqlcipher3, which is not installed. It exists for Python 3.11 to 3.13, "
            f"and this is {platform.python_version()}: "
            "pip install --no-deps --require-hashes -r requirements-encrypted.txt",
        )
        return False
    return True


def _begins(file: Path) -> bytes:
    if not file.is_file():
        return b""
    with file.open("rb") as opened:
        return opened.read(len(PLAIN_FILE))


def _opens(file: Path, key: str) -> bool:
    if _begins(file) in (b"", PLAIN_FILE):
        return False
    from config.libsql import cipher

    return cipher.opens(file, key)


def _libsql_server(parts: SplitResult, token: str, problems: Problems) -> dict[str, Any]:
    if parts.username or parts.password or "authToken" in parts.query:
        problems.add("DATABASE_URL", "must not hold the token. Put it into DATABASE_AUTH_TOKEN")
    elif parts.query or parts.fragment or parts.path.strip("/"):
        problems.add(
            "DATABASE_URL",
            "the address of a libSQL server is libsql://host or libsql://host:port, no more. Without TLS: ws://127.0.0.1:port",
        )
    if parts.scheme == "ws" and not _is_loopback(parts.hostname or ""):
        problems.add("DATABASE_URL", "ws:// is not encrypted, so it is only for this machine. Use libsql://host")
    if importlib.util.find_spec("libsql_client") is None:
        problems.add(
            "DATABASE_URL",
            "a libSQL server needs the driver django-libsql, which is not installed: "
            "pip install --no-deps --require-hashes -r requirements-libsql.txt",
        )
    host = parts.netloc.rpartition("@")[2]
    return {
        "ENGINE": LIBSQL,
        "NAME": f"{parts.scheme}://{host}",
        "PASSWORD": token,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }


def _defaults_of_libpq() -> dict[str, str]:
    """What PostgreSQL's client takes where the URL says nothing: PGHOST, PGSSLMODE and the like."""
    from psycopg import pq

    return {one.keyword.decode(): one.val.decode() for one in pq.Conninfo.get_defaults() if one.val is not None}


def _is_socket(host: str) -> bool:
    return not host or host.startswith(("/", "@"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
