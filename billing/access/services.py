"""Services: making, changing and ending them and their secrets, and finding the service that a token belongs to."""

import hashlib
import logging
import secrets
import time
from datetime import datetime, timedelta

from django.db import Error as AnyDatabaseError
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.crypto import constant_time_compare

from billing import clock, errors, time_limits
from billing.access import network, roles
from billing.access.roles import Power
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import ServiceIdentity, ServiceSecret

log = logging.getLogger(__name__)

BEGINS = "obs"
"""A token is ``obs_<prefix>_<secret>``. Tools that look for secrets in code can find it by its beginning."""
USE_IS_EXACT_TO = timedelta(minutes=10)
TRY_EVERY = 60
"""Seconds. If the database takes no write, it is not asked at each request."""
MAY = Power.SERVICES
REFUSED = "service_refused"
"""The code of the refusal of a right token that is not valid any more, or came from elsewhere."""
tried: dict[int, float] = {}
"""When this process last tried to write that a service is used."""


def give_secret(service: ServiceIdentity, *, by: Actor, overlap: timedelta = timedelta(0)) -> str:
    """Make a secret and return the token, which cannot be read again. The secret before it ends after ``overlap``.

    Raises: NotPermitted. ServiceEnded. SecretsOverlap: two are valid already.
    """
    roles.require(by, MAY, to="make a secret of a service")
    now = clock.wall()
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with trail.acting(by, reason=trail.current().reason), transaction.atomic():
        if not _locked(service).is_valid(now):
            raise errors.ServiceEnded(service)
        before = list(_valid(service, now))
        if len(before) > 1:
            raise errors.SecretsOverlap(service)
        for one in before:
            one.ends_at = now + overlap
            one.save(update_fields=["ends_at"])
        ServiceSecret.objects.create(service=service, prefix=prefix, digest=_digest(secret))
    return f"{BEGINS}_{prefix}_{secret}"


def rotate(service: ServiceIdentity, *, by: Actor, reason: str, overlap_hours: int) -> str:
    """Replace the secret. Return the new token. Raises: as ``give_secret``."""
    with trail.acting(by, reason=trail.checked_reason(reason)):
        return give_secret(service, by=by, overlap=timedelta(hours=overlap_hours))


def end_old_secret(service: ServiceIdentity, *, by: Actor, reason: str) -> None:
    """End the older of two secrets now. Repeating is a no-op. Raises: NotPermitted."""
    roles.require(by, MAY, to="end a secret of a service")
    now = clock.wall()
    with trail.acting(by, reason=trail.checked_reason(reason)), transaction.atomic():
        _locked(service)
        for one in _valid(service, now).exclude(ends_at=None):
            one.ends_at = now
            one.save(update_fields=["ends_at"])


def end(service: ServiceIdentity, *, by: Actor, reason: str) -> None:
    """End the service and its secrets now, for good. Repeating is a no-op. Raises: NotPermitted."""
    roles.require(by, MAY, to="end a service")
    with trail.acting(by, reason=trail.checked_reason(reason)), transaction.atomic():
        fresh = _locked(service)
        if fresh.ended_at is None:
            fresh.ended_at = clock.wall()
            fresh.save(update_fields=["ended_at"])


def has_two_secrets(service: ServiceIdentity) -> bool:
    return _valid(service, clock.wall()).count() > 1


def found_by(token: str, address: network.Address | None) -> ServiceIdentity | None:
    """Return the service of this token, if it may ask now from this address. One query, and no write.

    That a right token was refused is put on record, because it may be stolen.
    """
    begins, _, rest = token.partition("_")
    prefix, _, given = rest.partition("_")
    if begins != BEGINS or not given:
        return None
    secret = ServiceSecret.objects.select_related("service").filter(prefix=prefix).first()
    if secret is None or not constant_time_compare(secret.digest, _digest(given)):
        return None
    service, now = secret.service, clock.wall()
    if why := _why_not(secret, address, now):
        _record_refusal(service, why, code=REFUSED)
        return None
    return service


def note_use(service: ServiceIdentity) -> None:
    """Write that the service is used, at most every ten minutes. If that fails, it is left out."""
    now = clock.wall()
    used, fresh_until = service.last_used_at, now - USE_IS_EXACT_TO
    if (used and used > fresh_until) or not _is_time_to_try(service):
        return
    try:
        with time_limits.optional() as using:
            rows = ServiceIdentity.objects.using(using).filter(pk=service.pk)
            rows.filter(Q(last_used_at=None) | Q(last_used_at__lte=fresh_until)).update(last_used_at=now)
    except AnyDatabaseError:
        log.exception("last use of the service %s not written: the database did not take it", service.name)


def record_lacking_scope(service: ServiceIdentity, what: str) -> None:
    """Put on record that the service asked for what its scopes do not name."""
    _record_refusal(service, f"asked for {what}, for which it has no scope", code=errors.ScopeMissing.code)


def _record_refusal(service: ServiceIdentity, why: str, *, code: str) -> None:
    """Put the refusal on record. If that fails, only the log has it."""
    log.warning("service %s refused: %s", service.name, why)
    try:
        with trail.acting(actor.identity(service)):
            trail.record_refusal(service, why, code=code)
    except AnyDatabaseError:
        log.exception("refusal of the service %s not on record: the database did not take it", service.name)


def _why_not(secret: ServiceSecret, address: network.Address | None, now: datetime) -> str:
    service = secret.service
    if service.ended_at:
        return "its token was used after the service had been ended"
    if now >= service.expires_at:
        return "its token was used after the service had expired"
    if secret.ends_at and now >= secret.ends_at:
        return f"its {secret} was used after it had been replaced"
    if service.networks and not network.is_within(address, service.networks):
        return f"its token was used from {address or 'an unknown address'}, which is in none of its networks"
    return ""


def _is_time_to_try(service: ServiceIdentity) -> bool:
    now = time.monotonic()
    if now - tried.get(service.pk, -TRY_EVERY) < TRY_EVERY:
        return False
    tried[service.pk] = now
    return True


def _valid(service: ServiceIdentity, now: datetime) -> QuerySet[ServiceSecret]:
    rows = ServiceSecret.objects.filter(service=service)
    return rows.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by(F("ends_at").asc(nulls_last=True))


def _locked(service: ServiceIdentity) -> ServiceIdentity:
    return ServiceIdentity.objects.select_for_update().get(pk=service.pk)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
