"""What staff do to a payment and to an invoice that was asked for: money goes back, or less is due."""

from typing import cast

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing import operations
from billing.admin.acts import Act, Given, invoices
from billing.admin.acts.amounts import AmountForm
from billing.audit.actor import Actor
from billing.models import Invoice, Office, Payment
from billing.operations.credit_note import TO_BY_STATUS, creditable
from billing.operations.money_back import MoneyBack, is_taken_back

TO = {
    "due": "Less is due of the invoice",
    "refund": "Back to the card that paid",
    "balance": "Kept as credit, which lowers the next invoices",
}


class RefundForm(AmountForm):
    def for_subject(self, payment: Payment) -> None:
        self.offer(payment.refundable)


class CreditNoteForm(AmountForm):
    to = forms.ChoiceField(label="What is credited", widget=UnfoldAdminRadioSelectWidget)

    def for_subject(self, invoice: Invoice) -> None:
        self.offer(creditable(invoice))
        possible = TO_BY_STATUS.get(invoice.status, ())
        cast(forms.ChoiceField, self.fields["to"]).choices = [(one, TO[one]) for one in possible]
        self.initial["to"] = next(iter(possible), None)


def _refund(payment: Payment, by: Actor, given: Given) -> Office:
    return operations.refund_payment(payment, by=by, **given)


def _preview_refund(payment: Payment, by: Actor, given: Given) -> MoneyBack:
    return operations.preview_refund(payment, by=by, **given)


def _credit(invoice: Invoice, by: Actor, given: Given) -> Office:
    return operations.issue_credit_note(invoice, by=by, **given)


def _preview_credit(invoice: Invoice, by: Actor, given: Given) -> MoneyBack:
    return operations.preview_credit_note(invoice, by=by, **given)


def _of_payment(payment: Payment) -> str:
    invoice = f" for invoice {payment.invoice}" if payment.invoice else ""
    back = f", of which {payment.given_back} went back" if payment.amount_refunded else ""
    return f"{payment.office} paid {payment.money} on {payment.created_at:%d %B %Y}{invoice}{back}."


def can_be_refunded(payment: Payment) -> bool:
    return payment.refundable.amount > 0 and not is_taken_back(payment)


def can_be_credited(invoice: Invoice) -> bool:
    return invoice.status in TO_BY_STATUS and creditable(invoice).amount > 0


PAYMENT_ACTS = (
    Act(
        "refund",
        "Refund",
        "The money goes back to the card that paid. The invoice stays paid: to correct it too, issue a credit note "
        "on the invoice instead.",
        _refund,
        "Show what goes back",
        form=RefundForm,
        preview=_preview_refund,
        available=can_be_refunded,
        facts=_of_payment,
    ),
)
INVOICE_ACTS = (
    Act(
        "credit_note",
        "Issue a credit note",
        "An invoice that was sent is never edited: a credit note corrects it, and the Office can see why its books "
        "change. Less is due, or what was paid goes back or lowers the next invoices.",
        _credit,
        "Show what it comes to",
        form=CreditNoteForm,
        preview=_preview_credit,
        available=can_be_credited,
        facts=invoices.facts,
    ),
)
