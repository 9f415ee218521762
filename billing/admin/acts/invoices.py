"""Acts on an invoice, and acts on an Office that are about its invoices and its statement."""

import functools
from typing import cast

from django import forms
from django.urls import reverse
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from billing import history, invoice_lines, zones
from billing.access.roles import Power
from billing.admin.acts import Click, OperationAct
from billing.admin.acts.amounts import AmountForm
from billing.admin.acts.payment_methods import MethodField
from billing.admin.acts.subscription import ON_FILE
from billing.admin.forms import WhyForm
from billing.admin.statement_lines import Shown, shown
from billing.audit.actor import Actor
from billing.models import Invoice, Office, PaymentMethod
from billing.models.statuses import SubscriptionStatus
from billing.money import Money
from billing.operations.money import charges
from billing.operations.money.charges import ChargeOffice
from billing.operations.money.documents import open_document, preview_upcoming
from billing.operations.money.invoices import MarkUncollectible, PayInvoice, RetryInvoice, SendInvoice, VoidInvoice
from billing.operations.offices.cards import on_file


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
        help_text="0 charges what is on file now. Otherwise the invoice is sent to the Office, which pays it by then.",
        widget=UnfoldAdminIntegerFieldWidget,
    )

    field_order = ("charge", "amount", "days_until_due")

    def for_subject(self, office: Office) -> None:
        least, most = charges.bounds(office.currency)
        self.ask_in(office.currency, f"{least} to {most}, before taxes.")


class PayForm(WhyForm):
    payment_method = MethodField(
        PaymentMethod.objects.none(),
        to_field_name="public_id",
        required=False,
        empty_label=ON_FILE[1],
        label="Payment method",
        widget=UnfoldAdminSelectWidget,
    )

    def for_subject(self, invoice: Invoice) -> None:
        cast(forms.ModelChoiceField, self.fields["payment_method"]).queryset = on_file(invoice.office)


def _account(office: Office, *, by: Actor) -> Shown:
    return shown(history.account(office))


def facts(invoice: Invoice) -> str:
    paid, left = Money(invoice.amount_paid, invoice.currency), invoice.remaining
    due = f", of which {f'{paid} was paid and ' if paid.amount else ''}{left} is due" if left.amount else ""
    times = "once" if invoice.attempt_count == 1 else f"{invoice.attempt_count} times"
    office, next_at = invoice.office, invoice.next_payment_attempt
    again = f", next on {zones.day(next_at, office.time_zone)}" if next_at else ""
    tried = f" Tried {times}{again}." if invoice.attempt_count else ""
    pays = f"Pays with: {office.pays_with}." if office.has_payment_method else "No payment method on file."
    kind = invoice.get_kind_display()
    return f"{kind} {invoice} of {office}: {invoice.money}, {invoice.status}{due}.{tried} {pays}"


def _has_upcoming(office: Office) -> bool:
    return office.renews and office.subscription_status != SubscriptionStatus.PAUSED


def _card_link(invoice: Invoice, *, by: Actor) -> str:
    """Return the page on which the Office's link to add a card is made."""
    return reverse("admin:billing_office_link_card", args=[invoice.office.pk])


def _lacks_card(invoice: Invoice) -> bool:
    can_be_paid = invoice.is_collectible or invoice.stays_a_draft
    office = invoice.office
    return can_be_paid and not office.has_payment_method and not office.archived_at and not office.customer_deleted_at


def _is_final(invoice: Invoice) -> bool:
    return invoice.finalised_at is not None


OFFICE_ACTS = (
    Click(
        finds=preview_upcoming,
        name="upcoming",
        needs=Power.PREVIEW,
        title="Upcoming invoice",
        says="Stripe has calculated this now. It changes when the subscription changes.",
        offered=_has_upcoming,
        template="billing/admin_upcoming.html",
        group="Invoices",
    ),
    Click(
        finds=_account,
        name="account",
        title="Statement",
        says="These are our own records. Stripe was not asked.",
        template="billing/admin_account.html",
        group="Invoices",
    ),
    OperationAct(
        declared=ChargeOffice,
        name="charge",
        title="One-off charge",
        says="This makes a separate invoice. You see the amount with taxes before anything is charged. If the payment "
        "is declined, the invoice becomes void.",
        button="Show the amount",
        form=ChargeForm,
        group="Invoices",
    ),
)

INVOICE_ACTS = (
    Click(
        finds=_card_link,
        name="card_link",
        title="Link to add a card",
        says="Nothing is on file to pay with. The Office enters a card at Stripe.",
        offered=_lacks_card,
        needs=Power.MANAGE,
    ),
    OperationAct(
        declared=PayInvoice,
        name="pay",
        title="Pay now",
        says="The amount that is due is charged now. If the payment is declined, the invoice stays open. "
        "A draft is finalised first.",
        form=PayForm,
        facts=facts,
        without_card="link_card",
    ),
    OperationAct(
        declared=RetryInvoice,
        name="retry",
        title="Try again",
        says="What is on file is charged again. If it is declined, Stripe's own attempts continue as planned.",
        facts=facts,
        without_card="link_card",
    ),
    OperationAct(
        declared=SendInvoice,
        name="send",
        title="Send the invoice",
        says="Stripe sends the invoice to the Office by e-mail. It has a link to a page where the Office can pay.",
        facts=facts,
    ),
    Click(
        finds=functools.partial(open_document, document="pdf"),
        name="open_pdf",
        needs=Power.DOCUMENTS,
        title="PDF",
        offered=_is_final,
        group="At Stripe",
    ),
    Click(
        finds=functools.partial(open_document, document="page"),
        name="open_page",
        needs=Power.DOCUMENTS,
        title="The Office's page",
        offered=_is_final,
        group="At Stripe",
    ),
    OperationAct(
        declared=VoidInvoice,
        name="void",
        title="Void",
        says="Nothing is owed on the invoice any more, as if it had never been made. You cannot undo this. No money "
        "moves: an invoice on which something was paid cannot be voided.",
        button="Void the invoice",
        facts=facts,
        group="Stop collecting",
    ),
    OperationAct(
        declared=MarkUncollectible,
        name="mark_uncollectible",
        title="Mark uncollectible",
        says="The invoice is written off. It stays on record as owed. Stripe stops trying to collect it, but the "
        "Office can still pay it. No money moves.",
        facts=facts,
        group="Stop collecting",
    ),
)
