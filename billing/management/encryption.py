"""What the commands that encrypt the database file share: what they refuse, the audit entry, and what to do next."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connections
from django.db.utils import load_backend

from billing.audit import actor, trail
from billing.models import StripeAccount
from config.databases import is_file

DONE = "Now set DATABASE_KEY to the new key, and remove DATABASE_NEW_KEY. Then start web and worker again."
NOT_OVERWRITTEN = "The old file could not be overwritten. What was in it may still be on the disk."
WITHOUT_ACCOUNT = "no account yet"


def encrypt_with_new_key(what: str, *, command: str, key: str) -> str:
    """Encrypt the file with DATABASE_NEW_KEY, and return what to do next.

    ``key`` is the file's key until now, or empty. ``what`` goes into the audit trail.

    Raises:
        CommandError: the file is as it was, and still has the key that it had.
    """
    file, new_key = Path(settings.DATABASES["default"]["NAME"]), settings.DATABASE_NEW_KEY
    if not new_key:
        raise CommandError(
            "DATABASE_NEW_KEY is missing. Make a key, keep a copy of it in another place, and set it: "
            'python -c "import secrets; print(secrets.token_hex(32))"'
        )
    if new_key.lower() == key.lower():
        raise CommandError("DATABASE_NEW_KEY is the key that the file has already. Make another one.")
    if not file.is_file() or not file.stat().st_size:
        raise CommandError(f"There is no database in {file} yet. Set DATABASE_KEY, then run: python manage.py migrate")
    from config.libsql import encryption

    def record(copy: Path) -> None:
        with _default_is(copy, new_key), trail.acting(actor.job(command), reason=command):
            trail.record_act(_account(), what)

    connections.close_all()
    try:
        overwritten = encryption.replace(file, key=key, new_key=new_key, record=record)
    except encryption.NotReplaced as error:
        raise CommandError(f"{error} The file was not changed.") from None
    except DatabaseError as error:
        raise CommandError(
            f"The audit trail cannot be written: {error}. Run python manage.py migrate first. The file was not changed."
        ) from None
    return DONE if overwritten else f"{NOT_OVERWRITTEN}\n{DONE}"


def refuse_other_forms() -> None:
    """Raises: CommandError where the database is no file."""
    if not is_file(settings.DATABASES["default"]):
        raise CommandError("This is only for a database file (DATABASE_URL=libsql:///…).")


@contextlib.contextmanager
def _default_is(file: Path, key: str) -> Iterator[None]:
    """The default connection leads to this file."""
    own = connections["default"]
    given = {**own.settings_dict, "NAME": str(file), "PASSWORD": key}
    connections["default"] = load_backend(given["ENGINE"]).DatabaseWrapper(given, "default")
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = own


def _account() -> StripeAccount:
    """What the entry is about: a database belongs to one account."""
    account = StripeAccount.objects.first()
    if account:
        return account
    kind, live = settings.STRIPE_KIND, settings.STRIPE_LIVE_MODE
    return StripeAccount(pk=1, account_id=WITHOUT_ACCOUNT, kind=kind, livemode=live)
