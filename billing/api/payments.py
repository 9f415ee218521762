"""What the API shows of payments and what became of them, and how staff give money back."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics, status
from rest_framework import serializers as fields
from rest_framework.request import Request

from billing import operations
from billing.api.invoices import InvoiceView
from billing.api.operations import Given, operation, preview
from billing.api.serializers import ConfirmSerializer, ReasonSerializer
from billing.api.views import OfficeView
from billing.audit.actor import Actor
from billing.models import Adjustment, Invoice, Operation, Payment
from billing.operations.credit_note import creditable
from billing.operations.money_back import MoneyBack, is_taken_back

MINOR_UNITS = "Minor units, tax included; without one, all that is left"


class AdjustmentSerializer(fields.ModelSerializer[Adjustment]):
    """A refund, a credit note or a dispute. ``due_at`` is until when a dispute can be answered."""

    id = fields.UUIDField(source="public_id", read_only=True)
    payment = fields.UUIDField(source="payment.public_id", read_only=True, default=None)
    invoice = fields.UUIDField(source="invoice.public_id", read_only=True, default=None)
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
    invoice = fields.UUIDField(source="invoice.public_id", read_only=True, default=None)
    refundable = fields.SerializerMethodField(help_text="What can still go back")
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
            "card_brand",
            "card_last4",
            "failure",
            "created_at",
            "adjustments",
        ]
        read_only_fields = fields

    def get_refundable(self, payment: Payment) -> int:
        return 0 if is_taken_back(payment) else payment.refundable.amount


class CreditedInvoiceSerializer(fields.ModelSerializer[Invoice]):
    """An invoice and how it was corrected."""

    id = fields.UUIDField(source="public_id", read_only=True)
    creditable = fields.SerializerMethodField(help_text="What can still be corrected")
    adjustments = AdjustmentSerializer(many=True, read_only=True)

    class Meta:
        model = Invoice
        fields = ["id", "number", "status", "currency", "total", "amount_remaining", "creditable", "adjustments"]
        read_only_fields = fields

    def get_creditable(self, invoice: Invoice) -> int:
        return creditable(invoice).amount


class MoneyBackSerializer(fields.Serializer[Any]):
    """What would go back, and what remains. Amounts are minor units."""

    currency = fields.CharField(source="amount.currency")
    amount = fields.IntegerField(source="amount.amount")
    tax = fields.IntegerField(source="tax.amount", help_text="Within the amount")
    remains = fields.IntegerField(source="remains.amount")
    remains_as = fields.CharField(help_text="What that is: still to be given back, to be credited, or due")
    goes_to = fields.ListField(child=fields.CharField())
    warnings = fields.ListField(child=fields.CharField())
    as_of = fields.DateTimeField(help_text="Confirm with it, and it is done once")


class PreviewRefundSerializer(ReasonSerializer):
    amount = fields.IntegerField(required=False, help_text=MINOR_UNITS)


class RefundSerializer(PreviewRefundSerializer, ConfirmSerializer):
    pass


class PreviewCreditNoteSerializer(ReasonSerializer):
    amount = fields.IntegerField(required=False, help_text=MINOR_UNITS)
    to = fields.ChoiceField(
        choices=["due", "refund", "balance"],
        help_text="Of an open invoice less is due; of a paid one the money goes back to the card, or is kept as credit",
    )


class CreditNoteSerializer(PreviewCreditNoteSerializer, ConfirmSerializer):
    pass


class Payments(OfficeView, generics.ListAPIView[Payment]):
    """The Office's payments, newest first: each attempt, why it failed, and what went back."""

    serializer_class = PaymentSerializer

    def get_queryset(self) -> QuerySet[Payment]:
        if getattr(self, "swagger_fake_view", False):
            return Payment.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        return office.payments.select_related("invoice").prefetch_related(
            "adjustments__payment", "adjustments__invoice"
        )


class Adjustments(OfficeView, generics.ListAPIView[Adjustment]):
    """The Office's refunds, credit notes and disputes, newest first."""

    serializer_class = AdjustmentSerializer

    def get_queryset(self) -> QuerySet[Adjustment]:
        if getattr(self, "swagger_fake_view", False):
            return Adjustment.objects.none()
        office = self.office(self.request, self.kwargs["public_id"])
        return office.adjustments.select_related("payment", "invoice")


class PaymentView(OfficeView):
    """A payment of the Office that the address names; one of another Office's does not exist."""

    def subject(self, request: Request, public_id: Any, payment_id: Any = None, **named: Any) -> Payment:
        return get_object_or_404(self.office(request, public_id).payments, public_id=payment_id)

    def subject_of(self, operation: Operation) -> Payment:
        return operation.office.payments.get(public_id=operation.request["payment"])


@operation(given=RefundSerializer, shown=PaymentSerializer, answers=status.HTTP_201_CREATED, base=PaymentView)
def refund_payment(payment: Payment, by: Actor, given: Given) -> Payment:
    """Give a payment back to its card, whole or in part. **Money moves**; only the vendor's staff may."""
    operations.refund_payment(payment, by=by, **given)
    payment.refresh_from_db()
    return payment


@preview(given=PreviewRefundSerializer, shown=MoneyBackSerializer, base=PaymentView)
def preview_refund(payment: Payment, by: Actor, given: Given) -> MoneyBack:
    """What a refund would give back, where to, and what to think of first."""
    return operations.preview_refund(payment, by=by, **given)


@operation(
    given=CreditNoteSerializer, shown=CreditedInvoiceSerializer, answers=status.HTTP_201_CREATED, base=InvoiceView
)
def issue_credit_note(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """Correct an open or paid invoice. **Money may move**; only the vendor's staff may."""
    operations.issue_credit_note(invoice, by=by, **given)
    invoice.refresh_from_db()
    return invoice


@preview(given=PreviewCreditNoteSerializer, shown=MoneyBackSerializer, base=InvoiceView)
def preview_credit_note(invoice: Invoice, by: Actor, given: Given) -> MoneyBack:
    """What a credit note would come to, as Stripe reckons it."""
    return operations.preview_credit_note(invoice, by=by, **given)
