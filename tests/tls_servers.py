"""Certificates of an authority of our own, and servers on this machine that show them."""

import contextlib
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

Begin = Callable[[socket.socket], None]
OLD, NEW = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2
HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\nConnection: close\r\n\r\n"
ACCOUNT = b'{"id": "acct_1", "object": "account"}'


@dataclass(frozen=True)
class Shown:
    """A certificate with its key in one file each, for 127.0.0.1 or for another host."""

    chain: Path
    key: Path


class Authority:
    """An authority that signs certificates. ``bundle`` is the file by which a client trusts it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._key = folder, _key()
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        certificate = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), True)
        self._own = certificate.sign(self._key, hashes.SHA256())
        self.bundle = _written(folder / "authority.pem", self._own.public_bytes(serialization.Encoding.PEM))

    def shows(self, host: str) -> Shown:
        key = _key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        known: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = self._builder(name, key).add_extension(x509.SubjectAlternativeName([known]), False)
        signed = builder.sign(self._key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = _written(self.folder / f"{host}.pem", signed.public_bytes(serialization.Encoding.PEM))
        return Shown(chain, _written(self.folder / f"{host}.key", secret))

    def _builder(self, name: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
        )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def speaking(version: ssl.TLSVersion, shown: Shown) -> ssl.SSLContext:
    """Return a server's context that speaks this version of TLS only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.chain, shown.key)
    _only(context, version)
    return context


def _only(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        context.minimum_version = context.maximum_version = version


class Https:
    """A server that answers every request with an account, and notes what it could read."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context, self.read, self.refusals = context, list[bytes](), list[str]()

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Yield its port."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.listening, self.over = listening, threading.Event()
            listening.settimeout(0.1)
            thread = threading.Thread(target=self._serve)
            thread.start()
            yield listening.getsockname()[1]
            self.over.set()
            thread.join()

    def _serve(self) -> None:
        while not self.over.is_set():
            with contextlib.suppress(TimeoutError):
                connected, _ = self.listening.accept()
                self._answer(connected)

    def _answer(self, connected: socket.socket) -> None:
        connected.settimeout(5)
        try:
            with connected, self.context.wrap_socket(connected, server_side=True) as secure:
                if asked := secure.recv(65_536):
                    self.read.append(asked)
                    secure.sendall(HELLO.replace(b"36", str(len(ACCOUNT)).encode()) + ACCOUNT)
        except OSError as error:  # the client broke off, which is what most tests want to see
            self.refusals.append(getattr(error, "reason", None) or type(error).__name__)


def spoken_with(port: int, version: ssl.TLSVersion, *, bundle: Path | None, begin: Begin | None = None) -> str:
    """Connect as a careless client that takes any version. With ``bundle`` it verifies the authority, and no host.

    ``begin`` says in plain text that TLS is wanted.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if bundle else ssl.CERT_NONE
    if bundle:
        context.load_verify_locations(bundle)
    _only(context, version)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        if begin:
            begin(plain)
        with context.wrap_socket(plain) as secure:
            return secure.version() or ""
