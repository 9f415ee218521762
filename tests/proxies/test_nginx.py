"""Through nginx, as deploy/nginx says and as others set it up, events and requests arrive as they were sent."""

import contextlib
import ssl
from functools import partial

import httpx
import pytest

from billing.models import ReceivedEvent
from demo.stack import free_port, web_command
from tests import raw_http
from tests.config.test_asgi import event_of
from tests.moving.test_frozen import answers
from tests.processes import until
from tests.proxies import nginx
from tests.tls_servers import Authority

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(nginx.PROGRAM is None, reason="nginx is not installed"),
]
PLACE = "proxy_pass http://office_billing;"
WAYS = {
    "as given": {},
    "not buffered": {PLACE: f"{PLACE} proxy_request_buffering off;"},
    "HTTP/1.0": {"proxy_http_version 1.1;": "proxy_http_version 1.0;", 'proxy_set_header Connection "";': ""},
}


@pytest.mark.parametrize("way", WAYS)
def test_what_arrives_through_nginx_is_what_was_sent(stripe, started, tmp_path, way):
    authority, port = Authority(tmp_path), free_port()
    started(*web_command(port, "--workers", "1"))
    until(partial(answers, port))
    trusted = ssl.create_default_context(cafile=str(authority.bundle))
    with (
        nginx.in_front_of(port, tmp_path, authority, changed=WAYS[way]) as tls,
        httpx.Client(base_url=f"https://127.0.0.1:{tls}", verify=trusted, trust_env=False, timeout=30) as client,
    ):
        for body_of in (lambda body: body, lambda body: iter([body[:9], body[9:]])):  # with a length, and in chunks
            where, body, headers = event_of(stripe)
            assert client.post(where, content=body_of(body), headers=headers).status_code == 200
        where, body, headers = event_of(stripe)
        large = client.post(where, content=iter([body, b" " * 1_100_000]), headers=headers)
        page = client.get("/account/login/")
        with raw_http.connected(tls) as line, contextlib.suppress(OSError):
            cut = trusted.wrap_socket(line, server_hostname="127.0.0.1")
            cut.sendall(raw_http.head("POST", where, **headers, Content_Length=len(body)) + body[:50])
            cut.close()

    assert ReceivedEvent.objects.count() == 2
    assert large.status_code == 413
    assert page.status_code == 200
