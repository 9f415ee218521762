"""A little proxy on this machine that takes CONNECT, and leads to one port of this machine whatever it is asked for."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator


class ConnectProxy(socketserver.ThreadingTCPServer):
    """``asked`` has the lines of each request as they came."""

    daemon_threads = True

    def __init__(self, leads_to: int) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.leads_to, self.asked = leads_to, list[list[bytes]]()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Tunnel(socketserver.StreamRequestHandler):
    server: ConnectProxy

    def handle(self) -> None:
        self.server.asked.append(list(iter(lambda: self.rfile.readline().strip(), b"")))
        with socket.create_connection(("127.0.0.1", self.server.leads_to), timeout=10) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(there, self.connection))
            back.start()
            _copy(self.connection, there)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):  # one side broke off, which some tests want to see
        while read := source.recv(65_536):
            target.sendall(read)
        target.shutdown(socket.SHUT_WR)
