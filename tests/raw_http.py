"""Requests as bytes over a socket, for what no client library would send."""

import contextlib
import socket
from typing import Any

PATIENCE_SECONDS = 20


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)


def head(method: str, path: str, *, version: str = "1.1", host: str = "127.0.0.1", **headers: Any) -> bytes:
    """Return the head of a request. Underscores in names become hyphens."""
    lines = [f"{method} {path} HTTP/{version}", f"Host: {host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def answer(port: int, *parts: bytes, cut: bool = False) -> tuple[int, bytes]:
    """Send the parts, and return status and body of the answer. ``cut``: nothing more comes from us after that."""
    with connected(port) as line:
        with contextlib.suppress(ConnectionError):  # it was answered before all was sent
            for part in parts:
                line.sendall(part)
            if cut:
                line.shutdown(socket.SHUT_WR)
        return read_answer(line)


def read_answer(line: socket.socket) -> tuple[int, bytes]:
    """Return status and body. (0, b""): the connection ended without an answer."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while not _is_whole(received):
            if not (more := line.recv(65_536)):
                break
            received += more
    top, _, body = received.partition(b"\r\n\r\n")
    return (int(top.split(b" ", 2)[1]), body) if top else (0, b"")


def _is_whole(received: bytes) -> bool:
    top, ended, body = received.partition(b"\r\n\r\n")
    lengths = [line[15:] for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if not ended:
        return False
    return len(body) >= int(lengths[0]) if lengths else body.endswith(b"0\r\n\r\n")
