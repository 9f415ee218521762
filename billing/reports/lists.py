"""The lists that can be exported, with their columns. A list is exported only: nothing is ever imported.

Times are in UTC, as 2026-10-31 23:59:59. An amount stands beside its currency. No id of Stripe's is in any of them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from import_export.fields import Field
from import_export.resources import Resource
from import_export.widgets import Widget

from billing.access.masking import masked
from billing.batches import each
from billing.models import Adjustment, Finding, Invoice, Office, Payment, Subscription
from billing.money import Money
from billing.reports.tables import Cell


class AsItIs(Widget):
    """A text, a whole number or a Decimal."""

    def render(self, value: Any, **_: Any) -> Cell:
        return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else _text(value)


class Moment(Widget):
    def render(self, value: Any, **_: Any) -> Cell:
        return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else ""


class AmountField(Field):
    """Minor units of the row's currency, as a decimal with as many places as the currency has."""

    def __init__(self, attribute: str, name: str, *, currency: str = "currency") -> None:
        super().__init__(attribute, name, AsItIs())
        self.currency = currency

    def get_value(self, instance: Any) -> Decimal | None:
        value = super().get_value(instance)
        return None if value is None else Money(value, getattr(instance, self.currency)).decimal


class Code(Widget):
    """A currency, in capital letters."""

    def render(self, value: Any, **_: Any) -> Cell:
        return _text(value).upper()


class Words(Widget):
    """A status or kind, as people read it."""

    def render(self, value: Any, **_: Any) -> Cell:
        return _text(value).replace("_", " ")


class YesOrNo(Widget):
    def render(self, value: Any, **_: Any) -> Cell:
        return "yes" if value else "no"


def text(name: str, attribute: str) -> Field:
    return Field(attribute, name, AsItIs())


def moment(name: str, attribute: str) -> Field:
    return Field(attribute, f"{name} (UTC)", Moment())


def code(name: str, attribute: str = "currency") -> Field:
    return Field(attribute, name, Code())


def words(name: str, attribute: str) -> Field:
    return Field(attribute, name, Words())


class ExportedList(Resource):
    """A list with its columns, in the order of their declaration."""

    model: ClassVar[type[Model]]
    title: ClassVar[str]
    beside: ClassVar[tuple[str, ...]] = ("office",)
    """What is read with each row."""

    @property
    def names(self) -> list[str]:
        found: list[str] = self.get_export_headers()
        return found

    def rows(self, which: QuerySet[Any], *, is_masked: bool) -> Iterator[Sequence[Cell]]:
        """Yield the cells of each row, in the order of the rows' numbers. They are read a thousand at a time."""
        for row in each(which.select_related(*self.beside)):
            cells = self.export_resource(row)
            yield [masked(one) if isinstance(one, str) else one for one in cells] if is_masked else cells


class Offices(ExportedList):
    model, title, beside = Office, "Offices", ("current_plan",)

    public_id = text("Office id", "public_id")
    name = text("Office", "name")
    billing_email = text("E-mail", "billing_email")
    time_zone = text("Time zone", "time_zone")
    locale = text("Language", "locale")
    status = words("Status", "subscription_status")
    plan = text("Plan", "current_plan__name")
    quantity = text("Seats", "quantity")
    period_start = moment("Period start", "current_period_start")
    period_end = moment("Period end", "current_period_end")
    trial_end = moment("Trial end", "trial_end")
    cancel_at = moment("Ends", "cancel_at")
    past_due_since = moment("Past due since", "past_due_since")
    currency = code("Currency")
    balance_due = AmountField("balance_due", "Due")
    credit_currency = Field(column_name="Currency of credit")
    credit_balance = Field(column_name="Credit")
    others = Field(column_name="Due in other currencies")
    pays_with = text("Pays with", "pays_with")
    archived_at = moment("Archived", "archived_at")

    def dehydrate_credit_currency(self, row: Office) -> Cell:
        return row.credit.currency.upper()

    def dehydrate_credit_balance(self, row: Office) -> Cell:
        return row.credit.decimal

    def dehydrate_others(self, row: Office) -> Cell:
        return "; ".join(map(str, row.debts_in_other_currencies))


