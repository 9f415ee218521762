"""What leaves this machine goes only to a server that speaks TLS 1.2, is vouched for, and is the one that was meant.

Each server that is refused is also spoken to by a careless client, so that a test whose server is merely broken fails.
``pytest -s tests/test_transmission.py`` prints a table of what was tried.
"""

import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import ConnectionHandler

from billing import errors
from billing.outbox import delivery
from billing.stripe_api import client
from config import databases
from config.environment import Problems
from tests.outbox.conftest import MailServer, asked_to_reset, the_row, use
from tests.tls_servers import NEW, OLD, Authority, Begin, Https, Shown, speaking, spoken_with

TRIED: list[tuple[str, str, str]] = []
PROGRAM = shutil.which("initdb") or shutil.which("initdb", path="/usr/lib/postgresql/15/bin")


@dataclass(frozen=True)
class Case:
    """What a server does, and whether the client trusts its authority."""

    says: str
    host: str = "127.0.0.1"
    version: object = NEW
    trusted: bool = True
    taken: bool = False


CASES = [
    Case("TLS 1.2, vouched for, the host that was meant", taken=True),
    Case("TLS 1.1 only", version=OLD),
    Case("an authority that nobody knows", trusted=False),
    Case("another host", host="other.vendor.example"),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    """Print what was tried."""
    yield
    width = max((len(says) for _, says, _ in TRIED), default=0)
    for who, says, came_of_it in TRIED:
        print(f"{who:<13} {says:<{width}}  {came_of_it}")  # noqa: T201


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def shown(authority: Authority) -> dict[str, Shown]:
    return {host: authority.shows(host) for host in {case.host for case in CASES}}


def tried(who: str, case: Case, *, taken: bool) -> None:
    TRIED.append((who, case.says, "connected" if taken else "refused"))
    assert taken is case.taken


def careless(port: int, case: Case, authority: Authority, *, begin: Begin | None = None) -> None:
    """Show that the server can be spoken to by whoever is not strict about what this case is about."""
    bundle = authority.bundle if case.trusted else None
    assert spoken_with(port, case.version, bundle=bundle, begin=begin) == (
        "TLSv1.1" if case.version == OLD else "TLSv1.2"
    )


# --- Stripe


@each_case
def test_stripe(db, settings, authority, shown, case):
    if case.trusted:
        settings.STRIPE_CA_BUNDLE = str(authority.bundle)
    server = Https(speaking(case.version, shown[case.host]))
    with server.running() as port:
        careless(port, case, authority)
        settings.STRIPE_API_BASE = f"https://127.0.0.1:{port}"
        taken = _answered(lambda: client.get("/v1/account"), errors.StripeUnavailable)

    tried("Stripe", case, taken=taken)
    assert bool(server.read) is case.taken  # nothing of a request reached it


def _answered(ask: Callable[[], object], refusal: type[Exception]) -> bool:
    try:
        ask()
    except refusal:
        return False
    return True


# --- e-mail


def starttls(plain: socket.socket) -> None:
    answers = plain.makefile("rb", buffering=0)
    assert answers.readline().startswith(b"220 ")
    plain.sendall(b"EHLO careless.example\r\n")
    while answers.readline().startswith(b"250-"):
        pass
    plain.sendall(b"STARTTLS\r\n")
    assert answers.readline().startswith(b"220 ")


@each_case
@pytest.mark.parametrize("how", ["EMAIL_USE_SSL", "EMAIL_USE_TLS"])
def test_mail(db, settings, monkeypatch, authority, shown, case, how):
    if how == "EMAIL_USE_SSL" and case.version == OLD:
        pytest.skip("aiosmtpd speaks to itself when it starts, and does not take TLS 1.1 either; STARTTLS shows it")
    context = speaking(case.version, shown[case.host])
    tls: dict[str, Any] = {"tls_context": context, "require_starttls": True}
    server = MailServer(**({"ssl_context": context} if how == "EMAIL_USE_SSL" else tls))
    use(server, settings, monkeypatch, **{how: True})
    if case.trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    server.controller.start()
    try:
        careless(server.port, case, authority, begin=None if how == "EMAIL_USE_SSL" else starttls)
        asked_to_reset()
        delivery.work_off()
    finally:
        server.controller.stop()

    tried(f"mail {'SSL' if how == 'EMAIL_USE_SSL' else 'STARTTLS'}", case, taken=the_row().state == "sent")
    assert bool(server.received) is case.taken


# --- PostgreSQL


class Cluster:
    """A PostgreSQL on this machine, only over TCP. Its certificate and version of TLS can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "data"
        self._user = "postgres" if os.geteuid() == 0 else None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        if self._user:
            for one in (folder, *folder.parents):
                if one.is_relative_to("/tmp") and one != Path("/tmp"):  # noqa: S108
                    one.chmod(one.stat().st_mode | 0o711)
            shutil.chown(folder, self._user)
        self._run("initdb", "--pgdata", self.folder, "--auth=trust", "--username=billing", "--no-sync")

    def show(self, shown: Shown, version: object, *, tls: bool = True) -> None:
        """Start it again with this certificate."""
        self.stop()
        for source, name in ((shown.chain, "server.crt"), (shown.key, "server.key")):
            copy = self.folder / name
            copy.write_bytes(source.read_bytes())
            copy.chmod(0o600)
            if self._user:
                shutil.chown(copy, self._user, self._user)
        only = "TLSv1.1" if version == OLD else "TLSv1.2"
        (self.folder / "postgresql.conf").write_text(
            f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\n"
            f"ssl={'on' if tls else 'off'}\nssl_min_protocol_version='{only}'\nssl_max_protocol_version='{only}'\n"
            "ssl_ciphers='DEFAULT:@SECLEVEL=0'\n"
        )
        self._run("pg_ctl", "--pgdata", self.folder, "--wait", "--log", self.folder / "log", "start")

    def stop(self) -> None:
        if (self.folder / "postmaster.pid").exists():
            self._run("pg_ctl", "--pgdata", self.folder, "--wait", "stop", "--mode=immediate")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(Path(str(PROGRAM)).parent / program), *(str(one) for one in arguments)]
        subprocess.run(command, check=True, user=self._user, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if PROGRAM is None:
        pytest.skip("there is no PostgreSQL server on this machine")
    made = Cluster(tmp_path_factory.mktemp("postgresql"))
    yield made
    made.stop()


def connects(cluster: Cluster, authority: Authority, *, trusted: bool = True) -> bool:
    """Connect as the product does with the DATABASE_URL that it requires."""
    root = authority.bundle if trusted else Path(authority.folder / "other.pem")
    url = f"postgres://billing@127.0.0.1:{cluster.port}/postgres?sslmode=verify-full&sslrootcert={root}"
    problems = Problems()
    entry = databases.database(url, base_dir=Path("/nonexistent"), problems=problems)
    databases.check_database(entry, debug=False, plain_on_loopback=False, problems=problems)
    assert problems.found == []
    connection = ConnectionHandler({"default": entry})["default"]
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
            assert cursor.fetchone() == ("TLSv1.2",)
    except OperationalError:
        return False
    finally:
        connection.close()
    return True


def ssl_request(plain: socket.socket) -> None:
    """Source: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL"""
    plain.sendall(struct.pack("!ii", 8, 80877103))
    assert plain.recv(1) == b"S"


@each_case
def test_postgresql(db, cluster, authority, shown, case, tmp_path_factory):
    if not case.trusted:
        other = Authority(tmp_path_factory.mktemp("other"))
        (authority.folder / "other.pem").write_bytes(other.bundle.read_bytes())
    cluster.show(shown[case.host], case.version)
    careless(cluster.port, case, authority, begin=ssl_request)

    tried("PostgreSQL", case, taken=connects(cluster, authority, trusted=case.trusted))


def test_postgresql_without_tls(db, cluster, authority, shown):
    cluster.show(shown["127.0.0.1"], NEW, tls=False)

    tried("PostgreSQL", Case("no TLS"), taken=connects(cluster, authority))
