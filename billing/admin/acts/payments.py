"""What staff do to a payment and to an invoice that was asked for: money goes back, or less is due."""

from typing import cast

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing.admin.acts import OperationAct, invoices
from billing.admin.acts.amounts import AmountForm
from billing.models import Invoice, Payment
from billing.operations.money.credit_note import TO_BY_STATUS, IssueCreditNote, creditable
from billing.operations.money.refund import RefundPayment

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


def _of_payment(payment: Payment) -> str:
    invoice = f" for invoice {payment.invoice}" if payment.invoice else ""
    back = f", of which {payment.given_back} went back" if payment.amount_refunded else ""
    return f"{payment.office} paid {payment.money} on {payment.created_at:%d %B %Y}{invoice}{back}."


PAYMENT_ACTS = (
    OperationAct(
        declared=RefundPayment,
        name="refund",
        title="Refund",
        says="The money goes back to the card that paid. The invoice stays paid: to correct it too, issue a credit "
        "note on the invoice instead.",
        button="Show what goes back",
        form=RefundForm,
        facts=_of_payment,
    ),
)
INVOICE_ACTS = (
    OperationAct(
        declared=IssueCreditNote,
        name="credit_note",
        title="Issue a credit note",
        says="An invoice that was sent is never edited: a credit note corrects it, and the Office can see why its "
        "books change. Less is due, or what was paid goes back or lowers the next invoices.",
        button="Show what it comes to",
        form=CreditNoteForm,
        facts=invoices.facts,
    ),
)