class Subscriptions(ExportedList):
    model, title, beside = Subscription, "Subscriptions", ("office", "plan_price__plan")

    public_id = text("Subscription id", "public_id")
    office_id = text("Office id", "office__public_id")
    office = text("Office", "office__name")
    plan = text("Plan", "plan_price__plan__name")
    price = text("Price", "plan_price__code")
    status = words("Status", "status")
    quantity = text("Seats", "quantity")
    currency = code("Currency")
    monthly_amount = AmountField("monthly_amount", "A month")
    created_at = moment("Made", "created_at")
    started_at = moment("Began", "started_at")
    period_start = moment("Period start", "current_period_start")
    period_end = moment("Period end", "current_period_end")
    trial_end = moment("Trial end", "trial_end")
    cancel_at = moment("Ends", "cancel_at")
    ended_at = moment("Ended", "ended_at")
    paused = text("Collection paused: new invoices are", "get_collection_paused_display")
    discount = text("Discount", "discount")


class Invoices(ExportedList):
    model, title = Invoice, "Invoices"

    public_id = text("Invoice id", "public_id")
    number = text("Number", "number")
    office_id = text("Office id", "office__public_id")
    office = text("Office", "office__name")
    status = words("Status", "status")
    kind = text("Kind", "get_kind_display")
    collection = text("Collection", "get_collection_display")
    currency = code("Currency")
    subtotal = AmountField("subtotal", "Before discount and tax")
    discount = AmountField("discount", "Discount")
    tax = AmountField("tax", "Tax")
    total = AmountField("total", "Total")
    amount_paid = AmountField("amount_paid", "Paid")
    paid_elsewhere = AmountField("paid_elsewhere", "Of that, outside Stripe")
    before = AmountField("credited_before_payment", "Credited before payment")
    after = AmountField("credited_after_payment", "Credited after payment")
    remaining = Field(column_name="Remaining")
    period_start = moment("Period start", "period_start")
    period_end = moment("Period end", "period_end")
    created_at = moment("Made", "created_at")
    finalised_at = moment("Final", "finalised_at")
    due_at = moment("Due", "due_at")
    paid_at = moment("Paid in full", "paid_at")
    voided_at = moment("Voided", "voided_at")
    uncollectible_at = moment("Written off", "uncollectible_at")
    attempt_count = text("Attempts", "attempt_count")
    next_attempt = moment("Next attempt", "next_payment_attempt")

    def dehydrate_remaining(self, row: Invoice) -> Cell:
        return row.remaining.decimal


class Payments(ExportedList):
    model, title, beside = Payment, "Payments", ("office", "invoice")

    public_id = text("Payment id", "public_id")
    created_at = moment("Made", "created_at")
    office_id = text("Office id", "office__public_id")
    office = text("Office", "office__name")
    invoice = text("Invoice", "invoice__number")
    status = words("Status", "status")
    disputed = Field("disputed", "Disputed", YesOrNo())
    currency = code("Currency")
    amount = AmountField("amount", "Amount")
    amount_refunded = AmountField("amount_refunded", "Given back")
    paid_with = text("Paid with", "paid_with")
    why = text("Why it failed", "failure__says")


class Adjustments(ExportedList):
    model, title, beside = Adjustment, "Refunds and disputes", ("office", "invoice", "operation", "payment__invoice")

    public_id = text("Id", "public_id")
    created_at = moment("Made", "created_at")
    kind = text("Kind", "get_kind_display")
    office_id = text("Office id", "office__public_id")
    office = text("Office", "office__name")
    invoice = Field(column_name="Invoice")
    status = words("Status", "status")
    currency = code("Currency")
    amount = AmountField("amount", "Amount")
    reason = text("Reason", "get_reason_display")
    our_reason = text("Our reason", "operation__reason")
    due_at = moment("Answer by", "answer_by")
    outcome = text("Outcome", "get_outcome_display")
    taken_at = moment("Taken by the bank", "taken_at")
    returned_at = moment("Given back by the bank", "returned_at")

    def dehydrate_invoice(self, row: Adjustment) -> Cell:
        invoice = row.invoice or (row.payment.invoice if row.payment else None)
        return invoice.number if invoice else ""


class Findings(ExportedList):
    model, title = Finding, "Findings"

    found_at = moment("Found", "found_at")
    kind = words("Kind", "kind")
    severity = text("Severity", "severity")
    office_id = text("Office id", "office__public_id")
    office = text("Office", "office__name")
    detail = text("What was found", "detail")
    resolved_at = moment("Closed", "resolved_at")
    resolution = text("How it ended", "resolution")


LISTS: dict[type[Model], type[ExportedList]] = {
    one.model: one for one in (Offices, Subscriptions, Invoices, Payments, Adjustments, Findings)
}
"""By the model of the list."""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
