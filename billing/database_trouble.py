"""What a person is answered while the database cannot be used: 503 and what to do, instead of a bare 500.

It may be away, be changing over to a standby, be read-only, or be locked for longer than a connection waits.
"""

from typing import Any, TypeVar

from django.db import InterfaceError, InternalError, OperationalError

Answer = TypeVar("Answer", bound=Any)
TROUBLE = (OperationalError, InterfaceError, InternalError)  # InternalError: PostgreSQL while it is read-only
CODE = "database_unavailable"
DETAIL = (
    "The database cannot be used now. If you asked for a change, nobody knows yet whether it was made. Send the same "
    "request again in a few seconds, with the same Idempotency-Key."
)
RETRY_AFTER = {"Retry-After": "5"}
DEFECTS = ("no such ", "has no column", "syntax error")
"""Words of SQLite about a wrong statement. It has no class of errors for them."""


def is_trouble(error: BaseException | None) -> bool:
    """Return whether the error says that the database cannot be used now, and not that a statement of ours is wrong."""
    return isinstance(error, TROUBLE) and not any(one in str(error) for one in DEFECTS)


def is_logged(response: Answer) -> Answer:
    """Return the response, about which our own line says more than Django's, so that there is one line for it."""
    response._has_been_logged = True
    return response
