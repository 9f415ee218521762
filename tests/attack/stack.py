"""The product as several processes, each of which can be killed and comes back."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import threading
from pathlib import Path

from config.rate_limits import DEFAULTS
from demo.stack import Stack, free_port, web_command

NO_LIMITS = ",".join(f"{name}=1000000/second" for name in DEFAULTS)
"""One person asks for everything here, as fast as possible."""


class Attacked(Stack):
    """A local Stripe, several web servers behind one address, and several workers, on one database."""

    def __init__(self, folder: Path, database_url: str, *, webs: int, workers: int) -> None:
        super().__init__(folder, web_port=free_port(), stripe_port=free_port())
        self.environment |= {"DATABASE_URL": database_url, "LOG_LEVEL": "ERROR", "RATE_LIMITS": NO_LIMITS}
        del self.environment["WORKER_LOOKS_AT_ONCE"]  # as many as in production
        self.ports = {f"web{n}": free_port() for n in range(webs)}
        self.workers = [f"worker{n}" for n in range(workers)]
        self.killed = 0
        self._listener: socket.socket | None = None

    def start_stripe(self) -> None:
        """Start the local Stripe. What it would send waits until it is taken."""
        self.start(
            "stripe",
            *("-m", "stripe_sandbox", "--port", str(self.stripe_port), "--delivery", "manual"),
            *("--secret-key", self.environment["STRIPE_SECRET_KEY"]),
            *("--webhook-secret", self.environment["STRIPE_WEBHOOK_SECRETS"]),
        )
        self.wait_for("stripe", f"{self.stripe}/_sandbox/health")

    def start_all(self) -> None:
        for name in (*self.workers, *self.ports):
            self.start_again(name)
        for name, port in self.ports.items():
            self.wait_for(name, f"http://127.0.0.1:{port}/readyz")
        self._listener = socket.create_server(("127.0.0.1", self.web_port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def start_again(self, name: str) -> None:
        if name in self.ports:
            self.start(name, *web_command(self.ports[name], "--workers", "1"))
        else:
            self.start(name, "manage.py", "worker")

    def kill_one(self) -> str:
        """Kill a web server or a worker with SIGKILL, start another one in its place, and return its name."""
        name = random.choice([*self.ports, *self.workers])
        process = self.processes[name]
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.killed += 1
        self.start_again(name)
        return name

    def stop(self) -> None:
        if self._listener:
            self._listener.close()
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        """Lead a connection to one of the web servers, as a load balancer that does not know who lives."""
        try:
            server = socket.create_connection(("127.0.0.1", random.choice(list(self.ports.values()))), timeout=5)
        except OSError:
            client.close()
            return
        server.settimeout(None)
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
