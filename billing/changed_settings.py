"""Which settings that matter changed since a worker last started. What they are is not kept: only a keyed digest.

``PLAIN`` and ``SECRET`` are the table of them. ``LEFT_OUT`` says why the others are in neither.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import transaction

from billing.audit import actor, leaves, trail
from billing.models import KnownSetting

log = logging.getLogger(__name__)

BY = actor.job("worker")
DATABASE_SECRET = "password, key or token of the database"  # noqa: S105  a name for it
NOT_SET = "not set"
SHORT = len("12345678:12345678")
"""Enough to tell one secret from another, and too little to find out which it is."""
PLACE = ("ENGINE", "NAME", "HOST", "PORT", "USER")

PLAIN: dict[str, Callable[[], Any]] = {
    "DEBUG": lambda: settings.DEBUG,
    "ALLOWED_HOSTS": lambda: settings.ALLOWED_HOSTS,
    "SITE_URL": lambda: settings.SITE_URL,
    "CORS_ALLOWED_ORIGINS": lambda: settings.CORS_ALLOWED_ORIGINS,
    "REQUIRE_SECOND_FACTOR": lambda: settings.REQUIRE_SECOND_FACTOR,
    "OFFICE_PAGES": lambda: settings.OFFICE_PAGES,
    "STAFF_IDLE_MINUTES": lambda: settings.STAFF_IDLE,
    "OFFICE_IDLE_MINUTES": lambda: settings.OFFICE_IDLE,
    "SESSION_HOURS": lambda: settings.SESSION_LASTS,
    "API_TOKEN_HOURS": lambda: settings.REST_KNOX["TOKEN_TTL"],
    "OIDC_ISSUER": lambda: settings.OIDC.issuer,
    "OIDC_CLIENT_ID": lambda: settings.OIDC.client_id,
    "OIDC_ROLES": lambda: {role: sorted(groups) for role, groups in settings.OIDC.roles.items()},
    "OIDC_GROUPS_CLAIM": lambda: settings.OIDC.groups_claim,
    "OIDC_SECOND_FACTOR": lambda: sorted(settings.OIDC.second_factor),
    "OIDC_EMAIL_DOMAINS": lambda: settings.OIDC.email_domains,
    "STRIPE_API_BASE": lambda: settings.STRIPE_API_BASE,
    "STRIPE_CA_BUNDLE": lambda: settings.STRIPE_CA_BUNDLE,
    "EMAIL_HOST": lambda: settings.EMAIL_HOST,
    "EMAIL_HOST_USER": lambda: settings.EMAIL_HOST_USER,
    "EMAIL_USE_TLS": lambda: settings.EMAIL_USE_TLS,
    "EMAIL_USE_SSL": lambda: settings.EMAIL_USE_SSL,
    "DEFAULT_FROM_EMAIL": lambda: settings.DEFAULT_FROM_EMAIL,
    "SUPPORT_EMAIL": lambda: settings.SUPPORT_EMAIL,
    "OFFICE_MAIL_SINCE": lambda: settings.OFFICE_MAIL_SINCE,
    "PAYMENT_REMINDER_DAYS": lambda: settings.PAYMENT_REMINDER_DAYS,
    "STAFF_DIGEST_EMAILS": lambda: settings.STAFF_DIGEST_EMAILS,
    "RECONCILE_HOUR": lambda: settings.RECONCILE_HOUR,
    "RECONCILE_REPAIRS": lambda: settings.RECONCILE_REPAIRS,
    "DATABASE_URL": lambda: {name: settings.DATABASES["default"].get(name, "") for name in PLACE},
    "DATABASE_PLAIN_ON_LOOPBACK": lambda: settings.DATABASE_PLAIN_ON_LOOPBACK,
    "LIBSQL_SERVER_LIVE_REASON": lambda: settings.LIBSQL_SERVER_LIVE_REASON,
    "DATABASE_AT_REST_REASON": lambda: settings.DATABASE_AT_REST_REASON,
    "BLIND_ACCESS_HOURS": lambda: settings.BLIND_ACCESS_GRACE,
    "PAST_DUE_DAYS": lambda: settings.PAST_DUE_GRACE,
    "AUDIT_SEAL_PUBLIC_KEYS": lambda: settings.AUDIT_SEAL_PUBLIC_KEYS,
    "AUDIT_HEADS_FILE": lambda: settings.AUDIT_HEADS_FILE,
    "AUDIT_REQUIRES_ACTOR": lambda: settings.AUDIT_REQUIRES_ACTOR,
    "APPROVAL_LIMITS": lambda: settings.APPROVAL_LIMITS,
    "VENDOR_TIME_ZONE": lambda: settings.VENDOR_TIME_ZONE,
    "ALERT_EMAILS": lambda: settings.ALERT_EMAILS,
    "BACKUPS_ELSEWHERE_REASON": lambda: settings.BACKUPS_ELSEWHERE_REASON,
    "TRUSTED_PROXIES": lambda: settings.TRUSTED_PROXIES,
    "RATE_LIMITS": lambda: {name: (one.times, one.seconds) for name, one in settings.RATE_LIMITS.items()},
}
SECRET: dict[str, Callable[[], Any]] = {
    "SECRET_KEY": lambda: settings.SECRET_KEY,
    "SECRET_KEY_FALLBACKS": lambda: settings.SECRET_KEY_FALLBACKS,
    "SECRETS_KEYS": lambda: settings.SECRETS_KEYS,
    "OIDC_CLIENT_SECRET": lambda: settings.OIDC.client_secret,
    "STRIPE_SECRET_KEY": lambda: settings.STRIPE_API_KEY,
    "STRIPE_WEBHOOK_SECRETS": lambda: settings.STRIPE_WEBHOOK_SECRETS,
    "STRIPE_PROXY": lambda: settings.STRIPE_PROXY,
    "EMAIL_HOST_PASSWORD": lambda: settings.EMAIL_HOST_PASSWORD,
    "HEALTH_TOKEN": lambda: settings.HEALTH_TOKEN,
    "ALERT_WEBHOOK": lambda: settings.ALERT_WEBHOOK,
    "AUDIT_SEAL_KEY": lambda: settings.AUDIT_SEAL_KEY,
    "AUDIT_ENTRY_KEYS": lambda: settings.AUDIT_ENTRY_KEYS,
    "METRICS_TOKEN": lambda: settings.METRICS_TOKEN,
    "BACKUP_KEYS": lambda: settings.BACKUP_KEYS,
    DATABASE_SECRET: lambda: settings.DATABASES["default"].get("PASSWORD", ""),
}
LEFT_OUT = {
    "OIDC_NAME": "a word on a button",
    "EMAIL_PORT": "it goes with EMAIL_HOST",
    "STRIPE_REQUESTS_PER_SECOND": "how fast, not what",
    "STRIPE_REQUESTS_PER_ENDPOINT": "how fast, not what",
    "WORKER_LOOKS_AT_ONCE": "how fast, not what",
    "WEB_PROCESSES": "how many, not what",
    "BACKUP_KEEP": "how many, not what",
    "BACKUP_KEEP_DAYS": "how long, not what",
    "DISK_LEAST_FREE_MB": "when it is told, not what",
    "STATIC_ROOT": "where styles are",
    "JOURNAL_ACCOUNTS": "what accounts are called, not what is booked",
    "LOG_LEVEL": "how much is logged",
    "PROMETHEUS_MULTIPROC_DIR": "where counts are",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "where traces go, which have no data",
    "LOG_FORMAT": "how a line of the log looks",
    "DATABASE_KEY": DATABASE_SECRET,
    "DATABASE_AUTH_TOKEN": DATABASE_SECRET,
    "DATABASE_NEW_KEY": "of a command, which is on record itself",
    "DATABASE_TO_KEY": "of a command, which is on record itself",
    "DATABASE_TO_TOKEN": "of a command, which is on record itself",
}


def record_if_possible() -> None:
    """Record which settings changed. A worker starts whether that can be written or not."""
    try:
        record()
    except AnyDatabaseError:
        log.exception("whether settings changed is not in the audit trail: the database did not take it")


def record() -> list[str]:
    """Write one entry with the names of the settings that changed, if any did. Return them.

    At the first start there is nothing to compare with, and the entry says so. A secret is named with whether it is
    set, and with an id that tells one value from another. If the key of the earlier digests is gone, all are named.
    """
    with transaction.atomic():
        known = dict(KnownSetting.objects.select_for_update().values_list("name", "digest"))
        changes = {}
        for name, digests in _present().items():
            if name not in known:
                KnownSetting.objects.get_or_create(pk=name, defaults={"digest": digests[0]})
            elif known[name] not in digests:
                row = KnownSetting.objects.filter(pk=name, digest=known[name])
                if row.update(digest=digests[0]):  # otherwise another worker that starts now has it on record
                    changes[name] = _shown(name, digests[0])
        with trail.acting(BY):
            if not known:
                trail.record_act(trail.installation(), "began to keep digests of the settings that matter")
            if changes:
                what = f"settings changed since a worker last started: {', '.join(sorted(changes))}"
                trail.record_act(trail.installation(), what, changes=changes)
    return sorted(changes)


def differing(*, using: str = "default") -> list[str]:
    """Return the settings of this process that differ from those with which a worker last started. One query."""
    known = dict(KnownSetting.objects.using(using).values_list("name", "digest"))
    return sorted(name for name, digests in _present().items() if name in known and known[name] not in digests)


def _present() -> dict[str, list[str]]:
    """Return for each setting its digest with each of our keys, the newest first. That of a secret is a short one."""
    found = {name: leaves.macs_of(_text(name, value())) for name, value in PLAIN.items()}
    for name, value in SECRET.items():
        secret = value()
        found[name] = [mac[:SHORT] for mac in leaves.macs_of(_text(name, secret))] if secret else [NOT_SET]
    return found


def _shown(name: str, digest: str) -> str:
    if name not in SECRET:
        return "changed"
    return digest if digest == NOT_SET else f"set, key {digest}"


def _text(name: str, value: Any) -> bytes:
    return f"setting {name}={json.dumps(value, sort_keys=True, default=str)}".encode()
