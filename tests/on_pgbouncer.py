"""``python -m pytest -p tests.on_pgbouncer``: the whole suite behind a pgbouncer, one for each test process.

DATABASE_URL names the server. Pgbouncer is started here, before the settings are read, and it ends with the process.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.pgbouncer import SERVER, Pooler

_url = os.environ.setdefault(SERVER, os.environ.get("DATABASE_URL", ""))
if not _url.startswith(("postgres://", "postgresql://")):
    raise SystemExit("DATABASE_URL: name the PostgreSQL server (make test-pgbouncer TEST_DATABASE_URL=postgres://…)")
_folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
_pooler = Pooler(_url, _folder)
_pooler.start()
os.environ["DATABASE_URL"] = _pooler.url
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
atexit.register(_pooler.kill)


def pytest_configure() -> None:
    """Django drops the tests' database although the pooler is still connected to it."""
    from django.db.backends.postgresql import creation

    class_: Any = creation.DatabaseCreation
    drop = class_._destroy_test_db

    def let_go_and_drop(self: Any, test_database_name: str, verbosity: int) -> None:
        from tests.other_connections import let_go_of

        let_go_of(test_database_name)
        drop(self, test_database_name, verbosity)

    class_._destroy_test_db = let_go_and_drop
