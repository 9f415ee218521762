"""What a person is answered while the database cannot be used: 503 and what to do, instead of a bare 500.

It may be away, be changing over to a standby, be read-only, or be locked for longer than a connection waits.
"""

from django.db import InterfaceError, InternalError, OperationalError

TROUBLE = (OperationalError, InterfaceError, InternalError)  # InternalError: PostgreSQL while it is read-only
CODE = "database_unavailable"
DETAIL = (
    "The database cannot be used now. If you asked for a change, nobody knows yet whether it was made. Send the same "
    "request again in a few seconds, with the same Idempotency-Key."
)
RETRY_AFTER = {"Retry-After": "5"}
