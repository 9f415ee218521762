"""When an Office is charged next: its trial ends earlier or later, or a whole period begins now."""

from datetime import datetime, timedelta
from typing import Literal

from billing import clock, errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations import previews
from billing.operations.bodies import operation_body
from billing.operations.live import PRORATION, moment, require_collection, require_live, was_updated, when
from billing.operations.previews import Preview
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway

LONGEST_TRIAL = timedelta(days=730)  # of Stripe's

Credit = Literal["now", "not_at_all"]


def move_trial_end(
    office: Office, at: datetime | None, *, by: Actor, reason: str, as_of: datetime | None = None
) -> Office:
    """The office's trial ends at this moment; without one it ends now, and **money moves**.

    The period begins when the trial ends, and is charged then. A declined card changes nothing. Only the vendor
    gives a longer trial. With ``as_of`` of a preview of the last hour the amounts are the ones that were shown.

    Raises:
        DeterminationMissing, NotPermitted, NoLiveSubscription, NotTrialing, DateInvalid, NothingToChange,
            CollectionPaused, PaymentMethodRequired, PreviewStale: it was refused before Stripe was asked.
        CardDeclined: the card said no; the trial goes on.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/trials
    """
    at = at.replace(microsecond=0) if at else None

    def guard(fresh: Office) -> None:
        charging.require_determination()
        _check_trial_end(fresh, at, by)
        previews.check_unchanged(fresh, as_of)

    request = {"subscription": office.payment_provider_subscription_id, "at": moment(at)}
    return perform("move_trial_end", office, by=by, reason=reason, request=request, guard=guard)


def preview_trial_end(office: Office, at: datetime | None, *, by: Actor) -> Preview:
    """The invoice that the trial's end brings: now, or at this moment. Nothing changes.

    Raises: what ``move_trial_end`` raises before Stripe is asked; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    at = at.replace(microsecond=0) if at else None
    _check_trial_end(office, at, by)
    invoice = gateway.preview_trial_end(office.payment_provider_subscription_id, at)
    says = f"Nothing is charged before {at.day} {at:%B %Y, %H:%M} UTC. The Office keeps its access." if at else ""
    return previews.uncollected(previews.shown(invoice, now=at is None, at=at, as_of=as_of, says=says), office)


def _check_trial_end(office: Office, at: datetime | None, by: Actor) -> None:
    require_live(office)
    if office.subscription_status != "trialing" or office.trial_end is None:
        raise errors.NotTrialing(office)
    if at == office.trial_end:
        raise errors.NothingToChange("the trial ends then already.")
    if at is None:
        require_collection(office)
        _require_card(office, "let the trial go on")
    elif at <= clock.billing():
        raise errors.DateInvalid("A trial ends at a date in the future, or now.")
    elif at > clock.billing() + LONGEST_TRIAL:
        raise errors.DateInvalid("A trial ends within two years.")
    elif at > office.trial_end:
        grants.require_vendor(by, "manage_billing", to="make a trial longer")


def _require_card(office: Office, instead: str) -> None:
    subscription = office.current_subscription
    if not office.has_payment_method and subscription and subscription.monthly_amount:
        raise errors.PaymentMethodRequired(office, instead)


def restart_period(
    office: Office, *, by: Actor, reason: str, credit: Credit = "now", as_of: datetime | None = None
) -> Office:
    """A whole period of the office's subscription begins now, and this is its billing day. **Money moves.**

    What is left of the present period is credited at once, or not at all. A declined card changes nothing. With
    ``as_of`` of a preview of the last hour the amounts are the ones that were shown.

    Raises:
        DeterminationMissing, NoLiveSubscription, InTrial, SubscriptionNotChangeable, CollectionPaused,
            PaymentMethodRequired, PreviewStale: it was refused before Stripe was asked.
        CardDeclined: the card said no; nothing was changed or charged.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        _check_restart(fresh)
        previews.check_unchanged(fresh, as_of)

    request = {"subscription": office.payment_provider_subscription_id, "credit": credit, "as_of": moment(as_of)}
    return perform("restart_period", office, by=by, reason=reason, request=request, guard=guard)


def preview_restarted_period(office: Office, *, by: Actor, credit: Credit = "now") -> Preview:
    """What ``restart_period`` with the same arguments would charge. Nothing changes.

    Raises: what ``restart_period`` raises before Stripe is asked; StripeUnavailable.
    """
    office, as_of = previews.opened(office, by=by)
    charging.require_determination()
    _check_restart(office)
    invoice = gateway.preview_restarted_period(
        office.payment_provider_subscription_id, proration=PRORATION[credit], as_of=as_of
    )
    says = f"From now on the period begins on day {as_of.day} of a month."
    return previews.shown(invoice, now=True, at=None, as_of=as_of, says=says)


def _check_restart(office: Office) -> None:
    require_live(office)
    if office.subscription_status == "trialing":
        raise errors.InTrial(office)
    if office.subscription_status != "active":
        raise errors.SubscriptionNotChangeable(office)
    require_collection(office)
    _require_card(office, "let the present period go on")


@operation_body("move_trial_end", search=was_updated)
def _move_trial_end(run: Run, office: Office, *, subscription: str, at: str) -> None:
    gateway.move_trial_end(subscription, when(at), operation=run.id, step=run.step("move_trial_end"))


@operation_body("restart_period", search=was_updated)
def _restart_period(run: Run, office: Office, *, subscription: str, credit: str, as_of: str) -> None:
    gateway.restart_period(
        subscription,
        proration=PRORATION[credit],
        as_of=when(as_of),
        operation=run.id,
        step=run.step("restart_period"),
    )
