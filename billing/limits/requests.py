"""Counting a request by its address and by who asks, and telling the count in the headers of its answer."""

import logging
import math
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponseBase

from billing import errors, rate_counts, time_limits
from billing.access.network import network_of
from billing.limits import process
from billing.limits.addresses import limit_of
from billing.models import ServiceIdentity
from config.rate_limits import RateLimit

log = logging.getLogger(__name__)
COUNTED = "counted_by_limit"
COUNTED_ANYWAY = ("at-stripe",)
"""Limits of what only reads: the answer does not wait for the database to take the count."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of a request. ``left`` is -1 if it was refused. After ``seconds``, 1 or more, all are left again."""

    limit: RateLimit
    left: int
    seconds: int


def is_counted(request: HttpRequest) -> bool:
    return hasattr(request, COUNTED)


def count(request: HttpRequest, caller: Any) -> None:
    """Count the request of this caller: a service, a person, or nobody who is known. An exempt address counts nothing.

    Raises: TooManyRequests. An error of the database within two seconds, if it counts this limit and cannot be used.
    """
    match = request.resolver_match
    name = limit_of(match.view_name if match else "", request.method or "")
    if name is None:
        return
    limit, who = _limit_and_caller(name, request, caller)
    if not limit.exact:
        _take(request, limit, _in_this_process(limit, who))
    elif name in COUNTED_ANYWAY:
        _take(request, limit, _exactly_if_possible(limit, who))
    else:
        with time_limits.impatient_write() as using:
            counted = rate_counts.take(limit, who, using=using)
        _take(request, limit, counted)


def count_wrong_token(request: HttpRequest) -> None:
    """Count a token that is not valid, for its network alone. A right one is never counted, nor refused, for that.

    It counts in the memory of this process first, so that a flood of them is soon refused without SQL.

    Raises: TooManyRequests.
    """
    count(request, None)
    limit = settings.RATE_LIMITS["wrong-tokens"]
    _take(request, limit, _exactly_if_possible(limit, f"from {network_of(request)}"))


def _in_this_process(limit: RateLimit, who: str) -> tuple[int, float]:
    return process.take(limit, who, processes=settings.WEB_PROCESSES)


def _exactly_if_possible(limit: RateLimit, who: str) -> tuple[int, float]:
    """Count in the database, or in the memory of this process if the database does not take it soon."""
    try:
        with time_limits.optional() as using:
            return rate_counts.take(limit, who, using=using)
    except AnyDatabaseError:
        log.exception("counted in this process alone, because the database did not take it: %s", limit.name)
        return _in_this_process(limit, who)


def _take(request: HttpRequest, limit: RateLimit, taken: tuple[int, float]) -> None:
    left, seconds = taken
    counted = Counted(limit, left, max(1, math.ceil(seconds)))
    setattr(request, COUNTED, counted)
    if left < 0:
        raise errors.TooManyRequests(counted.seconds)


def tell(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add the headers that say what is left. A limit that processes share out tells of the process that answers.

    Source: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
    """
    counted: Counted | None = getattr(request, COUNTED, None)
    if counted is None:
        return
    limit = counted.limit
    response["RateLimit-Policy"] = f'"{limit.name}";q={limit.times};w={limit.seconds}'
    response["RateLimit"] = f'"{limit.name}";r={max(0, counted.left)};t={counted.seconds}'
    if counted.left < 0:
        response["Retry-After"] = str(counted.seconds)


def _limit_and_caller(name: str, request: HttpRequest, caller: Any) -> tuple[RateLimit, str]:
    """Return the limit that holds for this caller, and the caller as it is counted."""
    limit = settings.RATE_LIMITS[name]
    if name == "sign-in":
        return limit, f"from {network_of(request)}"
    if isinstance(caller, ServiceIdentity):
        return limit if limit.exact else settings.RATE_LIMITS["services"], f"service {caller.pk}"
    if caller is None or not caller.is_authenticated:
        return settings.RATE_LIMITS["visitors"], f"from {network_of(request)}"
    return limit, f"person {caller.pk}"
