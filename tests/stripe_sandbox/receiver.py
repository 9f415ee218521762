"""A webhook endpoint for tests, in its own thread."""

import json
import queue
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """A webhook endpoint that keeps what it receives. It answers 200, or the statuses in ``answers``."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[dict[str, str], str]] = queue.Queue()
        self.answers: queue.Queue[int] = queue.Queue()
        self.open = threading.Event()  # while it is cleared, answers wait
        self.open.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.received.put((dict(self.headers), body))
                receiver.open.wait(20)
                status = 200 if receiver.answers.empty() else receiver.answers.get()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def next(self) -> dict[str, Any]:
        """Return the next event that comes within five seconds."""
        return json.loads(self.received.get(timeout=5)[1])

    def close(self) -> None:
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


def eventually(true: Callable[[], Any], seconds: float = 5) -> Any:
    """Return what the call returns when it is true. The call asks over HTTP, so there is no other wait."""
    until = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < until, "it never came"
    return found
