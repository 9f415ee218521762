"""Payments, refunds, credit notes and disputes, and the operations that give money back."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema_field
from rest_framework import generics, status
from rest_framework import serializers as fields
from rest_framework.request import Request

from billing.api import request_bodies
from billing.api.amounts import MoneyField, MoneySerializer, shown
from billing.api.invoices import InvoiceView
from billing.api.operations import OperationView, PreviewView
from billing.api.views import OfficeView
from billing.models import Adjustment, Invoice, Payment
from billing.money import Money
from billing.operations.money.credit_note import creditable
from billing.operations.money.money_back import is_taken_back


class AdjustmentSerializer(fields.ModelSerializer[Adjustment]):
    """A refund, a credit note or a dispute. ``due_at`` is the last moment to answer a dispute."""

    id = fields.UUIDField(source="public_id", read_only=True)
    payment = fields.UUIDField(source="payment.public_id", read_only=True, default=None, allow_null=True)
    invoice = fields.UUIDField(source="invoice.public_id", read_only=True, default=None, allow_null=True)
    amount = MoneyField()
    outcome = fields.ChoiceField(
        Adjustment.Outcome.choices, allow_blank=True, read_only=True, help_text="How a dispute ended. Empty: it has not"
    )
    says = fields.CharField(read_only=True, help_text="What a person should know or do about it")

    class Meta:
        model = Adjustment
        fields = [
            "id",
            "kind",
            "status",
            "reason",
            "currency",
            "amount",
            "payment",
            "invoice",
            "created_at",
            "due_at",
            "outcome",
            "says",
        ]
        read_only_fields = fields


class FailureSerializer(fields.Serializer[Any]):
    """Why a payment failed, and what a person can do next."""

    code = fields.CharField()
    says = fields.CharField()
    next_step = fields.CharField()


class PaymentSerializer(fields.ModelSerializer[Payment]):
    id = fields.UUIDField(source="public_id", read_only=True)
    invoice = fields.UUIDField(source="invoice.public_id", read_only=True, default=None, allow_null=True)
    paid_with = fields.CharField(read_only=True, help_text="What people call it, such as: bank account …6789")
    amount = MoneyField()
    amount_refunded = MoneyField()
    refundable = fields.SerializerMethodField(help_text="What can still be given back")
    failure = FailureSerializer(read_only=True, allow_null=True)
    adjustments = AdjustmentSerializer(many=True, read_only=True)

    class Meta:
        model = Payment
        fields = [
            "id",
            "invoice",
            "status",
            "currency",
            "amount",
            "amount_refunded",
            "refundable",
            "disputed",
            "paid_with",
            "card_brand",
            "card_last4",
            "failure",
            "created_at",
            "adjustments",
        ]
        read_only_fields = fields

    @extend_schema_field(MoneySerializer)
    def get_refundable(self, payment: Payment) -> Any:
        return shown(Money(0, payment.currency) if is_taken_back(payment) else payment.refundable)


class CreditedInvoiceSerializer(fields.ModelSerializer[Invoice]):
    """An invoice and how it was corrected."""

    id = fields.UUIDField(source="public_id", read_only=True)
    total = MoneyField()
    amount_remaining = MoneyField()
    creditable = fields.SerializerMethodField(help_text="What can still be corrected")
    adjustments = AdjustmentSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = ["id", "number", "status", "currency", "total", "amount_remaining", "creditable", "adjustments"]
        read_only_fields = fields

    @extend_schema_field(MoneySerializer)
    def get_creditable(self, invoice: Invoice) -> Any:
        return shown(creditable(invoice))


class MoneyBackSerializer(fields.Serializer[Any]):
    """Show what would be given back, and what remains."""

    amount = MoneyField()
    tax = MoneyField(help_text="Included in the amount")
    remains = MoneyField()
    remains_as = fields.CharField(help_text="What ``remains`` means: it can be given back, can be credited, or is due")
    goes_to = fields.ListField(child=fields.CharField())
    warnings = fields.ListField(child=fields.CharField())
    as_of = fields.DateTimeField(help_text="Confirm with this value, and it is done once")
    waits = fields.CharField(help_text="Why it waits for a second person once it is confirmed, if it does")


class Payments(OfficeView, generics.ListAPIView[Payment]):
    """List the Office's payments, newest first: each attempt, why it failed, and what was given back."""

    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        if getattr(self, "swagger_fake_view", False):
            return Payment.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        return office.payments.select_related("invoice").prefetch_related(
            "adjustments__payment", "adjustments__invoice"
        )


class Adjustments(OfficeView, generics.ListAPIView[Adjustment]):
    """List the Office's refunds, credit notes and disputes, newest first."""

    serializer_class = AdjustmentSerializer

    def get_queryset(self) -> QuerySet[Adjustment]:
        if getattr(self, "swagger_fake_view", False):
            return Adjustment.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        return office.adjustments.select_related("payment", "invoice")


class PaymentView(OfficeView):
    """A view of one payment of the Office that the address names. A payment of another Office gets 404."""

    def subject(self, request: Request, public_id: Any, payment_id: Any = None, **named: Any) -> Payment:
        return get_object_or_404(self.office(request, public_id).payments, public_id=payment_id)


class MoneyBackPreview(PreviewView):
    """A preview of money that goes back. The body has the reason too, because the warnings depend on it."""

    shown = MoneyBackSerializer

    def reason(self) -> fields.Field[Any, Any, Any, Any]:
        return request_bodies.any_reason()


class RefundOperation(PaymentView, OperationView):
    shown = PaymentSerializer
    answers = status.HTTP_201_CREATED


class RefundPreview(PaymentView, MoneyBackPreview):
    pass


class CreditNoteOperation(InvoiceView, OperationView):
    shown = CreditedInvoiceSerializer
    answers = status.HTTP_201_CREATED


class CreditNotePreview(InvoiceView, MoneyBackPreview):
    pass
