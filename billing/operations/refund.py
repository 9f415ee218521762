"""Giving a payment back, whole or in part."""

from datetime import datetime
from typing import Any

from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office, Payment
from billing.money import Money
from billing.operations import money_back, previews
from billing.operations.bodies import operation_body
from billing.operations.money_back import REFUND_REASONS, MoneyBack
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import gateway

WHAT = "give money back"


def refund_payment(
    payment: Payment, *, by: Actor, reason: str, amount: int | None = None, as_of: datetime | None = None
) -> Office:
    """So many minor units of the payment go back to its card; without an amount, all that is left of it.

    **Money moves**, to the customer, so no determination is needed. Stripe is told the reason where it has a
    word for it; ``suspected_fraud`` also puts the card on Stripe's block lists. The invoice stays paid: a credit
    note corrects it. Repeating gives back once more, but for the confirmation of the same preview (``as_of``).

    Raises:
        StaffOnly, PreviewStale, PaymentNotRefundable, PaymentDisputed, AlreadyRefunded, AmountInvalid,
            MoreThanLeft: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/refunds
    """

    def guard(fresh: Office) -> None:
        grants.require_vendor(by, "manage_billing", to=WHAT)
        previews.check_unchanged(fresh, as_of)
        _check(payment, request["amount"])

    request: dict[str, Any] = {
        "payment": str(payment.public_id),
        "amount": _fresh(payment).refundable.amount if amount is None else amount,
        "stripe_reason": money_back.stripe_reason(reason, REFUND_REASONS),
    }
    return perform("refund_payment", payment.office, by=by, reason=reason, request=request, guard=guard)


def preview_refund(payment: Payment, *, by: Actor, reason: str = "", amount: int | None = None) -> MoneyBack:
    """What ``refund_payment`` with the same arguments would give back. Nothing changes; Stripe is not asked.

    Raises: what ``refund_payment`` raises before Stripe is asked.
    """
    grants.require_vendor(by, "manage_billing", to=WHAT)
    _, as_of = previews.opened(payment.office, by=by)
    asked = _fresh(payment).refundable.amount if amount is None else amount
    payment = _check(payment, asked)
    back = Money(asked, payment.currency)
    return MoneyBack(
        amount=back,
        tax=Money(0, payment.currency),
        remains=Money(payment.refundable.amount - asked, payment.currency),
        remains_as="Can still be given back",
        goes_to=(money_back.to_the_card(payment),),
        warnings=money_back.warnings_of(payment, reason, REFUND_REASONS),
        confirm=f"Confirm and give back {back}",
        as_of=as_of,
    )


def _check(payment: Payment, amount: int) -> Payment:
    """The payment as it is now, of which so much can go back. Raises what refuses it."""
    fresh = _fresh(payment)
    money_back.check_payment(fresh)
    money_back.check_amount(amount, fresh.refundable)
    return fresh


def _fresh(payment: Payment) -> Payment:
    return Payment.objects.select_related("office").get(pk=payment.pk)


def _was_refunded(run: Run, office: Office) -> bool:
    return gateway.find_refund(_named(run, office, run.operation.request["payment"]), operation=run.id)


def _named(run: Run, office: Office, payment: str) -> str:
    """Stripe's id of the payment, which the look afterwards fetches."""
    charge = office.payments.get(public_id=payment).stripe_id
    run.look_at(payments=charge)
    return charge


@operation_body("refund_payment", search=_was_refunded)
def _refund(run: Run, office: Office, *, payment: str, amount: int, stripe_reason: str) -> None:
    gateway.refund_payment(
        _named(run, office, payment),
        amount=amount,
        reason=stripe_reason,
        operation=run.id,
        step=run.step("refund"),
    )
