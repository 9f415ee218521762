"""An Office's statement, its periods, and what it owes now. They are read from our own rows."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing import history
from billing.api.amounts import MoneyField
from billing.api.paging import NewestPeriodFirst
from billing.api.views import PROBLEM, OfficeView
from billing.models import Invoice


class PeriodSerializer(fields.Serializer[Any]):
    since = fields.DateTimeField(required=False, default=None)
    until = fields.DateTimeField(required=False, default=None)

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        """Return the fields as ``from`` and ``to``, which cannot be names in Python."""
        given = super().get_fields()
        return {"from": given["since"], "to": given["until"]}


class EntrySerializer(fields.Serializer[Any]):
    at = fields.DateTimeField()
    what = fields.CharField()
    text = fields.CharField()
    amount = MoneyField()
    owed = MoneyField(currency="amount.currency", help_text="How much it changes what is owed")
    balance = MoneyField(help_text="What is owed afterwards, in this currency")
    invoice = fields.UUIDField(source="invoice.public_id", allow_null=True, default=None)


class StatementSerializer(fields.Serializer[Any]):
    since = fields.DateTimeField(allow_null=True)
    until = fields.DateTimeField(allow_null=True)
    opening = fields.ListField(child=MoneyField())
    entries = EntrySerializer(many=True)
    closing = fields.ListField(child=MoneyField())

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        given = super().get_fields()
        given["since"].source, given["until"].source = "since", "until"
        return {"from": given.pop("since"), "to": given.pop("until"), **given}


class CycleSerializer(fields.Serializer[Any]):
    start = fields.DateTimeField(source="period_start")
    end = fields.DateTimeField(source="period_end")
    invoice = fields.UUIDField(source="public_id")
    status = fields.CharField()
    total = MoneyField()


class LastPaymentSerializer(fields.Serializer[Any]):
    at = fields.DateTimeField(source="created_at")
    amount = MoneyField()


class StandingSerializer(fields.Serializer[Any]):
    subscription_status = fields.CharField()
    owed = MoneyField(
        allow_null=True, help_text="On open invoices in the subscription's currency. Null: no currency is known yet"
    )
    other_debts = fields.ListField(child=MoneyField(), help_text="On open invoices in other currencies")
    open_invoices = fields.IntegerField()
    oldest_due_at = fields.DateTimeField(allow_null=True)
    next_attempt_at = fields.DateTimeField(allow_null=True)
    past_due_since = fields.DateTimeField(allow_null=True)
    last_payment = LastPaymentSerializer(allow_null=True)
    last_failure = LastPaymentSerializer(allow_null=True)
    renews_at = fields.DateTimeField(allow_null=True)
    ends_at = fields.DateTimeField(allow_null=True)


class OfficeStatement(OfficeView):
    asked_with = PeriodSerializer

    @extend_schema(parameters=[PeriodSerializer], responses={200: StatementSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """List invoices, payments and adjustments in order, with the balance. ``from`` is included, ``to`` is not."""
        office = self.office(request, public_id)
        asked = self.asked_for()
        found = history.statement(office, since=asked["from"], until=asked["to"])
        return Response(StatementSerializer(found).data)


class BillingCycles(OfficeView, generics.ListAPIView[Invoice]):
    """List the periods that the subscription was invoiced for, newest first."""

    serializer_class = CycleSerializer
    pagination_class = NewestPeriodFirst

    def get_queryset(self) -> QuerySet[Invoice]:
        if getattr(self, "swagger_fake_view", False):
            return Invoice.objects.none()
        return history.cycles(self.office(self.request, self.kwargs["public_id"]))


class OfficeStanding(OfficeView):
    @extend_schema(responses={200: StandingSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show what is owed, since when, and what comes next."""
        return Response(StandingSerializer(history.standing(self.office(request, public_id))).data)
