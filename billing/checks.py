"""The checks of `manage.py check --deploy`.

The check of live charging only warns. It never prevents a start, because renewals continue and requests that can charge
are refused before they are sent. Without its static files the web server does not start, because every page of the
admin would be an error 500.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage, storages
from django.db import DatabaseError, connection, connections

from billing import clock, errors, zones
from billing.audit import append_only
from billing.models import Agreement
from billing.models.agreement import about, payment_processor
from billing.stripe_api import charging
from billing.stripe_api.reviewed import why_renew
from config.databases import is_file, is_libsql_server

log = logging.getLogger(__name__)

SOON = timedelta(days=30)
CHARGING_REFUSED = "billing.W001"
ROLE_DEFAULTS = {
    "statement_timeout": "60s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    "TimeZone": "UTC",
}
"""What the product's role has by default on PostgreSQL. A pooler lets no connection set it for itself."""
COLLECT = "Run on this machine, after each update too: python manage.py collectstatic --no-input"


def check_determination(*, using: str = "default", **_: Any) -> list[CheckMessage]:
    """Warn in live mode if no determination is in force, or if it ends within 30 days."""
    if not settings.STRIPE_LIVE_MODE:
        return []
    now = clock.wall()
    try:
        found = payment_processor(at=now, using=using)
    except DatabaseError:
        return [
            Warning(
                "Live mode: the BAA determination could not be read from the database.",
                hint="Run: python manage.py migrate",
                id="billing.W003",
            )
        ]
    if not found.permits_charging:
        return [
            Warning(
                f"Live mode: charging is refused, because {charging.why_not(found)}",
                hint=errors.RECORD_DETERMINATION,
                id=CHARGING_REFUSED,
            )
        ]
    if found.until and found.until - now <= SOON:
        return [
            Warning(
                f"The last day of the BAA determination is {zones.last_day(found.until, 'UTC')}. After that, live "
                "charging is refused.",
                hint=errors.RECORD_DETERMINATION,
                id="billing.W002",
            )
        ]
    return []


def check_suppliers(*, using: str = "default", **_: Any) -> list[CheckMessage]:
    """Warn in live mode if a determination should be renewed, or if a supplier has none."""
    if not settings.STRIPE_LIVE_MODE:
        return []
    now = clock.wall()
    found: list[CheckMessage] = []
    try:
        for supplier in Agreement.Subject:
            inforce = about(supplier, at=now, using=using)
            row = inforce.row if inforce.permits_charging else None
            if row is None and supplier != Agreement.Subject.PAYMENT_PROCESSOR:
                found.append(
                    Warning(
                        f"Live mode: no determination is in force about {supplier.label.lower()}.",
                        hint=errors.RECORD_DETERMINATION,
                        id="billing.W012",
                    )
                )
            found += [
                Warning(f"{supplier.label}: {why}", hint=errors.RECORD_DETERMINATION, id="billing.W011")
                for why in why_renew(supplier, row, at=now)
            ]
    except DatabaseError:
        return []  # check_determination says it
    return found


def check_where_live_data_is(**_: Any) -> list[CheckMessage]:
    """In live mode: whether a power cut can lose commits, and whether the data is encrypted at rest."""
    if not settings.STRIPE_LIVE_MODE:
        return []
    found: list[CheckMessage] = []
    database = settings.DATABASES["default"]
    if is_libsql_server(database):
        found.append(
            Warning(
                "Live mode on a libSQL server, which does not put each commit on disk: a power cut can lose what was "
                f"written last. Accepted because: {settings.LIBSQL_SERVER_LIVE_REASON}",
                hint="Use PostgreSQL, or a file.",
                id="billing.W005",
            )
        )
    if not ((is_file(database) and database["PASSWORD"]) or settings.DATABASE_AT_REST_REASON.strip()):
        found.append(
            Warning(
                "Live mode: nothing says that the database is encrypted at rest.",
                hint="Encrypt the file (manage.py encrypt_database), or say in DATABASE_AT_REST_REASON what does it, "
                "such as an encrypted volume.",
                id="billing.W006",
            )
        )
    return found


