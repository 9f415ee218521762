"""The two databases of a move: where they are, in words without credentials, and what is refused as a target."""

from copy import deepcopy
from typing import Any

from django.conf import settings
from django.db import connections

from config import databases
from config.environment import Problems

SOURCE, TARGET = "source", "default"
"""In the process that moves, the default connection leads to the new database, because that is where migrations and
audit entries have to go."""

NAME_ANOTHER = "Name a file that does not exist yet"


class ProblemsOfTarget(Problems):
    """The rules of DATABASE_URL, said with the names that the target has."""

    NAMES = {"DATABASE_URL": "--to", "DATABASE_KEY": "DATABASE_TO_KEY", "DATABASE_AUTH_TOKEN": "DATABASE_TO_TOKEN"}

    def add(self, variable: str, what: str) -> None:
        for name, ours in {databases.ENCRYPT_IT: NAME_ANOTHER, **self.NAMES}.items():
            what = what.replace(name, ours)
        super().add(self.NAMES.get(variable, variable), what)


def target(url: str) -> tuple[dict[str, Any], list[str]]:
    """Return Django's entry for the new database, and what is wrong with it: the rules are those of DATABASE_URL."""
    problems = ProblemsOfTarget()
    key, token = settings.DATABASE_TO_KEY, settings.DATABASE_TO_TOKEN
    entry = databases.database(url, key=key, token=token, base_dir=settings.BASE_DIR, problems=problems)
    live, reason = settings.STRIPE_LIVE_MODE, settings.LIBSQL_SERVER_LIVE_REASON
    databases.check_live(entry, live=live, reason=reason, problems=problems)
    plain = settings.DATABASE_PLAIN_ON_LOOPBACK
    databases.check_database(entry, debug=settings.DEBUG, plain_on_loopback=plain, problems=problems)
    return entry, problems.found


def open_source() -> Any:
    """Return a connection to the old database under a name of its own."""
    return _leads_to(SOURCE, settings.DATABASES[TARGET])


def open_target(entry: dict[str, Any]) -> Any:
    """Return the default connection, which leads to the new database from now on. Call ``open_source`` first."""
    connections[TARGET].close()
    return _leads_to(TARGET, entry)


def _leads_to(alias: str, entry: dict[str, Any]) -> Any:
    complete = connections.configure_settings({"default": {}, alias: deepcopy(entry)})
    connections.settings[alias] = complete[alias]
    connections[alias] = connections.create_connection(alias)
    return connections[alias]


def in_words(entry: dict[str, Any]) -> str:
    """Say which form this database has and where it is."""
    if databases.is_libsql_server(entry):
        return f"the libSQL server {entry['NAME']}"
    if entry["ENGINE"] == databases.LIBSQL:
        return f"the {'encrypted ' if entry.get('PASSWORD') else ''}file {entry['NAME']}"
    host = entry.get("HOST") or (entry.get("OPTIONS") or {}).get("host", "") or "the default socket"
    port = f":{entry['PORT']}" if entry.get("PORT") else ""
    return f"the PostgreSQL database {entry['NAME']} at {host}{port}"
