"""A real libSQL server for tests. LIBSQL_SERVER names its program, ``sqld``: see the Makefile."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_SECONDS = 20


class Server:
    """A server on a free port of this machine, with its files in ``folder``."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.environment = folder, environment
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start(self) -> None:
        address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [program(), "--db-path", str(self.folder), "--http-listen-addr", address, "--no-welcome"],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder.parent / f"{self.folder.name}.log").open("ab"),
            env={**os.environ, "RUST_LOG": "error", **self.environment},
        )
        begun = time.monotonic()
        while True:
            try:
                with urllib.request.urlopen(f"http://{address}/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None or time.monotonic() - begun > PATIENCE_SECONDS:
                    raise
                time.sleep(0.05)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


def program() -> str:
    found = shutil.which(os.environ.get("LIBSQL_SERVER", "sqld"))
    if found is None:
        raise SystemExit("LIBSQL_SERVER: name the program of a libSQL server (sqld)")
    return found
