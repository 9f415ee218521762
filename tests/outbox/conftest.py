"""A real mail server on this machine, and what waits in the outbox."""

import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from billing import clock
from billing.models import Notification, User
from tests.conftest import a_person

Kind = Notification.Kind


class MailServer:
    """Takes e-mails. ``answers`` is what it says to RCPT or DATA instead of 250. ``hangs_up`` names where it does."""

    def __init__(self, **tls: Any) -> None:
        self.received: list[EmailMessage] = []
        self.answers: dict[str, str] = {}
        self.hangs_up = False
        self.encrypted: list[bool] = []
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port, **tls)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.received.append(message_from_bytes(envelope.content, _class=EmailMessage, policy=policy.default))
        self.encrypted.append(session.ssl is not None)
        if self.hangs_up:
            server.transport.abort()
        return "250 OK"


@pytest.fixture
def mail_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server without TLS, which this process and those that it starts send to."""
    server = MailServer()
    use(server, settings, monkeypatch)
    server.controller.start()
    yield server
    server.controller.stop()


def use(server: MailServer, settings: Any, monkeypatch: pytest.MonkeyPatch, **more: bool) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    values = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": server.port, "DEFAULT_FROM_EMAIL": "billing@vendor.example"}
    for name, value in {**values, "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False, **more}.items():
        setattr(settings, name, value)
        monkeypatch.setenv(name, str(value))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody else signed, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(chain)]
    subprocess.run(command, check=True, capture_output=True)
    return chain, key


def asked_to_reset(email: str = "mira@maple.example") -> User:
    """A person who waits for a link to set a new password."""
    user = User.objects.filter(email=email).first() or a_person(email)
    with transaction.atomic():
        Notification.objects.put(Kind.PASSWORD_RESET, f"reset:{email}", user=user)
    return user


def told_of_role(email: str = "otto@maple.example") -> User:
    """A person who is to be told of a role. Nobody sends that twice."""
    user = a_person(email)
    with transaction.atomic():
        Notification.objects.put(Kind.ROLE_GIVEN, f"role:{email}", user=user, role="operator")
    return user


def the_row() -> Notification:
    return Notification.objects.get()


def a_wait_is_over() -> None:
    """What waits is due, and leases have ended."""
    now = clock.wall() - timedelta(seconds=1)
    Notification.objects.filter(state="waiting").update(due_at=now)
    Notification.objects.filter(lease_until__isnull=False).update(lease_until=now)


def link_in(mail: EmailMessage) -> str:
    """The path and query of the link in its plain text."""
    body = mail.get_body(("plain",))
    assert body
    found = re.search(r"https?://[^/\s]+(/\S+\?link=\S+)", body.get_content())
    assert found
    return found[1]
