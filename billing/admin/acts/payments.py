"""Acts that give money back or lower what is due: a refund of a payment, a credit note on an invoice."""

from typing import cast

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing import zones
from billing.admin.acts import OperationAct, invoices
from billing.admin.acts.amounts import AmountForm
from billing.models import Invoice, Payment
from billing.operations.money.credit_note import TO_BY_STATUS, IssueCreditNote, creditable
from billing.operations.money.refund import RefundPayment

TO = {
    "due": "Lower the amount that is due",
    "refund": "Give it back to where it came from",
    "balance": "Keep it as credit, which lowers the next invoices",
}


class RefundForm(AmountForm):
    def for_subject(self, payment: Payment) -> None:
        self.offer(payment.refundable)


class CreditNoteForm(AmountForm):
    to = forms.ChoiceField(label="What happens with the amount", widget=UnfoldAdminRadioSelectWidget)

    def for_subject(self, invoice: Invoice) -> None:
        self.offer(creditable(invoice))
        possible = TO_BY_STATUS.get(invoice.status, ())
        cast(forms.ChoiceField, self.fields["to"]).choices = [(one, TO[one]) for one in possible]
        self.initial["to"] = next(iter(possible), None)


def _of_payment(payment: Payment) -> str:
    invoice = f" for invoice {payment.invoice}" if payment.invoice else ""
    back = f", of which {payment.given_back} was given back" if payment.amount_refunded else ""
    day = zones.day(payment.created_at, payment.office.time_zone)
    return f"{payment.office} paid {payment.money} on {day}{invoice}{back}."


PAYMENT_ACTS = (
    OperationAct(
        declared=RefundPayment,
        name="refund",
        title="Refund",
        says="The money goes back to where it came from. The invoice stays paid. To correct the invoice too, issue a "
        "credit note on it instead.",
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
        says="A sent invoice is never edited. A credit note corrects it, and the Office sees the correction. Either "
        "less is due, or the money goes back, or it lowers the next invoices.",
        button="Show the amount",
        form=CreditNoteForm,
        facts=invoices.facts,
    ),
)
