"""How the list of the audit trail is filtered. Each way has an index."""

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter, TextFilter

from billing import clock, zones
from billing.audit import search
from billing.models import AuditEntry, Office
from billing.search import named

MOST_OFFICES = 20
UNUSUAL_WITHOUT_PERIOD = timedelta(days=31)


class ByPerson(TextFilter):
    title, parameter_name = "person, service or job", "person"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(search.by_person(self.value())) if self.value() else queryset


class ByOffice(TextFilter):
    """By a part of the Office's name, or by its id. A part that many have finds the first twenty of them."""

    title, parameter_name = "Office", "about_office"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if not self.value():
            return queryset
        offices = Office.objects.filter(_public_id(self.value()) or named(Office, self.value(), details=False))
        found = list(offices.order_by("name", "pk").values_list("pk", flat=True)[:MOST_OFFICES])
        return queryset.filter(office=found[0]) if len(found) == 1 else queryset.filter(office__in=found)


class ByRequest(TextFilter):
    title, parameter_name = "request id", "request"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(request_id=self.value().strip()) if self.value() else queryset


class Since(TextFilter):
    title, parameter_name = "first day, such as 2026-11-29", "since"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(search.in_period(_moment(self.value()), None))


class Until(TextFilter):
    title, parameter_name = "last day", "until"

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        return queryset.filter(search.in_period(None, _moment(self.value(), is_end=True)))


class Unusual(DropdownFilter):
    """What a review counts. Without a period it is asked for the last 31 days."""

    title, parameter_name = "what is unusual", "unusual"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return search.UNUSUAL.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        if not self.value():
            return queryset
        until = _moment(request.GET.get("until"), is_end=True) or clock.wall() + timedelta(minutes=1)
        since = _moment(request.GET.get("since")) or until - UNUSUAL_WITHOUT_PERIOD
        try:
            return queryset & search.unusual(self.value(), since, until, zone=settings.VENDOR_TIME_ZONE)
        except ValueError as error:
            raise IncorrectLookupParameters(error) from None


def _public_id(text: str) -> Q | None:
    try:
        return Q(public_id=uuid.UUID(text))
    except ValueError:
        return None


def _moment(text: str | None, *, is_end: bool = False) -> datetime | None:
    """Return when a day begins or ends, in the zone that the page names, or the moment that a link gives.

    Raises: IncorrectLookupParameters.
    """
    if not text:
        return None
    zone = timezone.get_current_timezone_name()
    try:
        if len(text) > len("2026-11-29"):
            moment = datetime.fromisoformat(text)
            return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
        day = date.fromisoformat(text)
        return zones.end_of(day, zone) if is_end else zones.start_of(day, zone)
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters(error) from None
