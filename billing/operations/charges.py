"""One-off charges: an invoice beside the subscription, for what a catalogue names."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.invoice_lines import CATALOGUE
from billing.models import Invoice, Office, Operation
from billing.money import Money
from billing.operations import previews
from billing.operations.bodies import operation_body
from billing.operations.customer import customer_of, refuse_deleted
from billing.operations.previews import Preview
from billing.operations.protocol import performed
from billing.operations.run import Run
from billing.stripe_api import charging, gateway

LEAST, MOST = 100, 1_000_000  # minor units of the Office's currency
LONGEST_DAYS = 90


def charge_office(
    office: Office,
    *,
    by: Actor,
    reason: str,
    charge: str,
    amount: int,
    days_until_due: int = 0,
    as_of: datetime | None = None,
) -> Invoice:
    """The Office was charged ``amount`` minor units of its currency, and the taxes that its subscription bears.

    ``charge`` is a code of the catalogue, whose text is printed on the invoice. The card on file is charged now:
    **money moves**; a declined card leaves the invoice void. With ``days_until_due`` the invoice is mailed to
    the Office instead, to be paid by then. For the vendor. Where a step's answer is lost, the same invoice is
    gone on with; there is never a second. With ``as_of`` of a preview of the last hour it is charged once, and only
    if nothing was done to the Office since.

    Raises:
        StaffOnly, DeterminationMissing, NoCustomer, ChargeUnknown, CurrencyUnknown, AmountOutOfBounds, DaysInvalid,
            PaymentMethodRequired, PreviewStale: it was refused before Stripe was asked.
        CardDeclined: the card said no; the invoice is void.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/invoicing/integration
    """

    def guard(fresh: Office) -> None:
        _check(fresh, by, charge, amount, days_until_due)
        previews.check_unchanged(fresh, as_of)

    request: dict[str, Any] = {"charge": charge, "amount": amount, "days_until_due": days_until_due}
    run, _ = performed("charge_office", office, by=by, reason=reason, request=request, guard=guard)
    return invoice_of(run.operation)


def preview_charge(office: Office, *, by: Actor, charge: str, amount: int, days_until_due: int = 0) -> Preview:
    """What ``charge_office`` with the same arguments would charge, with taxes and after credit. Nothing changes.

    Raises: what ``charge_office`` raises before Stripe is asked; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    _check(office, by, charge, amount, days_until_due)
    invoice = gateway.preview_charge(
        office.payment_provider_customer_id or "",
        charge=charge,
        amount=amount,
        currency=office.currency,
        tax_rates=gateway.tax_rates_of(office.payment_provider_subscription_id),
    )
    due = as_of + timedelta(days=days_until_due) if days_until_due else None
    title = f"Sent to the Office, to be paid by {due.day} {due:%B %Y}" if due else ""
    return previews.shown(invoice, now=due is None, at=due, as_of=as_of, title=title)


def invoice_of(operation: Operation) -> Invoice:
    """The invoice that the charge made."""
    made = operation.steps.get(name="draft").object_id
    return Invoice.objects.get(office=operation.office, stripe_id=made)


def _check(office: Office, by: Actor, charge: str, amount: int, days_until_due: int) -> None:
    """Raises what refuses the charge."""
    grants.require_vendor(by, "manage_billing", to="charge an Office beside its subscription")
    charging.require_determination()
    refuse_deleted(office)
    if charge not in CATALOGUE:
        raise errors.ChargeUnknown(list(CATALOGUE))
    if not office.currency:
        raise errors.CurrencyUnknown(office)
    if not LEAST <= amount <= MOST:
        raise errors.AmountOutOfBounds(Money(LEAST, office.currency), Money(MOST, office.currency))
    if not 0 <= days_until_due <= LONGEST_DAYS:
        raise errors.DaysInvalid(LONGEST_DAYS)
    if not (days_until_due or office.has_payment_method):
        raise errors.PaymentMethodRequired(office, "send the invoice with days until it is due")


def _was_charged(run: Run, office: Office) -> bool:
    """The invoice is paid, or was sent. One that is not is given up: it must not be collected later."""
    found = gateway.find_invoice(office.payment_provider_customer_id or "", operation=run.id)
    if found is None:
        return False
    run.look_at(invoices=found.id, payments=found.payment_intent_id)
    if found.status == "paid":
        return any(line["charge"] for line in found.lines)  # somebody may have finalised the empty draft
    if gateway.was_sent(found.id, key=run.step("send").key):
        return True
    if found.status == "draft":
        gateway.delete_draft(found.id, step=run.step("delete"))
    elif found.status == "open":
        gateway.void_invoice(found.id, step=run.step("undo"))
    return False


@operation_body("charge_office", search=_was_charged)
def _charge(run: Run, office: Office, *, charge: str, amount: int, days_until_due: int) -> None:
    """The line is added to a draft of its own, so that no renewal can take it in, whenever the process dies."""
    customer = customer_of(run, office)
    draft = gateway.draft_invoice(
        customer,
        currency=office.currency,
        days_until_due=days_until_due,
        office=str(office.public_id),
        operation=run.id,
        step=run.step("draft"),
    )
    run.look_at(invoices=draft)
    try:
        gateway.add_charge(
            draft,
            customer=customer,
            charge=charge,
            amount=amount,
            currency=office.currency,
            tax_rates=gateway.tax_rates_of(office.payment_provider_subscription_id),
            operation=run.id,
            step=run.step("line"),
        )
        invoice = gateway.finalise_invoice(draft, step=run.step("finalise"))
    except errors.StripeRejected:
        if _is_given_up(run, office, lambda: gateway.delete_draft(draft, step=run.step("delete"))):
            raise
        return
    run.look_at(payments=invoice.payment_intent_id)
    if invoice.status == "paid":  # from credit
        return
    try:
        if days_until_due:
            gateway.send_invoice(draft, step=run.step("send"))
        else:
            gateway.pay_invoice(draft, step=run.step("pay"))
    except (errors.CardDeclined, errors.StripeRejected):
        if _is_given_up(run, office, lambda: gateway.void_invoice(draft, step=run.step("void"))):
            raise


def _is_given_up(run: Run, office: Office, give_up: Callable[[], None]) -> bool:
    """Nothing is owed; or False, where Stripe refuses that too because somebody had the invoice paid meanwhile."""
    try:
        give_up()
    except errors.StripeRejected:
        return not _was_charged(run, office)
    return True
