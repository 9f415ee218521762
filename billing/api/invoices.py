"""An Office's invoices: reading them, opening them at Stripe, and operations on one."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.amounts import MoneyField
from billing.api.operations import OperationView
from billing.api.serializers import PreviewSerializer
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.models import Invoice, InvoicePayment
from billing.models.statuses import InvoiceStatus
from billing.operations.money.documents import open_document, preview_upcoming
from billing.stripe_api.gateway.invoices import Document


class InvoiceSerializer(fields.ModelSerializer[Invoice]):
    """An invoice.

    ``tax_within`` is the part of ``tax`` that the amounts of the lines include already. The rest is on top of them.
    """

    id = fields.UUIDField(source="public_id", read_only=True)
    subtotal = MoneyField()
    discount = MoneyField()
    tax = MoneyField()
    tax_within = MoneyField()
    total = MoneyField()
    amount_paid = MoneyField()
    amount_remaining = MoneyField()
    paid_elsewhere = MoneyField(help_text="Of what is paid, what did not come through Stripe")
    overpaid = MoneyField(source="overpayment", help_text="Paid beyond what was due. It is kept as credit")
    credited_before_payment = MoneyField(help_text="Credit notes that lowered what was due")
    credited_after_payment = MoneyField(help_text="Credit notes on what was paid already")
    stays_a_draft = fields.BooleanField(
        read_only=True, help_text="Stripe does not finalise it by itself. It is charged only if you pay it"
    )

    class Meta:
        model = Invoice
        fields = (
            "id number status stays_a_draft kind collection currency subtotal discount tax tax_within total "
            "amount_paid amount_remaining paid_elsewhere overpaid credited_before_payment credited_after_payment "
            "attempt_count next_payment_attempt period_start period_end created_at finalised_at due_at paid_at "
            "voided_at uncollectible_at"
        ).split()
        read_only_fields = fields


class InvoicePaymentSerializer(fields.ModelSerializer[InvoicePayment]):
    """What pays an invoice or a part of it. ``payment`` is the newest attempt to collect it, or null.

    ``is_default`` is the one that Stripe made for the invoice. Others were added to it.
    """

    amount_paid = MoneyField(currency="invoice.currency")
    payment = fields.UUIDField(source="newest_attempt.public_id", read_only=True, default=None, allow_null=True)
    paid_with = fields.CharField(read_only=True, help_text="What people call it. Empty: nothing was tried yet")

    class Meta:
        model = InvoicePayment
        fields = ["status", "amount_paid", "paid_with", "payment", "is_default"]
        read_only_fields = fields


class OneInvoiceSerializer(InvoiceSerializer):
    """An invoice, and what pays it."""

    payments = InvoicePaymentSerializer(source="invoice_payments", many=True, read_only=True)

    class Meta(InvoiceSerializer.Meta):
        fields = [*InvoiceSerializer.Meta.fields, "payments"]
        read_only_fields = fields


class InvoiceLineSerializer(fields.Serializer[Any]):
    text = fields.CharField()
    quantity = fields.IntegerField(allow_null=True)
    amount = MoneyField(help_text="Before discounts. Negative is a credit")
    tax = MoneyField()
    proration = fields.BooleanField()
    period_start = fields.DateTimeField(allow_null=True)
    period_end = fields.DateTimeField(allow_null=True)


class DocumentSerializer(fields.Serializer[Any]):
    url = fields.URLField(help_text="At Stripe. Open it now and do not store it. Anyone who has it can see the invoice")


class InvoiceFilterSerializer(fields.Serializer[Any]):
    status = fields.ChoiceField(choices=InvoiceStatus.values, required=False)
    since = fields.DateTimeField(required=False, help_text="Created at this time or later")
    until = fields.DateTimeField(required=False, help_text="Created before this time")

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        """Return the fields with ``from`` and ``to``, which cannot be names in Python."""
        given = super().get_fields()
        return {"status": given["status"], "from": given["since"], "to": given["until"]}


class Invoices(OfficeView, generics.ListAPIView[Invoice]):
    """List the Office's invoices, newest first."""

    serializer_class = InvoiceSerializer
    asked_with = InvoiceFilterSerializer

    def get_queryset(self) -> QuerySet[Invoice]:
        if getattr(self, "swagger_fake_view", False):
            return Invoice.objects.none()
        where = {"status": "status", "from": "created_at__gte", "to": "created_at__lt"}
        given = {where[name]: value for name, value in self.asked_for().items()}
        office = self.office(self.request, self.kwargs["public_id"])
        return office.invoices.filter(deleted_at=None, **given)

    @extend_schema(parameters=[InvoiceFilterSerializer], responses={200: InvoiceSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class InvoiceView(OfficeView):
    """A view of one invoice of the Office that the address names. An invoice of another Office gets 404."""

    def subject(self, request: Request, public_id: Any, invoice_id: Any = None, **named: Any) -> Invoice:
        office = self.office(request, public_id)
        invoice = get_object_or_404(office.invoices.filter(deleted_at=None), public_id=invoice_id)
        invoice.office = office
        return invoice


class OneInvoice(InvoiceView):
    @extend_schema(responses={200: OneInvoiceSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        """Show one invoice, and what pays it."""
        return Response(OneInvoiceSerializer(self.subject(request, public_id, invoice_id)).data)


class InvoiceLines(InvoiceView):
    @extend_schema(responses={200: InvoiceLineSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        """List what the invoice is for."""
        invoice = self.subject(request, public_id, invoice_id)
        lines = [{**line, "currency": invoice.currency} for line in invoice.lines]
        return Response(InvoiceLineSerializer(lines, many=True).data)


class DocumentView(InvoiceView):
    document: Document

    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        invoice = self.subject(request, public_id, invoice_id)
        address = open_document(invoice, self.document, by=actor.of(request.user))
        return Response({"url": address}, headers={"Cache-Control": "no-store"})


def _document(what: str) -> Any:
    return extend_schema_view(
        get=extend_schema(
            description=f"Get the address of {what} at Stripe. The audit trail records who opened it.",
            responses={200: DocumentSerializer, 404: PROBLEM, 502: PROBLEM, 503: PROBLEM},
        )
    )


@_document("the invoice's PDF")
class InvoicePdf(DocumentView):
    document = "pdf"


@_document("the invoice's page")
class InvoicePage(DocumentView):
    document = "page"


class UpcomingInvoice(OfficeView):
    @extend_schema(responses={200: PreviewSerializer, 404: PROBLEM, 503: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """Show the invoice of the next renewal, as Stripe calculates it now."""
        found = preview_upcoming(self.office(request, public_id), by=actor.of(request.user))
        return Response(PreviewSerializer(found).data)


class InvoiceOperation(InvoiceView, OperationView):
    shown = InvoiceSerializer


class ChargeOperation(OperationView):
    shown = InvoiceSerializer
    answers = status.HTTP_201_CREATED
