"""Sessions in the database, as Django has them, except that a write gives up soon if the database does not take it.

Django waits as long as the connection does, and then answers 400 as if the session had been ended meanwhile. Here it is
503, and when to try again.
"""

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, transaction

from billing import time_limits
from billing.database_trouble import TROUBLE


class SessionStore(db.SessionStore):
    def save(self, must_create: bool = False) -> None:
        """Write the session. Raises: CreateError, UpdateError. An error of the database, if it cannot be used."""
        if self.session_key is None:
            self.create()
        elif transaction.get_connection().in_atomic_block:
            self._write(must_create, using=DEFAULT_DB_ALIAS)
        else:
            with time_limits.impatient_write() as using:
                self._write(must_create, using=using)

    def _write(self, must_create: bool, *, using: str) -> None:
        row = self.create_model_instance(self._get_session(no_load=must_create))  # type: ignore[attr-defined]  # Django's
        try:
            with transaction.atomic(using=using):
                row.save(force_insert=must_create, force_update=not must_create, using=using)
        except TROUBLE:
            raise
        except IntegrityError:
            if must_create:
                raise CreateError from None
            raise
        except DatabaseError:
            if must_create:
                raise
            raise UpdateError from None  # its row is gone
