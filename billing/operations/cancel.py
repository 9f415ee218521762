"""Ending a subscription."""

from billing import errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.bodies import operation_body
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import gateway


def cancel_subscription(office: Office, *, by: Actor, reason: str, at_period_end: bool = True) -> Office:
    """The office's subscription will not renew.

    With ``at_period_end`` the office keeps service until ``current_period_end``; otherwise it ends now,
    without a refund. Money does not move. Repeating is a no-op.

    Raises:
        NoLiveSubscription: there is nothing to cancel.
        StripeUnavailable: no answer arrived; the operation stays open and is settled later.
    Source: https://docs.stripe.com/billing/subscriptions/cancel
    """
    if at_period_end and office.ends_with_this_period and grants.may(by, "manage_billing", office):
        return office

    def guard(fresh: Office) -> None:
        if not fresh.has_live_subscription:
            raise errors.NoLiveSubscription(fresh)

    request = {
        "subscription": office.payment_provider_subscription_id,
        "at_period_end": at_period_end,
    }
    return perform("cancel", office, by=by, reason=reason, request=request, guard=guard)


def _was_cancelled(run: Run, office: Office) -> bool:
    request = run.operation.request
    state = gateway.fetch_subscription(request["subscription"])
    if state is None or state.status == "canceled":
        return True
    return bool(request["at_period_end"] and state.cancel_at and state.cancel_at == state.current_period_end)


@operation_body("cancel", search=_was_cancelled)
def _cancel(run: Run, office: Office, *, subscription: str, at_period_end: bool) -> None:
    gateway.cancel_subscription(subscription, at_period_end=at_period_end, step=run.step("cancel"))
