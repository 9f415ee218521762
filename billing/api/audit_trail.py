"""What was done to an Office, for its owners."""

from collections.abc import Collection
from typing import Any, cast

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing import errors
from billing.access import grants, roles
from billing.access.roles import Power
from billing.api.paging import NewestEntryFirst
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor, search
from billing.audit.export import CONTENT_TYPE, HEADERS, Export, Which
from billing.models import AuditEntry, User


class AuditEntrySerializer(fields.ModelSerializer[AuditEntry]):
    """One entry. An Office's own people are named to it. Everybody else is “the vendor”, and gives it no reason."""

    at = fields.DateTimeField(source="timestamp", read_only=True)
    by = fields.SerializerMethodField()
    reason = fields.SerializerMethodField()
    request_id = fields.SerializerMethodField(
        help_text="What was written in one request has the same, which its answer had as X-Request-ID"
    )
    what = fields.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ["at", "kind", "by", "what", "reason", "request_id"]
        read_only_fields = fields

    def get_by(self, entry: AuditEntry) -> str:
        return entry.actor_label if self._sees(entry) else "the vendor"

    def get_reason(self, entry: AuditEntry) -> str:
        return entry.reason if self._sees(entry) else ""

    def get_request_id(self, entry: AuditEntry) -> str:
        return entry.request_id if self._sees(entry) else ""

    def get_what(self, entry: AuditEntry) -> str:
        words = errors.without_stripe_ids(entry.in_words)
        return words if self._reads_all else errors.without_addresses(words)

    def _sees(self, entry: AuditEntry) -> bool:
        """Return whether the reader may know who it was: the vendor's people are not named to an Office."""
        return self._reads_all or entry.actor_id in self.context.get("own_people", ())

    @property
    def _reads_all(self) -> bool:
        return roles.has(self.context["request"].user, Power.AUDIT)


class SearchSerializer(fields.Serializer[Any]):
    """What is given must all be so."""

    person = fields.CharField(
        required=False,
        max_length=254,
        help_text="Who did it: an e-mail address. Staff can also name a service or job. An Office finds its own people",
    )
    kind = fields.ChoiceField(choices=AuditEntry.Kind.values, required=False)
    since = fields.DateTimeField(required=False, help_text="At this time or later")
    until = fields.DateTimeField(required=False, help_text="Before this time")
    request_id = fields.CharField(required=False, max_length=64, help_text="The X-Request-ID of an answer")

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        """Return the fields with ``from`` and ``to``, which cannot be names in Python."""
        named = {"since": "from", "until": "to"}
        return {named.get(name, name): field for name, field in super().get_fields().items()}


class AuditTrail(OfficeView, generics.ListAPIView[AuditEntry]):
    """List what was done to this Office, newest first. For owners and auditors."""

    serializer_class = AuditEntrySerializer
    pagination_class = NewestEntryFirst
    asked_with = SearchSerializer
    own_people: Collection[int] = ()

    def get_queryset(self) -> QuerySet[AuditEntry]:
        if getattr(self, "swagger_fake_view", False):
            return AuditEntry.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        by = actor.person(self.request.user)
        grants.require_on_record(by, Power.AUDIT, office, what="read the audit trail")
        given = self.asked_for()
        entries = office.audit_entries.filter(search.in_period(given.get("from"), given.get("to")))
        if "kind" in given:
            entries = entries.filter(kind=given["kind"])
        if "person" in given:
            entries = entries.filter(search.by_person(given["person"]))
        if "request_id" in given:
            entries = entries.filter(request_id=given["request_id"])
        if not roles.has(cast(User, by.user), Power.AUDIT):
            self.own_people = set(search.own_people(office).values_list("pk", flat=True))
            if {"person", "request_id"} & given.keys():
                entries = entries.filter(actor__in=self.own_people)  # the vendor's people have no names here
        return entries.prefetch_related("actor", "content_type")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "own_people": self.own_people}

    @extend_schema(parameters=[SearchSerializer], responses={200: AuditEntrySerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class ExportSerializer(fields.Serializer[Any]):
    since = fields.DateTimeField(required=False, help_text="Written at this time or later")
    until = fields.DateTimeField(required=False, help_text="Written before this time")
    earlier_size = fields.IntegerField(
        required=False, min_value=1, help_text="The size in a head that you kept: proves that it is the beginning"
    )
    reason = fields.CharField(required=False, max_length=200, help_text="Why you ask. The trail keeps it")

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        """Return the fields with ``from`` and ``to``, which cannot be names in Python."""
        given = super().get_fields()
        return {"from": given.pop("since"), "to": given.pop("until"), **given}


class AuditTrailExport(OfficeView):
    asked_with = ExportSerializer

    @extend_schema(
        parameters=[ExportSerializer],
        responses={(200, CONTENT_TYPE): OpenApiTypes.STR, 403: PROBLEM, 404: PROBLEM, 422: PROBLEM},
    )
    def get(self, request: Request, public_id: Any) -> StreamingHttpResponse:
        """Export what was done to this Office, with the proof that nothing was changed since. For owners and auditors.

        Lines of JSON: the signed head, each entry as it was sealed with its proof, and how many there were. An Office
        gets of an entry by the vendor's people the hash and the proof only. The trail records each export.
        """
        office = self.office(request, public_id)
        by = actor.person(request.user)
        grants.require_on_record(by, Power.AUDIT, office, what="export the audit trail")
        given = self.asked_for()
        sizes = (given["earlier_size"],) if "earlier_size" in given else ()
        which = Which(
            office,
            given.get("from"),
            given.get("to"),
            sizes,
            for_office=not roles.has(cast(User, by.user), Power.AUDIT),
        )
        export = Export(which, by=by, reason=given.get("reason", "asked for through the API"))
        return StreamingHttpResponse(export.lines(), headers=HEADERS)
