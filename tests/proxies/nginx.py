"""An nginx with the configuration of deploy/nginx, on free ports of this machine, with a certificate of the tests."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from demo.stack import free_port
from tests.processes import ROOT, until
from tests.proxies.ports import is_open
from tests.tls_servers import Authority

PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
GIVEN = ROOT / "deploy" / "nginx" / "office-billing.conf"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {site}
}}
"""


@contextlib.contextmanager
def in_front_of(
    port: int, folder: Path, authority: Authority, *, changed: dict[str, str] | None = None
) -> Iterator[int]:
    """Run it in front of a web server at ``port``. Yield the port at which it speaks TLS, as 127.0.0.1.

    ``changed``: texts of the configuration, and what they are replaced by.
    """
    shown, tls = authority.shows("127.0.0.1"), free_port()
    site = GIVEN.read_text()
    for text, other in {
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "listen 443": f"listen 127.0.0.1:{tls}",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "/etc/ssl/office-billing/fullchain.pem": str(shown.chain),
        "/etc/ssl/office-billing/privkey.pem": str(shown.key),
        **(changed or {}),
    }.items():
        assert text in site
        site = site.replace(text, other)
    configuration = folder / "nginx.conf"
    configuration.write_text(AROUND.format(folder=folder, site=site))
    process = subprocess.Popen([PROGRAM or "", "-p", str(folder), "-c", str(configuration), "-e", "stderr"])
    try:
        until(lambda: is_open(tls))
        yield tls
    finally:
        process.terminate()
        process.wait()
