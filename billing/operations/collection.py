"""Pausing the collection of an Office's invoices. Its status at Stripe, and what it may use, stay as they are.

This is not Stripe's status ``paused``, which is a trial that ended without a card.
Source: https://docs.stripe.com/billing/subscriptions/pause-payment
"""

from datetime import datetime
from typing import Literal

from billing import clock, errors
from billing.access import grants
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.bodies import operation_body
from billing.operations.live import moment, require_live, was_updated, when
from billing.operations.protocol import perform
from billing.operations.run import Run
from billing.stripe_api import charging, gateway

InvoicesBecome = Literal["keep_as_draft", "void", "mark_uncollectible"]
TO = "pause or resume the collection of invoices"


def pause_collection(
    office: Office, *, by: Actor, reason: str, invoices_become: InvoicesBecome, until: datetime | None = None
) -> Office:
    """The office's invoices are not collected until this moment, or until somebody resumes it.

    The subscription's status stays, so the Office keeps its access. New invoices become drafts (to be charged
    later), void (never charged), or are written off as uncollectible. Invoices that are open stay open. Money
    does not move. Repeating is a no-op. The vendor decides it, never the Office itself.

    Raises:
        NotPermitted, NoLiveSubscription, DateInvalid: it was refused before Stripe was asked.
        DeterminationMissing: it is paused already, and the other terms could charge earlier.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """
    until = until.replace(microsecond=0) if until else None
    is_so = (office.collection_paused, office.collection_paused_until) == (invoices_become, until)
    if is_so and office.has_live_subscription and grants.acts_for_vendor(by, "manage_billing"):
        return office

    def guard(fresh: Office) -> None:
        grants.require_vendor(by, "manage_billing", to=TO)
        require_live(fresh)
        if until and until <= clock.billing():
            raise errors.DateInvalid("Collection can be resumed at a date in the future only.")
        if fresh.collection_paused:
            charging.require_determination()

    request = {
        "subscription": office.payment_provider_subscription_id,
        "invoices_become": invoices_become,
        "until": moment(until),
    }
    return perform("pause_collection", office, by=by, reason=reason, request=request, guard=guard)


def resume_collection(office: Office, *, by: Actor, reason: str) -> Office:
    """The office's invoices are collected again, from the next one on: **money moves** then.

    Drafts of the pause stay drafts, until somebody finalises them.

    Raises:
        DeterminationMissing, NotPermitted, NoLiveSubscription, CollectionNotPaused: it was refused before Stripe
            was asked.
        StripeRejected, StripeUnavailable: as ``billing.operations.protocol.perform``.
    """

    def guard(fresh: Office) -> None:
        charging.require_determination()
        grants.require_vendor(by, "manage_billing", to=TO)
        require_live(fresh)
        if not fresh.collection_paused:
            raise errors.CollectionNotPaused(fresh)

    request = {"subscription": office.payment_provider_subscription_id}
    return perform("resume_collection", office, by=by, reason=reason, request=request, guard=guard)


@operation_body("pause_collection", search=was_updated)
def _pause(run: Run, office: Office, *, subscription: str, invoices_become: str, until: str) -> None:
    gateway.pause_collection(
        subscription,
        invoices_become=invoices_become,
        until=when(until),
        operation=run.id,
        step=run.step("pause_collection"),
    )


@operation_body("resume_collection", search=was_updated)
def _resume(run: Run, office: Office, *, subscription: str) -> None:
    gateway.resume_collection(subscription, operation=run.id, step=run.step("resume_collection"))
