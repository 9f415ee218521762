"""What was done to an Office, for its owners."""

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework import serializers as fields

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.api.views import OfficeView
from billing.audit import actor
from billing.models import AuditEntry


class AuditEntrySerializer(fields.ModelSerializer[AuditEntry]):
    """One entry. An Office's own people are named to it. Everybody else is “the vendor”, and gives it no reason."""

    at = fields.DateTimeField(source="timestamp", read_only=True)
    by = fields.SerializerMethodField()
    reason = fields.SerializerMethodField()
    what = fields.SerializerMethodField()

    class Meta:
        model = AuditEntry
        fields = ["at", "kind", "by", "what", "reason"]
        read_only_fields = fields

    def get_by(self, entry: AuditEntry) -> str:
        return entry.actor_label if self._sees(entry) else "the vendor"

    def get_reason(self, entry: AuditEntry) -> str:
        return entry.reason if self._sees(entry) else ""

    def get_what(self, entry: AuditEntry) -> str:
        words = errors.without_stripe_ids(entry.in_words)
        return words if self._is_staff else errors.without_addresses(words)

    def _sees(self, entry: AuditEntry) -> bool:
        """Return whether the reader may know who it was: the vendor's people are not named to an Office."""
        return self._is_staff or (entry.actor is not None and not entry.actor.is_staff)

    @property
    def _is_staff(self) -> bool:
        return bool(self.context["request"].user.is_staff)


class AuditTrail(OfficeView, generics.ListAPIView[AuditEntry]):
    """List what was done to this Office, newest first. For owners and auditors."""

    serializer_class = AuditEntrySerializer

    def get_queryset(self) -> QuerySet[AuditEntry]:
        if getattr(self, "swagger_fake_view", False):
            return AuditEntry.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        by = actor.person(self.request.user)
        grants.require_on_record(by, Power.AUDIT, office, what="read the audit trail")
        return office.audit_entries.select_related("actor", "content_type").order_by("-timestamp", "-pk")
