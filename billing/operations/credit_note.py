"""Correcting an invoice: less is due of an open one; of a paid one, money goes back or waits as credit."""

from datetime import datetime
from typing import Any, Literal

from django.db.models import Sum

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Adjustment, Invoice, Office, Payment
from billing.money import Money
from billing.operations import money_back, previews
from billing.operations.bodies import operation_body
from billing.operations.money_back import CREDIT_NOTE_REASONS, MoneyBack
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import gateway

To = Literal["due", "refund", "balance"]
TO_BY_STATUS: dict[str, tuple[str, ...]] = {"open": ("due",), "paid": ("refund", "balance")}
WHAT = "issue credit notes"
OTHERWISE = "Give the rest as credit for the next invoice."


def issue_credit_note(
    invoice: Invoice, *, by: Actor, reason: str, to: To, amount: int | None = None, as_of: datetime | None = None
) -> Office:
    """The invoice is corrected by so many minor units, tax included; without an amount, by all that is left of it.

    Of an open invoice less is ``due``. Of a paid one, the money goes back to the card (``refund``: **money
    moves**, to the customer) or lowers the next invoices (``balance``).
    No determination is needed. Repeating corrects once more, but for the confirmation
    of the same preview (``as_of``).

    Raises:
        StaffOnly, PreviewStale, InvoiceNotCreditable, AlreadyCredited, PaymentDisputed, AmountInvalid,
            MoreThanLeft: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/invoicing/dashboard/credit-notes
    """

    def guard(fresh: Office) -> None:
        grants.require_vendor(by, "manage_billing", to=WHAT)
        previews.check_unchanged(fresh, as_of)
        _check(invoice, request["amount"], to)

    request: dict[str, Any] = {
        "invoice": str(invoice.public_id),
        "amount": creditable(_fresh(invoice)).amount if amount is None else amount,
        "to": to,
        "stripe_reason": money_back.stripe_reason(reason, CREDIT_NOTE_REASONS),
    }
    return perform("issue_credit_note", invoice.office, by=by, reason=reason, request=request, guard=guard)


def preview_credit_note(
    invoice: Invoice, *, by: Actor, to: To, reason: str = "", amount: int | None = None
) -> MoneyBack:
    """What ``issue_credit_note`` with the same arguments would do, as Stripe reckons it. Nothing changes.

    Raises: what ``issue_credit_note`` raises; StripeUnavailable.
    """
    grants.require_vendor(by, "manage_billing", to=WHAT)
    _, as_of = previews.opened(invoice.office, by=by)
    asked = creditable(_fresh(invoice)).amount if amount is None else amount
    invoice = _check(invoice, asked, to)
    seen = gateway.preview_credit_note(invoice.stripe_id, amount=asked, **_given(asked, to))
    total, paid_by = Money(seen.total, seen.currency), _largest(invoice)
    return MoneyBack(
        amount=total,
        tax=Money(seen.tax, seen.currency),
        remains=Money(creditable(invoice).amount - seen.total, seen.currency),
        remains_as="Still due" if to == "due" else "Can still be credited",
        goes_to=_goes_to(
            Money(seen.before_payment, seen.currency), Money(seen.after_payment, seen.currency), to, paid_by
        ),
        warnings=money_back.warnings_of(paid_by, reason, {}) if paid_by and to == "refund" else (),
        confirm=f"Confirm and {'give back' if to == 'refund' else 'credit'} {total}",
        as_of=as_of,
    )


def creditable(invoice: Invoice) -> Money:
    """How much of the invoice can still be corrected."""
    if invoice.status == "open":
        return Money(invoice.amount_remaining, invoice.currency)
    issued = invoice.adjustments.filter(kind=Adjustment.Kind.CREDIT_NOTE, status="issued")
    return Money(invoice.total - (issued.aggregate(sum=Sum("amount"))["sum"] or 0), invoice.currency)


def _check(invoice: Invoice, amount: int, to: str) -> Invoice:
    """The invoice as it is now, of which so much can be corrected. Raises what refuses it."""
    fresh = _fresh(invoice)
    if to not in TO_BY_STATUS.get(fresh.status, ()) or fresh.deleted_at:
        raise errors.InvoiceNotCreditable(fresh)
    left = creditable(fresh)
    if left.amount == 0:
        raise errors.AlreadyCredited(fresh)
    money_back.check_amount(amount, left)
    if to == "refund":
        paid_by = _largest(fresh)
        if paid_by and money_back.is_taken_back(paid_by):
            raise errors.PaymentDisputed(paid_by)
        to_refund = paid_by.refundable if paid_by else Money(0, fresh.currency)
        money_back.check_amount(amount, to_refund, instead=OTHERWISE)
    return fresh


def _largest(invoice: Invoice) -> Payment | None:
    """The payment of the invoice of which the most can go back: Stripe refunds one."""
    return max(invoice.payments.filter(status="succeeded"), key=lambda one: one.refundable.amount, default=None)


def _goes_to(before: Money, after: Money, to: str, paid_by: Payment | None) -> tuple[str, ...]:
    found = []
    if before.amount:
        found.append(f"{before} less is due of the invoice.")
    if after.amount and to == "balance":
        found.append(f"{after} is kept as credit and lowers the next invoices.")
    elif after.amount and paid_by:
        found.append(money_back.to_the_card(paid_by))
    return tuple(found)


def _given(amount: int, to: str) -> dict[str, int]:
    """Where the money of a paid invoice goes, as the gateway takes it."""
    return {"refund": amount if to == "refund" else 0, "credit": amount if to == "balance" else 0}


def _fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.select_related("office").get(pk=invoice.pk)


def _was_issued(run: Run, office: Office) -> bool:
    return gateway.find_credit_note(_named(run, office, run.operation.request["invoice"]).stripe_id, operation=run.id)


def _named(run: Run, office: Office, public_id: str) -> Invoice:
    """The invoice, which the look afterwards fetches with its credit notes and what was paid for it."""
    invoice = office.invoices.get(public_id=public_id)
    run.look_at(invoices=invoice.stripe_id, credit_notes=invoice.stripe_id)
    for payment in invoice.payments.all():
        run.look_at(payments=payment.stripe_id)
    return invoice


@operation_body("issue_credit_note", search=_was_issued)
def _issue(run: Run, office: Office, *, invoice: str, amount: int, to: str, stripe_reason: str) -> None:
    row = _named(run, office, invoice)
    gateway.issue_credit_note(
        row.stripe_id,
        amount=amount,
        **_given(amount, to),
        reason=stripe_reason,
        operation=run.id,
        step=run.step("issue"),
    )
