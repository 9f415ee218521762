"""Invoices: their list and their page. They can be read and acted on, but not edited."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from billing import zones
from billing.admin.acts import invoices, payments
from billing.admin.acts.pages import ActsAdmin
from billing.admin.exported import Exported
from billing.admin.filters.declared import among
from billing.admin.filters.money import OwedFor
from billing.admin.readonly import ReadOnly, ReadOnlyInline
from billing.admin.searching import OFFICE
from billing.admin.tones import TONES
from billing.models import Invoice, InvoicePayment, Office, Payment
from billing.models.statuses import InvoiceStatus
from billing.money import Money


class InvoicePaymentInline(ReadOnlyInline):
    model = InvoicePayment
    fields = ("state", "money", "how", "own")
    readonly_fields = fields
    verbose_name_plural = "What pays it"

    @display(description="Status", label=TONES)
    def state(self, row: InvoicePayment) -> str:
        return row.status

    @display(description="Paid with")
    def how(self, row: InvoicePayment) -> str:
        return row.paid_with or "nothing was tried yet"

    @display(description="Made for it by Stripe", boolean=True)
    def own(self, row: InvoicePayment) -> bool:
        return row.is_default


class AttemptInline(ReadOnlyInline):
    model = Payment
    fields = ("created_at", "status", "money", "failure", "paid_with")
    readonly_fields = fields
    verbose_name_plural = "Attempts to collect it"


@admin.register(Invoice)
class InvoiceAdmin(Exported, ReadOnly, ActsAdmin):
    list_display = ("shown_number", "office", "kind", "state", "total_shown", "remaining", "created_at", "due_at")
    list_filter = (("status", among(InvoiceStatus)), "kind", "collection", OwedFor)
    list_select_related = ("office",)
    sortable_by = ("created_at",)
    actions: Any = None
    search_fields = ("number", *OFFICE)
    search_help_text = "A number, or part of an Office’s name"
    inlines = (InvoicePaymentInline, AttemptInline)
    acts = invoices.INVOICE_ACTS + payments.INVOICE_ACTS
    fieldsets = (
        ("Invoice", {"fields": (("office", "state"), ("number", "kind"), ("collection", "subscription"))}),
        ("What for", {"fields": ("what_for",)}),
        (
            "Amounts",
            {
                "fields": (
                    ("total_shown", "remaining"),
                    ("paid_shown", "elsewhere_shown"),
                    ("overpaid_shown",),
                    ("before_shown", "after_shown"),
                )
            },
        ),
        (
            "When",
            {
                "fields": (
                    ("period_start", "period_end"),
                    ("created_at", "finalised_at"),
                    ("due_at", "paid_at"),
                    ("voided_at", "uncollectible_at"),
                    ("attempt_count", "next_payment_attempt"),
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        rows = [row for _, options in self.fieldsets for row in options["fields"]]
        return [name for row in rows for name in ((row,) if isinstance(row, str) else row)]

    @display(description="Number", ordering="number")
    def shown_number(self, row: Invoice) -> str:
        return str(row)

    @display(description="Status", label=TONES, ordering="status")
    def state(self, row: Invoice) -> str:
        return row.status

    @display(description="Lines")
    def what_for(self, row: Invoice) -> SafeString:
        lines = format_html_join(
            "",
            '<tr><td style="padding: 2px 24px 2px 0">{}</td><td style="padding: 2px 24px 2px 0">{}</td>'
            '<td style="text-align: right; white-space: nowrap">{}</td></tr>',
            ((one["text"], _period(one, row.office), Money(one["amount"], row.currency)) for one in row.lines),
        )
        more = (
            ("Discount", -row.discount),
            ("Tax", row.tax - row.tax_within),
            ("Tax included in the total", row.tax_within),
        )
        below = format_html_join(
            "",
            '<tr><td style="padding: 2px 24px 2px 0">{}</td><td></td><td style="text-align: right">{}</td></tr>',
            ((name, Money(amount, row.currency)) for name, amount in more if amount),
        )
        return format_html("<table>{}{}</table>", lines, below) if row.lines else SafeString("–")

    @display(description="Total", ordering="total")
    def total_shown(self, row: Invoice) -> str:
        return str(row.money)

    @display(description="Paid")
    def paid_shown(self, row: Invoice) -> str:
        return str(Money(row.amount_paid, row.currency))

    @display(description="Of that, outside Stripe")
    def elsewhere_shown(self, row: Invoice) -> str:
        return str(Money(row.paid_elsewhere, row.currency))

    @display(description="Paid beyond what was due, and kept as credit")
    def overpaid_shown(self, row: Invoice) -> str:
        return str(row.overpayment)

    @display(description="Credited before payment")
    def before_shown(self, row: Invoice) -> str:
        return str(Money(row.credited_before_payment, row.currency))

    @display(description="Credited after payment")
    def after_shown(self, row: Invoice) -> str:
        return str(Money(row.credited_after_payment, row.currency))


def _period(line: dict[str, Any], office: Office) -> str:
    if not line["period_start"] or not line["period_end"]:
        return ""
    start, end = (datetime.fromisoformat(line[name]) for name in ("period_start", "period_end"))
    return zones.bare_period(start, end, office.time_zone)
