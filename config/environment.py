"""The rules for the environment variables. One error names everything that is missing or wrong."""

import ipaddress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import Env

WEAK_SECRET_KEY_LENGTH = 50
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
VERIFIED = (
    "the connection to PostgreSQL must be encrypted, and the server's certificate must be verified. End the URL with "
    "?sslmode=verify-full&sslrootcert=/path/of/the/ca.pem, or use the folder of a Unix socket: "
    "postgres://user@/name?host=/var/run/postgresql."
)
IMPATIENT_SECONDS = 1.8  # so that an answer is sent within two seconds
OPTIONAL_SECONDS = 0.4  # for a write that may be left out, while somebody waits for an answer that is ready


class Problems:
    """A list of what is wrong with the environment, so that one start shows all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, variable: str, what: str) -> None:
        self.found.append(f"{variable}: {what}")

    def raise_if_any(self) -> None:
        if self.found:
            lines = "\n".join(f"  - {problem}" for problem in self.found)
            raise ImproperlyConfigured(
                f"Some environment variables are missing or wrong. Set them in .env (see .env.example):\n{lines}"
            )


def database(url: str, base_dir: Path, problems: Problems) -> dict[str, Any]:
    """Return Django's DATABASES entry for DATABASE_URL.

    ``libsql:///var/x.db`` is an embedded file with a path relative to the project. ``libsql:////abs/x.db`` has an
    absolute path. ``postgres://`` is PostgreSQL. A libSQL URL with a host is a problem.
    """
    parts = urlsplit(url)
    if parts.scheme in ("postgres", "postgresql"):
        return {
            **Env.db_url_config(url),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "ATOMIC_REQUESTS": False,
        }
    if parts.scheme in ("libsql", "ws", "wss", "http", "https") and parts.netloc:
        problems.add(
            "DATABASE_URL",
            "a libSQL server is not supported yet. Use an embedded file (libsql:///var/billing.db) "
            "or postgres://user:password@host/name",
        )
    elif parts.scheme != "libsql" or not parts.path.strip("/"):
        problems.add("DATABASE_URL", "use libsql:///var/billing.db or postgres://user:password@host/name")
    path = unquote(parts.path)
    name = Path(path[1:]) if path.startswith("//") else base_dir / path.lstrip("/")
    if not problems.found:
        name.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "config.libsql",
        "NAME": str(name),
        "CONN_MAX_AGE": 60,  # opening the file again costs more than most requests
        "ATOMIC_REQUESTS": False,
        "TEST": {"NAME": str(name.with_name(f"test-{name.name}"))},
    }


def check_database(database: dict[str, Any], *, debug: bool, plain_on_loopback: bool, problems: Problems) -> None:
    """Require, with DEBUG off, TLS with a verified certificate for PostgreSQL, or a Unix socket of this machine.

    ``plain_on_loopback`` also accepts an address of this machine, of a server or of a proxy that does the TLS.
    Source: https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION
    """
    if debug or database["ENGINE"] == "config.libsql":
        return
    said = {**(database.get("OPTIONS") or {}), **({"host": database["HOST"]} if database["HOST"] else {})}
    meant = said if "service" in said else _defaults_of_libpq() | said
    hosts = str(meant.get("hostaddr") or meant.get("host") or "").split(",")
    if meant.get("sslmode") == "verify-full" or ("service" not in said and all(map(_is_socket, hosts))):
        return
    if all(map(_is_loopback, hosts)):
        if not plain_on_loopback:
            problems.add(
                "DATABASE_URL",
                f"{VERIFIED} Or set DATABASE_PLAIN_ON_LOOPBACK=true, because the server is on this machine.",
            )
        return
    problems.add("DATABASE_URL", VERIFIED)


def _defaults_of_libpq() -> dict[str, str]:
    """Return what PostgreSQL's client uses if the URL does not say it, such as PGHOST and PGSSLMODE."""
    from psycopg import pq

    return {one.keyword.decode(): one.val.decode() for one in pq.Conninfo.get_defaults() if one.val is not None}


def _is_socket(host: str) -> bool:
    return not host or host.startswith(("/", "@"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_live(key: str) -> bool:
    """Return whether this key of Stripe moves real money."""
    return key.startswith(("sk_live_", "rk_live_"))


def impatient(database: dict[str, Any], *, seconds: float = IMPATIENT_SECONDS) -> dict[str, Any]:
    """Return the same database with short limits, for callers that must not wait longer than these seconds in all.

    It is a connection of its own. The limits must hold from the connect on, need no statement, and never apply to the
    usual connection. On PostgreSQL, ``statement_timeout`` also ends a wait for a lock. It is half of the seconds,
    because there are two statements.
    """
    given = database.get("OPTIONS") or {}
    if database["ENGINE"] == "config.libsql":
        limits: dict[str, Any] = {"timeout": seconds}
    else:
        limits = {
            "connect_timeout": 2,  # the smallest value that libpq accepts
            "tcp_user_timeout": int(seconds * 1000),
            "options": f"{given.get('options', '')} -c statement_timeout={int(seconds * 500)}".strip(),
        }
    return {**database, "OPTIONS": {**given, **limits}, "TEST": {"MIRROR": "default"}}


def check_stripe(key: str, api_base: str, secrets: list[str], *, debug: bool, problems: Problems) -> None:
    """Check that the Stripe variables fit together and fit DEBUG."""
    if not key.startswith(("sk_test_", "rk_test_", "sk_live_", "rk_live_")):
        problems.add(
            "STRIPE_SECRET_KEY",
            "must be a secret or restricted key of Stripe (sk_test_…, rk_test_…, sk_live_…, rk_live_…). To try the "
            "software without a key, run `make demo`",
        )
    if is_live(key) and debug:
        problems.add(
            "STRIPE_SECRET_KEY",
            "a live key is refused while DEBUG is on. Set DEBUG=false, or use a test key (sk_test_… or rk_test_…)",
        )
    if api_base:
        host = urlsplit(api_base).hostname or ""
        if not debug:
            problems.add("STRIPE_API_BASE", "a local Stripe is for development only. Remove it, or set DEBUG=true")
        elif host not in LOCAL_HOSTS:
            problems.add("STRIPE_API_BASE", "must be an address of this machine, such as http://127.0.0.1:12111")
    for secret in secrets:
        if not secret.startswith("whsec_"):
            problems.add("STRIPE_WEBHOOK_SECRETS", "each secret must begin with whsec_. Put commas between secrets")
            break
    if not secrets:
        problems.add(
            "STRIPE_WEBHOOK_SECRETS",
            "must be the signing secret of the webhook endpoint (whsec_…). Stripe's dashboard or `stripe listen` "
            "shows it",
        )


def check_production(
    *, secret_key: str, allowed_hosts: list[str], site_url: str, debug: bool, problems: Problems
) -> None:
    """Check what production needs with DEBUG off. SECRET_KEY is needed with DEBUG on too."""
    if not secret_key:
        problems.add(
            "SECRET_KEY",
            'must be a long random text. Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"',
        )
    if debug:
        return
    if secret_key and (len(secret_key) < WEAK_SECRET_KEY_LENGTH or secret_key.startswith("django-insecure")):
        problems.add("SECRET_KEY", f"is too weak. It needs at least {WEAK_SECRET_KEY_LENGTH} random characters")
    if not allowed_hosts or "*" in allowed_hosts:
        problems.add("ALLOWED_HOSTS", "must name the host names of this site, separated by commas")
    if not site_url.startswith("https://"):
        problems.add("SITE_URL", "must be the public address and begin with https://")
