"""The whole product on this machine: local Stripe, web server and worker, as processes that end with the caller."""

import contextlib
import os
import re
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO

import httpx
from environ import Env

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".env"
READY_SECONDS = 60
ONE_PASSWORD = {"REQUIRE_SECOND_FACTOR": "false"}
"""Who tries the demo gets in with its password alone."""


class DidNotStart(SystemExit):
    """A process ended or did not answer. The message says which one, and what it printed last."""


class Stack:
    """``may_use_own_key``: a key of Stripe in .env is used, with that Stripe account and the database of .env.

    ``past``: how long ago the clock of a new local Stripe begins. It stays behind until somebody moves it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        web_port: int,
        stripe_port: int,
        may_use_own_key: bool = False,
        past: timedelta = timedelta(0),
    ) -> None:
        self.may_use_own_key = may_use_own_key
        self.past = past
        self.folder = folder
        self.web_port, self.stripe_port = web_port, stripe_port
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.environment = {**os.environ, **self._variables()}

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def stripe(self) -> str:
        """Return the local Stripe's address, or an empty text if Stripe's own test mode is used."""
        return self.environment.get("STRIPE_API_BASE", "")

    def _variables(self) -> dict[str, str]:
        """Return the environment of the processes: the user's .env if it has a key, otherwise generated secrets."""
        if self.may_use_own_key and has_own_key():
            return {"ENV_FILE": str(OWN), "DEBUG": "true", "SITE_URL": self.site, "EMAIL_HOST": "", **ONE_PASSWORD}
        file = self.folder / "demo.env"
        if not file.exists():
            values = {
                "SECRET_KEY": secrets.token_urlsafe(64),
                "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(16)}",
                "STRIPE_WEBHOOK_SECRETS": f"whsec_{secrets.token_hex(16)}",
                "DEMO_PASSWORD": secrets.token_urlsafe(12),
            }
            file.touch(mode=0o600)
            file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        kept = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
        return kept | {
            "ENV_FILE": str(file),
            "DEBUG": "true",
            "SITE_URL": self.site,
            "STRIPE_API_BASE": f"http://127.0.0.1:{self.stripe_port}",
            # the local Stripe of the demo refuses nothing for coming too fast
            "STRIPE_REQUESTS_PER_SECOND": "400",
            "STRIPE_REQUESTS_PER_ENDPOINT": "400",
            # It answers at once, so several looks at a time would mostly wait for the one writer of a database file.
            "WORKER_LOOKS_AT_ONCE": "1",
            "EMAIL_HOST": "",  # nothing is sent
            "SUPPORT_EMAIL": "billing-help@vendor.example",
            "DATABASE_URL": os.environ.get("DEMO_DATABASE_URL") or f"libsql:///{self.folder / 'sandbox.db'}",
            "WEB_PROCESSES": "1",
            "LOG_LEVEL": "WARNING",
            **ONE_PASSWORD,
        }

    def manage(self, *arguments: str) -> None:
        """Run a management command, and wait until it ends."""
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True)

    def start(self, name: str, *command: str) -> None:
        log = self._log(name)
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-u", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("wb")

    def start_stripe(self) -> None:
        if not self.stripe:
            return
        is_new = not self._state.exists()
        self.start(
            "stripe",
            *("-m", "stripe_sandbox", "--port", str(self.stripe_port)),
            *("--secret-key", self.environment["STRIPE_SECRET_KEY"]),
            *("--webhook-secret", self.environment["STRIPE_WEBHOOK_SECRETS"]),
            *("--state", str(self._state)),
            *("--seed", "7"),  # the same ids in every demo
        )
        self.wait_for("stripe", f"{self.stripe}/_sandbox/health")
        if is_new and self.past:
            began = int(time.time() - self.past.total_seconds())
            httpx.post(f"{self.stripe}/_sandbox/clock", json={"now": began}).raise_for_status()

    @property
    def _state(self) -> Path:
        return self.folder / "stripe.db"

    def start_web(self) -> None:
        self.start("web", *web_command(self.web_port, "--workers", "1"))
        self.wait_for("web", f"{self.site}/readyz")

    def start_worker(self) -> None:
        self.start("worker", "manage.py", "worker")

    def seed(self) -> str:
        """Make the demo's people, plans and Offices. Returns the line that says how to sign in."""
        self.start("seed", "-m", "demo.seed")
        status = self.processes.pop("seed").wait()
        said = (self.folder / "seed.log").read_text(errors="replace").strip()
        if status != 0:
            raise DidNotStart(f"The demo's Offices could not be made:\n{said}")
        return said.splitlines()[-1]

    def make_past(self, say: Callable[[str], None]) -> None:
        """Let the months pass until now, and say what happens in each. Raises: DidNotStart."""
        self.start("past", "-m", "demo.past")
        with (self.folder / "past.log").open(errors="replace") as log:
            while not (ended := self.ended()):
                say_all(log, say)
                time.sleep(0.1)
            say_all(log, say)
        if ended != "past":
            raise DidNotStart(f"{ended} ended by itself; its log is {self.folder / f'{ended}.log'}")
        if self.processes.pop("past").wait() != 0:
            raise DidNotStart("The past of the demo's Offices could not be made.")

    def wait_for(self, name: str, url: str) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self.processes[name].poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(url, timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        last = (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]
        raise DidNotStart(f"{name} did not start. Its log ({self.folder / f'{name}.log'}) ends:\n{last}")

    def ended(self) -> str | None:
        """Return the name of a process that ended by itself, or None."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes of a web server, which outlive it
                process.wait()


def say_all(log: IO[str], say: Callable[[str], None]) -> None:
    for line in log:
        say(line.rstrip())


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    web_port: int,
    stripe_port: int,
    may_use_own_key: bool = False,
    past: timedelta = timedelta(0),
) -> Iterator[Stack]:
    """Run everything inside the block, and nothing after it."""
    check_free(web_port)
    check_free(stripe_port)
    stack = Stack(folder, web_port=web_port, stripe_port=stripe_port, may_use_own_key=may_use_own_key, past=past)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also if a parent process ignored it
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        stack.start_stripe()
        stack.manage("migrate", "--verbosity=0")
        stack.manage("setup_stripe")
        stack.start_worker()
        stack.start_web()
        yield stack
    finally:
        stack.stop()


def web_command(port: int, *more: str) -> list[str]:
    """Return the arguments with which Python starts the web server as the Procfile does, on this machine alone.

    ``more`` are options that replace those of the Procfile.
    """
    lines = (ROOT / "Procfile").read_text().splitlines()
    words = next(shlex.split(line.removeprefix("web:")) for line in lines if line.startswith("web:"))
    return ["-m", *words, "--host", "127.0.0.1", "--port", str(port), *more]


def has_own_key() -> bool:
    """Return whether the user's .env has a key of Stripe."""
    return OWN.is_file() and bool(re.search(r"^STRIPE_SECRET_KEY=\S", OWN.read_text(), re.MULTILINE))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def check_free(port: int) -> None:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise DidNotStart(
                f"Port {port} is taken by another program. End that, or choose others: "
                "make demo WEB_PORT=8001 STRIPE_PORT=12112"
            )


def demo_password() -> str:
    return Env().str("DEMO_PASSWORD", default="") or secrets.token_urlsafe(12)
