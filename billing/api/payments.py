"""What the API shows of payments and what became of them, and how staff give money back."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import generics, status
from rest_framework import serializers as fields

from billing import operations
from billing.api.operations import Given, operation, preview
from billing.api.serializers import ReasonSerializer
from billing.api.views import OfficeView
from billing.audit.actor import Actor
from billing.models import Adjustment, Invoice, Office, Payment
from billing.operations.credit_note import creditable
from billing.operations.money_back import MoneyBack, is_taken_back

ONCE = "Of a preview of the last hour: refused where anything went back since"
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


class RefundSerializer(PreviewRefundSerializer):
    as_of = fields.DateTimeField(required=False, help_text=ONCE)


class PreviewCreditNoteSerializer(ReasonSerializer):
    amount = fields.IntegerField(required=False, help_text=MINOR_UNITS)
    to = fields.ChoiceField(
        choices=["due", "refund", "balance"],
        help_text="Of an open invoice less is due; of a paid one the money goes back to the card, or is kept as credit",
    )


class CreditNoteSerializer(PreviewCreditNoteSerializer):
    as_of = fields.DateTimeField(required=False, help_text=ONCE)


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


def a_payment(office: Office, named: Given) -> Payment:
    return get_object_or_404(office.payments, public_id=named["payment"])


def an_invoice(office: Office, named: Given) -> Invoice:
    return get_object_or_404(office.invoices, public_id=named["invoice"])


@operation(given=RefundSerializer, shown=PaymentSerializer, answers=status.HTTP_201_CREATED, subject=a_payment)
def refund_payment(payment: Payment, by: Actor, given: Given) -> Office:
    """Give a payment back to its card, whole or in part. **Money moves**; only the vendor's staff may."""
    return operations.refund_payment(payment, by=by, **given)


@preview(given=PreviewRefundSerializer, shown=MoneyBackSerializer, subject=a_payment)
def preview_refund(payment: Payment, by: Actor, given: Given) -> MoneyBack:
    """What a refund would give back, where to, and what to think of first."""
    return operations.preview_refund(payment, by=by, **given)


@operation(
    given=CreditNoteSerializer,
    shown=CreditedInvoiceSerializer,
    answers=status.HTTP_201_CREATED,
    subject=an_invoice,
)
def issue_credit_note(invoice: Invoice, by: Actor, given: Given) -> Office:
    """Correct an open or paid invoice. **Money may move**; only the vendor's staff may."""
    return operations.issue_credit_note(invoice, by=by, **given)


@preview(given=PreviewCreditNoteSerializer, shown=MoneyBackSerializer, subject=an_invoice)
def preview_credit_note(invoice: Invoice, by: Actor, given: Given) -> MoneyBack:
    """What a credit note would come to, as Stripe reckons it."""
    return operations.preview_credit_note(invoice, by=by, **given)
