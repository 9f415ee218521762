"""Databases that can be attacked: connections cut, read-only for a while, killed, replaced by their standby."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from demo.stack import free_port
from tests.libsql_server import Server

PROGRAMS = Path(os.environ.get("POSTGRES_PROGRAMS", "/usr/lib/postgresql/15/bin"))


class Cluster:
    """A PostgreSQL of our own with a synchronous standby, each on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {"primary": free_port(), "standby": free_port()}

    @property
    def url(self) -> str:
        """Both servers; the client takes the one that can be written."""
        ports = ",".join(str(port) for port in self.ports.values())
        return f"postgres://billing@/billing?host=127.0.0.1,127.0.0.1&port={ports}&target_session_attrs=read-write"

    def start(self) -> None:
        primary, standby = self.folder / "primary", self.folder / "standby"
        _run("initdb", "--pgdata", primary, "--auth=trust", "--username=billing", "--encoding=UTF8", "--no-sync")
        with (primary / "postgresql.conf").open("a") as conf:
            conf.write(
                f"port={self.ports['primary']}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\n"
                "max_connections=200\nwal_level=replica\nmax_wal_senders=5\nhot_standby=on\ntimezone='UTC'\n"
            )
        self._control("primary", "start")
        with self.connected("primary", "postgres") as connection:
            connection.execute("CREATE DATABASE billing")
            connection.execute("SELECT pg_create_physical_replication_slot('standby')")
        source = f"host=127.0.0.1 port={self.ports['primary']} user=billing application_name=standby"
        _run("pg_basebackup", "--pgdata", standby, "--dbname", source, "--slot=standby", "--write-recovery-conf")
        with (standby / "postgresql.conf").open("a") as conf:
            conf.write(f"port={self.ports['standby']}\n")
        self._control("standby", "start")
        with self.connected("primary", "postgres") as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            connection.execute("SELECT pg_reload_conf()")

    def cut(self, name: str, *, most: int = 3) -> int:
        """End some connections of the product. Returns how many."""
        with self.connected(name, "postgres") as connection:
            rows = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = 'billing' "
                "AND pid <> pg_backend_pid() ORDER BY random() LIMIT %s) AS few",
                [most],
            )
            return len(rows.fetchall())

    def read_only(self, on: bool) -> None:
        with self.connected("primary", "postgres") as connection:
            connection.execute(f"ALTER DATABASE billing SET default_transaction_read_only = {'on' if on else 'off'}")
        self.cut("primary", most=1_000)

    def fail_over(self) -> None:
        """Kill the primary as a power cut would, and promote the standby."""
        self._control("primary", "stop", "--mode=immediate")
        self._control("standby", "promote")
        with self.connected("standby", "postgres") as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")

    def stop(self) -> None:
        for name in self.ports:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._control(name, "stop", "--mode=immediate")

    def connected(self, name: str, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        port = self.ports[name]
        return psycopg.connect(f"host=127.0.0.1 port={port} user=billing dbname={database}", autocommit=True)

    def _control(self, name: str, *what: str) -> None:
        _run("pg_ctl", "--pgdata", self.folder / name, "--wait", "--log", self.folder / f"{name}.log", *what)


def _run(program: str, *arguments: object) -> None:
    """Run a program of PostgreSQL, which refuses to be root, as the user postgres."""
    command = [str(PROGRAMS / program), *(str(one) for one in arguments)]
    user = "postgres" if os.geteuid() == 0 else None
    subprocess.run(command, check=True, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="attack-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def libsql_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        server = Server(Path(folder) / "data")
        server.folder.mkdir()
        server.start()
        try:
            yield server
        finally:
            server.kill()


def kill_and_restart(server: Server, *, away_seconds: float) -> None:
    server.kill()
    time.sleep(away_seconds)
    server.start()
