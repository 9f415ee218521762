"""``python -m pytest -p tests.on_libsql_server``: the whole suite on a libSQL server, one for each test process.

It is started here, before the settings are read. It is empty, and it ends with the process.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from tests.libsql_server import Server

_folder = Path(tempfile.mkdtemp(prefix="libsql-"))
server = Server(_folder / "data")
server.folder.mkdir()
server.start()
os.environ["DATABASE_URL"] = server.url
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
atexit.register(server.kill)
