"""A real pgbouncer for tests, which gives each transaction whatever connection to the server is free.

PGBOUNCER names its program.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

SERVER = "SERVER_BEHIND_PGBOUNCER"
"""Names the server in the environment: the DATABASE_URL of a test process is a pooler's already."""
PATIENCE_SECONDS = 20
UNPRIVILEGED = "postgres"
"""Whom it becomes where root starts it, which it refuses to run as."""
CONFIGURATION = """\
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 500
query_wait_timeout = {wait}
logfile = {folder}/log
"""


class Pooler:
    """A pgbouncer on a free port of this machine, in front of the server of ``url``, with its files in ``folder``.

    It has at most ``connections`` to each database, and whoever gets none in ``wait`` seconds is refused.
    """

    def __init__(self, url: str, folder: Path, *, connections: int = 10, wait: float = 10) -> None:
        self.folder, self._url = folder, urlsplit(url)
        given = conninfo_to_dict(url)
        names = {"host": "host", "port": "port", "user": "user", "password": "password"}
        server = " ".join(f"{name}={given[key]}" for key, name in names.items() if given.get(key))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._written = CONFIGURATION.format(
            server=server, port=self.port, connections=connections, wait=wait, folder=folder
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The same database, through the pooler."""
        who = self._url.netloc.rpartition("@")[0]
        return self._url._replace(netloc=f"{who}@127.0.0.1:{self.port}", query="").geturl()

    def start(self) -> None:
        file = self.folder / "pgbouncer.ini"
        file.write_text(self._written)
        command = [program(), str(file)]
        if os.geteuid() == 0:
            shutil.chown(self.folder, UNPRIVILEGED)
            command = [program(), "--user", UNPRIVILEGED, str(file)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.monotonic()
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
                raise SystemExit(f"pgbouncer did not start:\n{self._log()}")
            time.sleep(0.02)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def _listens(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def _log(self) -> str:
        log = self.folder / "log"
        return log.read_text() if log.exists() else "it wrote no log"


def program() -> str:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    found = shutil.which(os.environ.get("PGBOUNCER", "pgbouncer"), path=path)
    if found is None:
        raise SystemExit("PGBOUNCER: name the program of pgbouncer (Debian: apt-get install pgbouncer)")
    return found
