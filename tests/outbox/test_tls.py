"""E-mails leave encrypted, to a mail server whose certificate is verified."""

import ssl

import pytest

from billing.outbox import delivery
from tests.outbox.conftest import MailServer, asked_to_reset, the_row, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def tls_server(certificate, settings, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = MailServer(tls_context=context, require_starttls=True)
    use(server, settings, monkeypatch, EMAIL_USE_TLS=True)
    server.controller.start()
    yield server
    server.controller.stop()


def test_a_verified_mail_server_gets_it_encrypted(tls_server, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    asked_to_reset()

    delivery.work_off()

    assert (the_row().state, tls_server.encrypted) == ("sent", [True])


def test_a_mail_server_that_nobody_vouches_for_gets_nothing(tls_server):
    asked_to_reset()

    delivery.work_off()

    assert (the_row().state, tls_server.received) == ("waiting", [])
    assert "certificate verify failed" in the_row().last_error


def test_a_mail_server_that_offers_no_tls_gets_nothing(mail_server, settings):
    settings.EMAIL_USE_TLS = True
    asked_to_reset()

    delivery.work_off()

    assert (the_row().state, mail_server.received) == ("waiting", [])
    assert "STARTTLS extension not supported" in the_row().last_error
