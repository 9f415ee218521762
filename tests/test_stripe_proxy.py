"""Requests to Stripe leave through STRIPE_PROXY and no other proxy, and what TLS must be is the same there."""

import base64

import pytest

from billing import errors
from billing.stripe_api import client
from config.environment import Secret
from tests.connect_proxy import ConnectProxy
from tests.tls_servers import NEW, OLD, Authority, Https, speaking

pytestmark = pytest.mark.django_db
HOST = "stripe.vendor.example"
"""Nothing finds it by this name: only the proxy leads there."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def ask(settings, authority, *, host=HOST, version=NEW, trusted=True, credentials=""):
    """Ask the server behind a proxy. Return whether it answered, the server and the proxy."""
    server = Https(speaking(version, authority.shows(host)))
    with server.running() as port, (proxy := ConnectProxy(port)).running():
        settings.STRIPE_API_BASE = f"https://{HOST}"
        settings.STRIPE_PROXY = Secret(f"http://{credentials}127.0.0.1:{proxy.port}")
        settings.STRIPE_CA_BUNDLE = str(authority.bundle) if trusted else ""
        try:
            answered = client.get("/v1/account")["id"] == "acct_1"
        except errors.StripeUnavailable:
            answered = False
    return answered, server, proxy


def test_a_request_leaves_through_the_proxy_and_is_verified_with_the_bundle(settings, authority):
    answered, server, proxy = ask(settings, authority, credentials="billing:a%2Fb@")

    assert answered
    assert [lines[0].split()[:2] for lines in proxy.asked] == [[b"CONNECT", f"{HOST}:443".encode()]]
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"billing:a/b") in proxy.asked[0]
    assert server.read[0].startswith(b"GET /v1/account ")
    assert not any(b"sk_test_" in line for line in proxy.asked[0])


@pytest.mark.parametrize(
    "case", [{"trusted": False}, {"version": OLD}, {"host": "other.vendor.example"}], ids=lambda case: next(iter(case))
)
def test_a_server_behind_the_proxy_is_refused_as_without_it(settings, authority, case):
    answered, server, proxy = ask(settings, authority, **case)

    assert not answered
    assert proxy.asked
    assert server.read == []
    assert server.refusals


def test_a_proxy_of_the_environment_is_not_used(settings, authority, monkeypatch):
    server = Https(speaking(NEW, authority.shows("127.0.0.1")))
    with server.running() as port, (proxy := ConnectProxy(port)).running():
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        settings.STRIPE_API_BASE = f"https://127.0.0.1:{port}"
        settings.STRIPE_CA_BUNDLE = str(authority.bundle)
        assert client.get("/v1/account")["id"] == "acct_1"

    assert proxy.asked == []


def test_without_the_proxy_nobody_knows_the_outcome_and_its_password_is_not_told(settings, caplog):
    with ConnectProxy(0) as proxy:
        port = proxy.port
    settings.STRIPE_API_BASE = f"https://{HOST}"
    settings.STRIPE_PROXY = Secret(f"http://billing:fellow@127.0.0.1:{port}")

    with pytest.raises(errors.StripeUnavailable) as raised:
        client.get("/v1/account")

    assert "fellow" not in str(raised.value) + caplog.text + repr(settings.STRIPE_PROXY)
