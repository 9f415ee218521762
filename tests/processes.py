"""Other processes of the product on the tests' own database."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from config.databases import is_libsql_server

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 30
OF_TESTS = ("DJANGO_SETTINGS_MODULE", "APPROVAL_LIMITS")
"""The variables with which the tests' own settings differ from what a demo runs with."""


def database_url() -> str:
    """Return the tests' own database, for another process."""
    is_ = connection.settings_dict
    if is_libsql_server(is_):
        return str(is_["NAME"])
    if connection.vendor == "sqlite":
        return f"libsql:///{is_['NAME']}"
    return f"postgres://{is_['USER']}:{is_['PASSWORD']}@{is_['HOST']}:{is_['PORT']}/{is_['NAME']}"


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Return a function that starts processes. They end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        variables = {"DATABASE_URL": database_url(), "STRIPE_API_BASE": settings.STRIPE_API_BASE}
        environment = {**os.environ, **variables}
        process = subprocess.Popen([sys.executable, *arguments], env=environment, start_new_session=True)
        running.append(process)
        return process

    yield start
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a web server has processes of its own, which outlive it
        process.wait()


def production(folder: Path) -> dict[str, str]:
    """Return the environment of production, with a database and static files in this folder."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ENV_FILE": str(ROOT / "tests" / "production.env"),
        "DATABASE_URL": f"libsql:///{folder / 'production.db'}",
        "STATIC_ROOT": str(folder / "collected"),
    }


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the `release` of the Procfile put the static files."""
    folder = tmp_path_factory.mktemp("release")
    lines = (ROOT / "Procfile").read_text().splitlines()
    command = next(line.removeprefix("release:") for line in lines if line.startswith("release:"))
    subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, env=production(folder), capture_output=True, check=True)
    return folder / "collected"


@contextlib.contextmanager
def without(*variables: str) -> Iterator[None]:
    """Take these variables from the environment inside the block, so that new processes do not have them."""
    with pytest.MonkeyPatch.context() as patch:
        for one in variables:
            patch.delenv(one, raising=False)
        yield


def until(seen: Callable[[], object]) -> None:
    """Wait until it is true."""
    pause, begun = threading.Event(), time.monotonic()
    while not seen():
        assert time.monotonic() - begun < PATIENCE_SECONDS, "did not happen"
        pause.wait(0.02)
