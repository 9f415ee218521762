"""Whether and when a subscription ends by itself."""

from datetime import datetime

from billing import clock, errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.bodies import operation_body
from billing.operations.live import moment, require_live, state_of, was_updated
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway


def resume_renewal(office: Office, *, by: Actor, reason: str) -> Office:
    """The office's subscription has no end: the cancellation is taken back.

    Money does not move now; **it does with the next renewal**. One that has ended stays so.

    Raises:
        DeterminationMissing, NoLiveSubscription, NotCancelling: it was refused before Stripe was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/cancel#reactivating-canceled-subscriptions
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        require_live(fresh)
        if fresh.cancel_at is None:
            raise errors.NotCancelling(fresh)

    request = {"subscription": office.payment_provider_subscription_id}
    return perform("resume_renewal", office, by=by, reason=reason, request=request, guard=guard)


def cancel_on_date(office: Office, at: datetime, *, by: Actor, reason: str) -> Office:
    """The office's subscription ends at this moment, and gives service until then.

    Money does not move now, and time that was paid for is not refunded. If periods begin before it, they are
    renewed, the last one in part. Repeating is a no-op.

    Raises:
        NoLiveSubscription, DateInvalid: it was refused before Stripe was asked.
        DeterminationMissing: it would end later than is agreed now, so that more is charged.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/cancel
    """
    at = at.replace(microsecond=0)
    if office.has_live_subscription and office.cancel_at == at and grants.may(by, "manage_billing", office):
        return office

    def guard(fresh: Office) -> None:
        require_live(fresh)
        if at <= clock.billing():
            raise errors.DateInvalid("Choose a date in the future; to end it today, cancel it now.")
        if fresh.cancel_at and fresh.cancel_at < at:
            charging.require_determination()

    request = {"subscription": office.payment_provider_subscription_id, "at": moment(at)}
    return perform("cancel_on_date", office, by=by, reason=reason, request=request, guard=guard)


@operation_body("resume_renewal", search=was_updated)
def _resume_renewal(run: Run, office: Office, *, subscription: str) -> None:
    gateway.resume_renewal(state_of(office), operation=run.id, step=run.step("resume_renewal"))


@operation_body("cancel_on_date", search=was_updated)
def _cancel_on_date(run: Run, office: Office, *, subscription: str, at: str) -> None:
    gateway.end_subscription_on(
        subscription, datetime.fromisoformat(at), operation=run.id, step=run.step("cancel_on_date")
    )
