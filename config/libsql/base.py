"""The database where DATABASE_URL is libSQL: a file here, the same file encrypted, or a server.

Django imports ``config.libsql.base`` and calls ``DatabaseWrapper``. The settings decide which form it gets: a NAME
that is an address is a server, a file with a PASSWORD is encrypted. A driver is imported only where it is needed.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper

from config.databases import is_libsql_server


def DatabaseWrapper(settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> BaseDatabaseWrapper:
    """Return the connection for the form that these settings name."""
    form: type[BaseDatabaseWrapper]
    if is_libsql_server(settings_dict):
        from config.libsql.server import DatabaseWrapper as form
    elif settings_dict.get("PASSWORD"):
        from config.libsql.encrypted import DatabaseWrapper as form
    else:
        from config.libsql.embedded import DatabaseWrapper as form
    return form(settings_dict, alias)
