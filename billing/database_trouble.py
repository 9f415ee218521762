"""What a person is answered while the database cannot be used: 503 and what to do, instead of a bare 500.

It may be away, be changing over to a standby, be read-only, or be locked for longer than a connection waits.
"""

import sys

from django.db import IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

TROUBLE = (OperationalError, InterfaceError, InternalError)  # InternalError: PostgreSQL while it is read-only
MOVED = "This database is being moved or was moved."
"""What its triggers say, see billing/moving/freezing.py. SQLite says it as an IntegrityError."""
CODE = "database_unavailable"
DETAIL = (
    "The database cannot be used now. If you asked for a change, nobody knows yet whether it was made. Send the same "
    "request again in a few seconds, with the same Idempotency-Key."
)
RETRY_AFTER = {"Retry-After": "5"}


def is_trouble(error: BaseException | None) -> bool:
    """Return whether the same request can succeed later, when the database can be used again."""
    return isinstance(error, TROUBLE) or (isinstance(error, IntegrityError) and MOVED in str(error))


def error_page(request: HttpRequest) -> HttpResponse:
    """Return the answer to an error that nothing else has answered. Django's ``handler500``."""
    if not is_trouble(sys.exc_info()[1]):
        return server_error(request)
    if request.path.startswith("/api/"):
        return JsonResponse({"code": CODE, "detail": DETAIL}, status=503, headers=RETRY_AFTER)
    page = render_to_string("billing/database_away.html")  # without the request, which would ask the database
    return HttpResponse(page, status=503, headers=RETRY_AFTER)
