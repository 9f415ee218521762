"""The way into production of docs/setup.md, step by step, in a new clone: ``python -m tests.production.walk``.

DEBUG is off, and nginx does TLS with a certificate of an authority made here. One thing differs from it: Stripe
is the local one. The product refuses that with DEBUG off, so tests/production/settings.py puts it in. Each command is
looked up there before it is run. It prints a transcript, and ends with 1 if a page answers something else.
"""

import contextlib
import re
import secrets
import shlex
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
from cryptography.fernet import Fernet

from demo.stack import free_port
from tests.processes import ROOT, until
from tests.proxies import nginx
from tests.proxies.ports import is_open
from tests.tls_servers import Authority

KEY = "sk_test_of_the_walk"
SECRET = "whsec_of_the_walk"
CLONE = "git clone"
FORM = {"Content-Type": "application/json"}
Variables = dict[str, str]


class Walk:
    """A clone, the environment of its commands, and what was seen. ``wrong`` are pages that answered something else."""

    def __init__(self, folder: Path, stripe: str, tls: int) -> None:
        self.place, self.wrong = folder / "office-billing", []
        self.site = f"https://127.0.0.1:{tls}"
        self.document = (ROOT / "docs" / "setup.md").read_text()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(self.place)], check=True)  # noqa: S607
        self.environment = {
            "PATH": f"{self.place / '.venv' / 'bin'}:/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": "tests.production.settings",
            "WALK_STRIPE": stripe,
        }

    def run(self, command: str) -> str:
        """Run a command of the document in the clone, and return what it printed."""
        assert command in re.sub(r"\s+", " ", self.document), f"docs/setup.md does not say: {command}"
        print(f"$ {command}", flush=True)
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(f"{command} ended with {done.returncode}:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
        return done.stdout

    def write_variables(self, **given: str) -> None:
        """Write .env: .env.example with these values."""
        text = (self.place / ".env.example").read_text()
        for name, value in given.items():
            text, found = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert found, f".env.example has no {name}"
        (self.place / ".env").write_text(text)

    @contextlib.contextmanager
    def processes(self, *more: str) -> Iterator[None]:
        """Run web and worker of the Procfile. SIGTERM must end them well."""
        lines = dict(line.split(": ", 1) for line in (self.place / "Procfile").read_text().splitlines())
        commands = [[*shlex.split(lines["web"]), *more], shlex.split(lines["worker"])]
        programs = [[str(self.place / ".venv" / "bin" / name), *words] for name, *words in commands]
        running = [subprocess.Popen(one, cwd=self.place, env=self.environment) for one in programs]
        try:
            yield
        finally:
            for process in running:
                process.send_signal(signal.SIGTERM)
            print(f"SIGTERM: web and worker ended with {[process.wait(60) for process in running]}", flush=True)

    def look(self, client: httpx.Client, what: str, expected: str, *, method: str = "GET", **given: object) -> None:
        answer = client.request(method, what, **given)
        leads = f" to {answer.headers['Location']}" if answer.is_redirect else ""
        found = f"{answer.status_code}{leads}"
        if not re.fullmatch(expected, found):
            self.wrong.append(what)
        print(
            f"{method:5}{what[:90]:92}{found}{'' if what not in self.wrong else f'  WRONG: not {expected}'}", flush=True
        )


@contextlib.contextmanager
def local_stripe() -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "stripe_sandbox", "--port", "0", "--delivery", "manual"]
    command += ["--secret-key", KEY, "--webhook-secret", SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout
    try:
        yield process.stdout.readline().strip().rpartition(" ")[2]
    finally:
        process.kill()
        process.wait()


def main() -> None:
    if nginx.PROGRAM is None:
        sys.exit("nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="walk-") as name, local_stripe() as stripe:
        folder, web = Path(name), free_port()
        authority = Authority(folder)
        with nginx.in_front_of(web, folder, authority) as tls:
            walk = Walk(folder, stripe, tls)
            pages = prepared(walk)
            with walk.processes("--port", str(web)), browser(walk, authority) as client:
                until(lambda: is_open(web))
                visit(walk, client, stripe, web, pages)
    sys.exit(f"{len(walk.wrong)} pages answered something else." if walk.wrong else None)


def prepared(walk: Walk) -> list[str]:
    """Do steps 1 to 5. Return the webhook address and the administrator's link."""
    walk.run("python3 -m venv .venv && . .venv/bin/activate && pip install --require-hashes -r requirements.txt")
    given = {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "SECRETS_KEYS": Fernet.generate_key().decode(),
        "AUDIT_SEAL_KEY": secrets.token_hex(32),
        "AUDIT_ENTRY_KEYS": secrets.token_hex(32),
        "STRIPE_SECRET_KEY": KEY,
        "SITE_URL": walk.site,
        "ALLOWED_HOSTS": "127.0.0.1",
        "EMAIL_HOST": "127.0.0.1",
        "DEFAULT_FROM_EMAIL": "billing@vendor.example",
        "TRUSTED_PROXIES": "1",
    }
    walk.write_variables(**given)
    walk.run("python manage.py migrate")
    walk.run("python manage.py collectstatic --no-input")
    told = walk.run("python manage.py setup_stripe --register-endpoint")
    secret = re.findall(r"whsec_\w+", told)
    walk.write_variables(**given, STRIPE_WEBHOOK_SECRETS=secret[0])
    invited = walk.run("python manage.py create_administrator you@vendor.example")
    return [re.findall(r"Webhook address: (\S+)", told)[0], re.findall(r"https://\S+", invited)[0]]


def browser(walk: Walk, authority: Authority) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=str(authority.bundle))
    return httpx.Client(base_url=walk.site, verify=trusted, trust_env=False, timeout=60)


def visit(walk: Walk, client: httpx.Client, stripe: str, web: int, pages: list[str]) -> None:
    """Open the first pages, and let Stripe send its first event."""
    address, link = pages
    walk.look(client, "/account/login/", "200")
    style = re.findall(r'href="(/static/[^"]+\.css)"', client.get("/account/login/").text)[0]
    walk.look(client, style, "200")
    walk.look(client, "/admin/", r"302 to /a.*login/.*")
    walk.look(client, "/api/v1/docs/", "200")
    walk.look(client, "/api/v1/offices/", "401")
    until(lambda: client.get("/healthz").status_code == 200)  # the worker has reported
    walk.look(client, "/healthz", "200")
    walk.look(client, link, "200|302 to .*")
    walk.look(client, f"http://127.0.0.1:{web}/readyz", "200")  # as a balancer asks, past the proxy
    headers = {"Authorization": f"Bearer {KEY}"}
    httpx.post(f"{stripe}/v1/customers", data={"name": "Somebody"}, headers=headers, trust_env=False).raise_for_status()
    taken = httpx.post(f"{stripe}/_sandbox/deliveries/take", json={}, trust_env=False).raise_for_status().json()
    for event in taken["deliveries"]:
        assert event["url"] == address, f"Stripe would send to {event['url']}"
        walk.look(client, address, "200", method="POST", content=event["body"], headers=event["headers"])
    walk.look(client, address, "400", method="POST", content="{}", headers=FORM)


if __name__ == "__main__":
    main()
