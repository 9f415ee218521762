"""The product as a WSGI application in the process and the transaction of a test, for clients that are not Django's."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

SIGNALS = (request_started, request_finished)
Application = Callable[[Any, Any], Any]


@contextlib.contextmanager
def application() -> Iterator[Application]:
    """Yield the product. A request leaves the connections open, as one of Django's test client does."""
    product = get_wsgi_application()

    def answered(environ: Any, start_response: Any) -> Any:
        for one in SIGNALS:  # each time, because Django's test client connects them again
            one.disconnect(close_old_connections)
        return product(environ, start_response)

    try:
        yield answered
    finally:
        for one in SIGNALS:
            one.connect(close_old_connections)
