"""What staff do to an invoice, and to an Office beside its subscription."""

from typing import Any, cast

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from billing import history, invoice_lines, operations
from billing.admin.acts import Act, Given
from billing.admin.acts.amounts import AmountForm
from billing.admin.acts.payment_methods import CardField
from billing.admin.acts.subscription import ON_FILE
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Invoice, Office, PaymentMethod
from billing.money import Money
from billing.operations import charges
from billing.operations.payment_methods import on_file
from billing.operations.previews import Preview


class ChargeForm(AmountForm):
    charge = forms.ChoiceField(
        choices=[("", "Choose …"), *invoice_lines.CATALOGUE.items()],
        label="What for",
        help_text="Printed on the invoice.",
        widget=UnfoldAdminSelectWidget,
    )
    days_until_due = forms.IntegerField(
        min_value=0,
        max_value=charges.LONGEST_DAYS,
        initial=0,
        label="Days until it is due",
        help_text="0 charges the card on file now. Else the invoice is sent to the Office, to be paid by then.",
        widget=UnfoldAdminIntegerFieldWidget,
    )

    field_order = ("charge", "amount", "days_until_due")

    def for_subject(self, office: Office) -> None:
        least, most = Money(charges.LEAST, office.currency), Money(charges.MOST, office.currency)
        self.ask_in(office.currency, f"{least} to {most}, before taxes.")


class PayForm(WhyForm):
    payment_method = CardField(
        PaymentMethod.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=ON_FILE[1],
        label="Card",
        widget=UnfoldAdminSelectWidget,
    )

    def for_subject(self, invoice: Invoice) -> None:
        cast(forms.ModelChoiceField, self.fields["payment_method"]).queryset = on_file(invoice.office)


def _charge(office: Office, by: Actor, given: Given) -> Invoice:
    return operations.charge_office(office, by=by, **given)


def _preview_charge(office: Office, by: Actor, given: Given) -> Preview:
    given.pop("reason")
    return operations.preview_charge(office, by=by, **given)


def _upcoming(office: Office, by: Actor, given: Given) -> Preview:
    return operations.preview_upcoming(office, by=by)


def _account(office: Office, by: Actor, given: Given) -> dict[str, Any]:
    return {
        "statement": history.statement(office),
        "standing": history.standing(office),
        "cycles": history.cycles(office),
    }


def _pay(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    return operations.pay_invoice(invoice, by=by, **given)


def _retry(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    return operations.retry_invoice(invoice, by=by, **given)


def _send(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    return operations.send_invoice(invoice, by=by, **given)


def _void(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    return operations.void_invoice(invoice, by=by, **given)


def _mark_uncollectible(invoice: Invoice, by: Actor, given: Given) -> Invoice:
    return operations.mark_uncollectible(invoice, by=by, **given)


def _open_pdf(invoice: Invoice, by: Actor, given: Given) -> str:
    return operations.open_document(invoice, "pdf", by=by)


def _open_page(invoice: Invoice, by: Actor, given: Given) -> str:
    return operations.open_document(invoice, "page", by=by)


def facts(invoice: Invoice) -> str:
    due = f", of which {invoice.remaining} is due" if invoice.remaining.amount else ""
    times = "once" if invoice.attempt_count == 1 else f"{invoice.attempt_count} times"
    again = f", next on {invoice.next_payment_attempt:%d %B %Y}" if invoice.next_payment_attempt else ""
    tried = f" Tried {times}{again}." if invoice.attempt_count else ""
    office = invoice.office
    card = f"Card on file: {office.payment_method_brand} …{office.payment_method_last4}."
    card = card if office.has_payment_method else "No card on file."
    kind = invoice.get_kind_display()
    return f"{kind} {invoice} of {office}: {invoice.money}, {invoice.status}{due}.{tried} {card}"


def _is_open(invoice: Invoice) -> bool:
    return invoice.is_collectible and invoice.status == "open"


def _has_failed(invoice: Invoice) -> bool:
    return _is_open(invoice) and invoice.attempt_count > 0


def _is_sent(invoice: Invoice) -> bool:
    return _is_open(invoice) and invoice.collection == Invoice.Collection.SENT


def _is_final(invoice: Invoice) -> bool:
    return invoice.finalised_at is not None


OFFICE_ACTS = (
    Act(
        "upcoming",
        "Upcoming invoice",
        "Reckoned by Stripe just now; it changes with the subscription.",
        _upcoming,
        available=lambda office: office.has_live_subscription,
        group="Invoices",
        at_once=True,
        template="billing/admin_upcoming.html",
        permission="view_billing",
    ),
    Act(
        "account",
        "Statement",
        "From our own records. Times are UTC.",
        _account,
        group="Invoices",
        at_once=True,
        template="billing/admin_account.html",
        permission="view_billing",
    ),
    Act(
        "charge",
        "One-off charge",
        "An invoice beside the subscription. You see what it comes to with taxes before anything is charged. "
        "A declined card leaves it void.",
        _charge,
        "Show what it comes to",
        form=ChargeForm,
        preview=_preview_charge,
        available=lambda office: bool(office.currency),
        group="Invoices",
    ),
)

INVOICE_ACTS = (
    Act(
        "pay",
        "Pay now",
        "What remains is charged to the card now. A declined card leaves the invoice open.",
        _pay,
        form=PayForm,
        available=lambda invoice: invoice.is_collectible,
        facts=facts,
    ),
    Act(
        "retry",
        "Try again",
        "The card on file is charged again. If it is declined, Stripe's own attempts go on as planned.",
        _retry,
        available=_has_failed,
        facts=facts,
    ),
    Act(
        "send",
        "Send",
        "Stripe mails the invoice to the Office, with a page on which it can be paid.",
        _send,
        "Send the invoice",
        available=_is_sent,
        facts=facts,
    ),
    Act(
        "open_pdf",
        "PDF",
        "",
        _open_pdf,
        available=_is_final,
        group="At Stripe",
        at_once=True,
        permission="view_billing",
    ),
    Act(
        "open_page",
        "The Office's page",
        "",
        _open_page,
        available=_is_final,
        group="At Stripe",
        at_once=True,
        permission="view_billing",
    ),
    Act(
        "void",
        "Void",
        "Nothing is owed on it any more, as if it had never been. This cannot be taken back. No money moves.",
        _void,
        "Void the invoice",
        available=lambda invoice: invoice.is_collectible,
        group="Give up",
        facts=facts,
    ),
    Act(
        "mark_uncollectible",
        "Mark uncollectible",
        "It is written off and stays on record as owed. Stripe tries no more; the Office can still pay it. "
        "No money moves.",
        _mark_uncollectible,
        available=_is_open,
        group="Give up",
        facts=facts,
    ),
)
