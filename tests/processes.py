"""Other processes of ours on the tests' own database."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connection

PATIENCE_SECONDS = 30


def database_url() -> str:
    """The tests' own database, for another process."""
    is_ = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"libsql:///{is_['NAME']}"
    return f"postgres://{is_['USER']}:{is_['PASSWORD']}@{is_['HOST']}:{is_['PORT']}/{is_['NAME']}"


@pytest.fixture
def started() -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Starts processes, which end with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        variables = {"DATABASE_URL": database_url(), "STRIPE_API_BASE": settings.STRIPE_API_BASE}
        process = subprocess.Popen([sys.executable, *arguments], env={**os.environ, **variables})
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def until(seen: Callable[[], object]) -> None:
    """It was seen to become true."""
    pause, begun = threading.Event(), time.monotonic()
    while not seen():
        assert time.monotonic() - begun < PATIENCE_SECONDS, "did not happen"
        pause.wait(0.02)
