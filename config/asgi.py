"""The product as the web server runs it: Django, which is WSGI, in a fixed number of threads.

A request takes a thread when it is whole. So a client that sends slowly costs a connection, and no thread.
"""

from typing import Any, cast

from a2wsgi import WSGIMiddleware

from config.whole_requests import WholeRequests
from config.wsgi import application as django

THREADS = 4
"""Of each process. Each may hold a connection to the database."""
ANSWER_PARTS = 256
"""So many parts of an answer wait for a slow reader without a thread: 2 MB of a static file, whose parts have 8 KiB."""

application = WholeRequests(WSGIMiddleware(cast(Any, django), workers=THREADS, send_queue_size=ANSWER_PARTS))
