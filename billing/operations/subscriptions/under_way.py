"""What is under way: a subscription that is live, one that waits for its first payment, or a schedule that starts one.

A person in Stripe's dashboard, a payment link or an older integration can make one too. With a second one the Office
could pay twice, so a start is refused by what our rows show, and again by what Stripe shows when it is asked.
Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from billing import errors, schedules
from billing.access import grants
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.look import look
from billing.models import Office, Subscription
from billing.models.operation import Kind
from billing.models.statuses import FINAL, LIVE, InvoiceStatus, SubscriptionStatus
from billing.operations.engine.declaration import FILLED_IN, Asked, OnOffice, Outcome
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.money.documents import open_document
from billing.operations.offices.open_links import close_payment_link, link_of
from billing.present_subscription import in_order
from billing.stripe_api import gateway


@operation
@dataclass(frozen=True, kw_only=True)
class EndWaitingSubscription(OnOffice[Office]):
    """End a subscription that waits for its first payment, so that nobody can pay it any more. Money does not move.

    Its first invoice is voided. If somebody pays at this moment, Stripe refuses that: then the subscription is live
    and stays so. If several wait, the newest one is ended. Repeating is refused.

    Raises:
        NothingWaiting.
        SubscriptionBegan: it was paid at this moment, and nothing was ended.
    Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
    """

    kind = Kind.END_WAITING_SUBSCRIPTION
    done = "ended the waiting subscription"

    subscription: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return waiting_of(subject) is not None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        waiting = waiting_of(subject)
        if waiting is None:
            raise errors.NothingWaiting(subject)
        return replace(self, subscription=waiting.stripe_id)

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        waiting = waiting_of(subject)
        what = f": {waiting.items_in_words}" if waiting and waiting.items_in_words else ""
        return loss(f"The subscription that waits never begins{what}. Its first invoice becomes void.")

    def ask(self, run: Run) -> None:
        link, state = link_of(run.office), gateway.subscriptions.fetch_subscription(self.subscription)
        if link and state and link.operation == state.operation:  # else its page could be paid again
            close_payment_link(link, run)
        if not end_waiting(self.subscription, run):
            run.office = look(run.office)
            raise errors.SubscriptionBegan

    def settle_unknown(self, run: Run) -> Outcome:
        state = gateway.subscriptions.fetch_subscription(self.subscription)
        return Outcome.of(state is None or state.status in FINAL)


def waiting_of(office: Office) -> Subscription | None:
    """Return the newest subscription of our rows that waits for its first payment, whether or not another is live."""
    return office.subscriptions.filter(status=SubscriptionStatus.INCOMPLETE, deleted_at=None).first()


def payment_page(office: Office, *, by: Actor) -> str:
    """Fetch the address at Stripe where the first payment of the waiting subscription is completed.

    It is for a person who may use it, and it is not stored. The audit trail says who opened it.
    Raises: NotPermitted, NothingWaiting, NoDocument, StripeRejected, StripeUnavailable.
    """
    grants.require(by, Power.MANAGE, office)
    waiting = waiting_of(office)
    invoice = waiting.invoices.filter(status=InvoiceStatus.OPEN, deleted_at=None).first() if waiting else None
    if invoice is None:
        raise errors.NothingWaiting(office)
    return open_document(invoice, "page", by=by)


def can_start(office: Office) -> bool:
    """Return whether our rows let a subscription start: the same as ``refuse_second``, and Stripe has the customer."""
    if office.has_live_subscription or office.customer_deleted_at or schedules.coming(office):
        return False
    found = office.subscriptions.filter(status__in=(*LIVE, SubscriptionStatus.INCOMPLETE), deleted_at=None)
    return not found.exists()


def refuse_second(office: Office, *, but: Collection[str] = ()) -> None:
    """Check by our rows that no subscription is live or waits, leaving out those with these ids at Stripe.

    Nor may a schedule start one later. Raises: LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts.
    """
    found = office.subscriptions.filter(status__in=(*LIVE, SubscriptionStatus.INCOMPLETE), deleted_at=None)
    rows = in_order(found.exclude(stripe_id__in=but))
    if live := [row for row in rows if row.is_live]:
        raise errors.LiveSubscriptionExists(" and ".join(row.in_words for row in live))
    if rows:
        raise errors.SubscriptionWaiting(rows[0].in_words, rows[0].created_at, office.time_zone)
    if coming := schedules.coming(office):
        raise errors.ScheduleStarts(" ".join(schedules.told_of_coming(one, office.time_zone) for one in coming))


def refuse_second_at_stripe(office: Office, *, made_by: str = "") -> None:
    """Ask Stripe whether a subscription is live, waits or is scheduled now. If so, our rows show it afterwards.

    Schedules are asked for first: one that starts in between is a subscription in the second answer. What the operation
    ``made_by`` made is left out. Raises: LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts.
    """
    customer = office.payment_provider_customer_id
    if not customer:
        return
    coming = {one.id for one in gateway.schedules.not_started(customer)}
    found = gateway.subscriptions.under_way(customer)
    own = {one.id for one in found if made_by and one.operation == made_by}
    if coming or len(found) > len(own):
        refuse_second(look(office, schedules=coming), but=own)


def end_waiting(subscription: str, run: Run) -> bool:
    """End a subscription that waits for its first payment. Return False if it was paid meanwhile: then it is live.

    Its first invoice is voided first, which Stripe refuses once it is paid. Only after that nobody can pay any more,
    and only then the subscription is cancelled, unless the void has ended it. So none is ever paid and cancelled.

    Raises: StripeRejected: the invoice was neither voided nor paid, so nothing was done.
    """
    found = gateway.subscriptions.fetch_with_invoice(subscription)
    if found and found.waits_for_payment:
        refused: errors.StripeRejected | None = None
        try:
            gateway.invoices.void_invoice(found.invoice_id, step=run.step("void_first"))
        except errors.StripeRejected as error:
            refused = error
        found = gateway.subscriptions.fetch_with_invoice(subscription)
        if refused and found and found.waits_for_payment:
            raise refused
    if found is None or found.state.status in FINAL:
        return True
    if found.state.status != SubscriptionStatus.INCOMPLETE and found.invoice_status != InvoiceStatus.VOID:
        return False
    gateway.subscriptions.cancel_subscription(subscription, at_period_end=False, step=run.step("undo"))
    return True
