"""An Office's invoices: to read, to open at Stripe, to pay; and what the vendor does with them."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, pagination, status
from rest_framework import serializers as fields
from rest_framework.request import Request
from rest_framework.response import Response

from billing import invoice_lines, operations
from billing.api.operations import Given, operation, preview
from billing.api.serializers import ConfirmSerializer, PreviewSerializer, ReasonSerializer
from billing.api.views import PROBLEM, OfficeView
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Invoice, Office, Operation
from billing.operations import charges
from billing.operations import invoices as on_invoices
from billing.operations.previews import Preview
from billing.stripe_api.gateway import Document

STATUSES = ("draft", "open", "paid", "void", "uncollectible")


class InvoiceSerializer(fields.ModelSerializer[Invoice]):
    """Amounts are minor units of ``currency``."""

    id = fields.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Invoice
        fields = (
            "id number status kind collection currency subtotal discount tax total amount_paid amount_remaining "
            "paid_elsewhere credited_before_payment credited_after_payment attempt_count next_payment_attempt "
            "period_start period_end created_at finalised_at due_at paid_at voided_at uncollectible_at"
        ).split()
        read_only_fields = fields


class InvoiceLineSerializer(fields.Serializer[Any]):
    text = fields.CharField()
    quantity = fields.IntegerField(allow_null=True)
    amount = fields.IntegerField(help_text="Minor units before discounts; negative is a credit")
    tax = fields.IntegerField()
    proration = fields.BooleanField()
    period_start = fields.DateTimeField(allow_null=True)
    period_end = fields.DateTimeField(allow_null=True)


class DocumentSerializer(fields.Serializer[Any]):
    url = fields.URLField(help_text="At Stripe. Open it now and do not keep it: who has it can see the invoice")


class PaySerializer(ReasonSerializer):
    payment_method = fields.UUIDField(
        default=None, allow_null=True, help_text="One of the Office's cards; else the card on file"
    )


class PreviewChargeSerializer(fields.Serializer[Any]):
    charge = fields.ChoiceField(choices=list(invoice_lines.CATALOGUE.items()), help_text="What for; it is printed")
    amount = fields.IntegerField(
        help_text=f"Minor units of the Office's currency, {charges.LEAST} to {charges.MOST}, before taxes"
    )
    days_until_due = fields.IntegerField(
        default=0, help_text=f"0 charges the card now; 1 to {charges.LONGEST_DAYS} sends the invoice instead"
    )


class ChargeSerializer(PreviewChargeSerializer, ReasonSerializer, ConfirmSerializer):
    pass


class InvoiceFilterSerializer(fields.Serializer[Any]):
    status = fields.ChoiceField(choices=STATUSES, required=False)
    since = fields.DateTimeField(required=False, help_text="Created then or later")
    until = fields.DateTimeField(required=False, help_text="Created before")

    def get_fields(self) -> dict[str, fields.Field[Any, Any, Any, Any]]:
        """``from`` and ``to``, which Python cannot name."""
        given = super().get_fields()
        return {"status": given["status"], "from": given["since"], "to": given["until"]}


class NewestFirst(pagination.CursorPagination):
    ordering = ("-created_at", "-pk")
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class Invoices(OfficeView, generics.ListAPIView[Invoice]):
    """The Office's invoices, newest first."""

    serializer_class = InvoiceSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Invoice]:
        if getattr(self, "swagger_fake_view", False):
            return Invoice.objects.none()
        asked = InvoiceFilterSerializer(data=self.request.query_params)
        asked.is_valid(raise_exception=True)
        where = {"status": "status", "from": "created_at__gte", "to": "created_at__lt"}
        given = {where[name]: value for name, value in asked.validated_data.items()}
        office = self.office(self.request, self.kwargs["public_id"])
        return office.invoices.filter(deleted_at=None, **given)

    @extend_schema(parameters=[InvoiceFilterSerializer], responses={200: InvoiceSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class InvoiceView(OfficeView):
    """An invoice of the Office that the address names; one of another Office's does not exist."""

    def subject(self, request: Request, public_id: Any, invoice_id: Any = None, **named: Any) -> Invoice:
        office = self.office(request, public_id)
        invoice = get_object_or_404(office.invoices.filter(deleted_at=None), public_id=invoice_id)
        invoice.office = office
        return invoice

    def subject_of(self, operation: Operation) -> Invoice:
        return on_invoices.invoice_of(operation)


class OneInvoice(InvoiceView):
    @extend_schema(responses={200: InvoiceSerializer, 404: PROBLEM})
    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        """One invoice."""
        return Response(InvoiceSerializer(self.subject(request, public_id, invoice_id)).data)


class InvoiceLines(InvoiceView):
    @extend_schema(responses={200: InvoiceLineSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        """What the invoice is for."""
        return Response(InvoiceLineSerializer(self.subject(request, public_id, invoice_id).lines, many=True).data)


class DocumentView(InvoiceView):
    document: Document

    @extend_schema(responses={200: DocumentSerializer, 404: PROBLEM, 502: PROBLEM, 503: PROBLEM})
    def get(self, request: Request, public_id: Any, invoice_id: Any) -> Response:
        """Where Stripe shows the invoice, asked of Stripe now. That it was opened is on record."""
        invoice = self.subject(request, public_id, invoice_id)
        address = operations.open_document(invoice, self.document, by=actor.person(request.user))
        return Response({"url": address}, headers={"Cache-Control": "no-store"})


class InvoicePdf(DocumentView):
    document = "pdf"


class InvoicePage(DocumentView):
    document = "page"


class UpcomingInvoice(OfficeView):
    @extend_schema(responses={200: PreviewSerializer, 404: PROBLEM, 503: PROBLEM})
    def get(self, request: Request, public_id: Any) -> Response:
        """The next renewal's invoice as it would be now, asked of Stripe."""
        found = operations.preview_upcoming(self.office(request, public_id), by=actor.person(request.user))
        return Response(PreviewSerializer(found).data)


class ChargeView(OfficeView):
    def subject_of(self, operation: Operation) -> Invoice:
        return charges.invoice_of(operation)


@operation(given=ChargeSerializer, shown=InvoiceSerializer, answers=status.HTTP_201_CREATED, base=ChargeView)
def charge_office(office: Office, by: Actor, given: Given) -> Invoice:
    """A one-off charge, for the vendor. **Money moves**, unless the invoice is sent; a declined card leaves it void."""
    return operations.charge_office(office, by=by, **given)


@preview(given=PreviewChargeSerializer)
def preview_charge(office: Office, by: Actor, given: Given) -> Preview:
    """What the charge comes to with taxes and after credit. Confirm it with its ``as_of``."""
    return operations.preview_charge(office, by=by, **given)


@operation(given=PaySerializer, shown=InvoiceSerializer, base=InvoiceView)
def pay_invoice(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """Pay an invoice now. **Money moves**; a declined card leaves it open."""
    return operations.pay_invoice(invoice, by=by, **given)


@operation(given=ReasonSerializer, shown=InvoiceSerializer, base=InvoiceView)
def retry_invoice(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """After a failed attempt, charge the card on file again. **Money moves.**"""
    return operations.retry_invoice(invoice, by=by, **given)


@operation(given=ReasonSerializer, shown=InvoiceSerializer, base=InvoiceView)
def send_invoice(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """Stripe mails the invoice to the Office. For the vendor."""
    return operations.send_invoice(invoice, by=by, **given)


@operation(given=ReasonSerializer, shown=InvoiceSerializer, base=InvoiceView)
def void_invoice(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """Nothing is owed on it any more, for good. For the vendor."""
    return operations.void_invoice(invoice, by=by, **given)


@operation(given=ReasonSerializer, shown=InvoiceSerializer, base=InvoiceView)
def mark_uncollectible(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    """It is written off, though it can still be paid. For the vendor."""
    return operations.mark_uncollectible(invoice, by=by, **given)