def check_role_defaults(*, using: str = "default", **_: Any) -> list[CheckMessage]:
    """On PostgreSQL: whether the role's defaults limit how long a statement, a lock and an idle transaction last."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_user, name, reset_val FROM pg_settings WHERE name = ANY(%s)", [list(ROLE_DEFAULTS)]
            )
            found = cursor.fetchall()
    except DatabaseError as error:
        return [Warning(f"The defaults of the database role could not be read: {error}", id="billing.W007")]
    default = {name: value for _, name, value in found}
    missing = [
        name for name in ROLE_DEFAULTS if default[name] == "0" or (name == "TimeZone" and default[name] != "UTC")
    ]
    if not missing:
        return []
    role = connection.ops.quote_name(found[0][0])
    statements = " ".join(f"ALTER ROLE {role} SET {name} = '{ROLE_DEFAULTS[name]}';" for name in missing)
    return [
        Warning(
            f"PostgreSQL: the role {role} has no default, or not the one that is needed, for {', '.join(missing)}.",
            hint=f"Run on the database: {statements} Then restart the pooler, if there is one, web and workers.",
            id="billing.W007",
        )
    ]


def check_trusted_proxies(**_: Any) -> list[CheckMessage]:
    """Warn, with DEBUG off, if no proxy is trusted: then all visitors seem to come from one address, the proxy's."""
    if settings.DEBUG or settings.TRUSTED_PROXIES:
        return []
    return [
        Warning(
            "TRUSTED_PROXIES is 0, so everybody seems to come from the address of your proxy. The limit for signing in "
            "then counts all people together, and the allowed networks of services do not fit.",
            hint="Set TRUSTED_PROXIES to the number of your own proxies in front of this site, usually 1.",
            id="billing.W008",
        )
    ]


def check_trail(**_: Any) -> list[CheckMessage]:
    """Check that the triggers of the audit trail stand, and in live mode that its heads are kept elsewhere."""
    found: list[CheckMessage] = []
    try:
        missing = append_only.faults(connection) if append_only.has_tables(connection) else []
    except DatabaseError as error:
        return [Warning(f"The triggers of the audit trail could not be read: {error}", id="billing.W009")]
    if missing:
        found.append(
            Warning(
                f"The audit trail is not protected: {', '.join(missing)} missing, or not as it should be.",
                hint="Find out who took it away. Run: python manage.py migrate, then: python manage.py verify_audit",
                id="billing.W009",
            )
        )
    if settings.STRIPE_LIVE_MODE and not settings.AUDIT_HEADS_FILE:
        found.append(
            Warning(
                "Live mode: no head of the audit trail is kept elsewhere, so nobody can find that its end was cut off.",
                hint="Set AUDIT_HEADS_FILE to a file on another machine's disk.",
                id="billing.W010",
            )
        )
    return found


def check_static_files(**_: Any) -> list[CheckMessage]:
    """Check, with DEBUG off, that all static files were collected and are of this version."""
    try:
        collected = storages.create_storage(settings.STORAGES["staticfiles"])
    except ValueError as error:
        return [Error(f"The list of static files cannot be read: {error}", hint=COLLECT, id="billing.E001")]
    if not isinstance(collected, ManifestFilesMixin):
        return []  # with DEBUG, Django serves them from their own folders
    folder = settings.STATIC_ROOT
    if not collected.hashed_files:
        return [Error(f"The static files are not collected. {folder} has none.", hint=COLLECT, id="billing.E001")]
    missing, differing = [], []
    for name, source, path in _static_files():
        if name not in collected.hashed_files or not collected.exists(collected.hashed_files[name]):
            missing.append(name)
        elif not _is_same(collected, name, source, path):
            differing.append(name)
    if missing:
        what = f"Static files are missing in {folder}: {len(missing)}, among them {missing[0]}."
        return [Error(what, hint=COLLECT, id="billing.E001")]
    if differing:
        what = f"Static files in {folder} are of another version: {len(differing)}, among them {differing[0]}."
        return [Warning(what, hint=COLLECT, id="billing.W004")]
    return []


def warn_of_untrusted_proxies() -> None:
    """Log the warning of ``check_trusted_proxies`` when the web server starts."""
    _log(check_trusted_proxies())


def warn_of_unprotected_trail() -> None:
    """Log the warnings of ``check_trail`` when the web server or a worker starts."""
    _log(check_trail())


def _log(problems: list[CheckMessage]) -> None:
    for problem in problems:
        log.warning("%s %s", problem.msg, problem.hint or "")


def refuse_without_static_files() -> None:
    """Refuse to start the web server if static files are missing. Files of another version are only logged.

    Raises:
        ImproperlyConfigured: the text says what to type.
    """
    for problem in check_static_files():
        if problem.is_serious():
            raise ImproperlyConfigured(f"{problem.msg} {problem.hint}")
        log.warning("%s %s", problem.msg, problem.hint)


def _static_files() -> Iterator[tuple[str, Storage, str]]:
    """Yield what `collectstatic` would collect: each name, and where it comes from. The first file of a name counts."""
    seen = set()
    for finder in get_finders():
        for path, source in finder.list(apps.get_app_config("staticfiles").ignore_patterns):  # type: ignore[attr-defined]
            prefix = getattr(source, "prefix", None)
            name = f"{prefix}/{path}" if prefix else path
            if name not in seen:
                seen.add(name)
                yield name, source, path


def _is_same(collected: Storage, name: str, source: Storage, path: str) -> bool:
    if not collected.exists(name) or collected.size(name) != source.size(path):
        return False
    with collected.open(name) as one, source.open(path) as other:
        return bool(one.read() == other.read())
