"""Sessions in the database, as Django has them, except that a write gives up soon if the database does not take it.

Django waits as long as the connection does, and then answers 400 as if the session had been ended meanwhile. Here it is
503, and when to try again.

A session is read together with allauth's row about it, which says when it was used: each request asks for both.
"""

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.db import DEFAULT_DB_ALIAS, DatabaseError, IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from billing import time_limits
from billing.database_trouble import TROUBLE

OF_USE = ("id", "created_at", "last_seen_at")
"""The columns of allauth's row that ``billing.sign_in.lasting`` needs."""


class SessionStore(db.SessionStore):
    used: UserSession | None = None
    read_as: str | None = None
    """The key of the session when it was read. Whoever signs in gets another one."""

    def use(self) -> UserSession | None:
        """Return allauth's row about this session. No query, if the session was read and still has its key."""
        if self.read_as is not None and self.read_as == self.session_key:
            return self.used
        return UserSession.objects.filter(session_key=self.session_key).first()

    def _get_session_from_db(self) -> Any:
        """Return the session's row, or None if there is none or it is over. One query, also for how it was used."""
        about = UserSession.objects.filter(session_key=OuterRef("session_key")).order_by("pk")
        columns = {f"used_{name}": Subquery(about.values(name)[:1]) for name in OF_USE}
        there = self.model.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now())
        found = there.annotate(**columns).first()
        if found is None:
            self._session_key = None  # as Django does: a key that nobody knows is not used again
            return None
        self.read_as = self.session_key
        values = {name: getattr(found, f"used_{name}") for name in OF_USE}
        self.used = UserSession(session_key=self.read_as, **values) if values["id"] is not None else None
        return found

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
