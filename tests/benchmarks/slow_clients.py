"""Measures what slow clients cost the others: ``python -m tests.benchmarks.slow_clients``.

The web server is started as the Procfile says, with production settings and no proxy. Some connections are held: with
headers that do not end, with bodies of which a byte comes each second, or idle after an answer. Meanwhile /healthz is
asked, and signed events are sent, each on a connection of its own.
"""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks import sandbox, stage
from tests.benchmarks.receive import Sent, request_of, told

HELD = (8, 64, 256)
SECONDS = 4.0
PATIENCE = 5.0
TOP = f"Host: {stage.HOST}\r\nX-Forwarded-Proto: https\r\n"
BODY = "Content-Type: application/json\r\nContent-Length: 5000\r\n"
KINDS = {
    "headers": f"GET /healthz HTTP/1.1\r\n{TOP}X-Slow: a",
    "body": f"POST /stripe/webhook/00000000-0000-4000-8000-000000000000/ HTTP/1.1\r\n{TOP}{BODY}\r\n{{",
    "idle": f"GET /nothing HTTP/1.1\r\n{TOP}\r\n",
}
HEALTH = f"GET /healthz HTTP/1.1\r\n{TOP}Connection: close\r\n\r\n".encode()


def main() -> None:
    stage.on_each_database(measure)


def measure() -> None:
    os.environ["RATE_LIMITS"] = "visitors=1000000/second"
    with sandbox.running("--secret-key", stage.KEY, "--webhook-secret", stage.SECRET) as stripe:
        stage.set_up_beside(f"http://{stripe.address}")
        stripe.connection.close()
        events = iter(told(stripe))
        from djstripe.models import WebhookEndpoint

        path = f"/stripe/webhook/{WebhookEndpoint.objects.get().djstripe_uuid}/"
        print(stage.machine())
        with stage.web() as (server, port):
            for kind, held in itertools.product(KINDS, HELD):
                with slow(port, KINDS[kind].encode(), held, drips=kind != "idle") as open_:
                    seen = beside(port, path, events)
                    left, memory = len(open_), _megabytes(server)
                waits = [took for took, status in seen["health"] if status in (200, 503)]
                lost = len(seen["health"]) - len(waits)
                statuses = dict(Counter(status or "lost" for _, status in seen["events"]))
                times = stage.percentiles(waits) if len(waits) > 1 else "no answer"
                print(
                    f"{held:4} {kind:8} /healthz {times}, {lost} lost; events {statuses}; "
                    f"{held - left} closed; {memory:.0f} MB",
                    flush=True,
                )


@contextlib.contextmanager
def slow(port: int, sent: bytes, times: int, *, drips: bool) -> Iterator[list[socket.socket]]:
    """Hold connections on which this was sent, and add a byte each second. Yield those that are open."""
    open_ = [socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) for _ in range(times)]
    for line in open_:
        line.sendall(sent)
        line.setblocking(False)
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(1):
            for line in list(open_):
                if not _is_open(line, drips=drips):
                    open_.remove(line)
                    line.close()

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        yield open_
    finally:
        ended.set()
        dripping.join()
        for line in open_:
            line.close()


def _is_open(line: socket.socket, *, drips: bool) -> bool:
    try:
        with contextlib.suppress(BlockingIOError):
            if not line.recv(65_536):
                return False
        if drips:
            line.send(b"a")
    except BlockingIOError:
        return True
    except OSError:
        return False
    return True


def beside(port: int, path: str, events: Iterator[Sent]) -> dict[str, list[tuple[float, int]]]:
    """Ask /healthz and send events meanwhile. Return the seconds and the status of each; 0 is no answer."""
    seen: dict[str, list[tuple[float, int]]] = {"health": [], "events": []}
    until = time.monotonic() + SECONDS

    def ask(what: str) -> None:
        while time.monotonic() < until:
            request = HEALTH if what == "health" else request_of(path, next(events)[1])
            begun = time.perf_counter()
            status = _status(port, request)
            seen[what].append((time.perf_counter() - begun, status))
            time.sleep(0.05)

    asking = [threading.Thread(target=ask, args=(what,)) for what in seen]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    return seen


def _status(port: int, request: bytes) -> int:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
            line.sendall(request)
            return int(line.recv(65_536).split(b" ", 2)[1])
    except (OSError, IndexError):
        return 0


def _megabytes(pid: int) -> float:
    """Return the memory of the process and its children. What they share counts once."""
    kilobytes = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if pid in (int(stat.parent.name), parent):
                rollup = (stat.parent / "smaps_rollup").read_text()
                kilobytes += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes / 1024


if __name__ == "__main__":
    main()
