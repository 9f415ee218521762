"""Cancel a subscription at the end of its period, now, or on a date. Take a cancellation back."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from billing import coming, errors, zones
from billing.durations import days_between
from billing.models import Office
from billing.models.operation import Kind
from billing.models.statuses import FINAL
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnSubscription, Outcome, Previewed, asked_for
from billing.operations.engine.losses import Loss, loss, of_paid_time
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing
from billing.operations.engine.steps import Run
from billing.operations.subscriptions.later_days import check_later
from billing.operations.subscriptions.live_subscription import require_live, state_of, was_updated
from billing.stripe_api import charging, gateway


@operation
@dataclass(frozen=True, kw_only=True)
class CancelSubscription(OnSubscription):
    """Cancel the subscription so that it does not renew, or end it now. Money does not move.

    With ``at_period_end`` the Office keeps service until ``current_period_end``. Otherwise service ends now, without a
    refund. Repeating is a no-op.

    Raises:
        NoLiveSubscription.
        ManagedBySchedule: only an end at once is possible.
    Source: https://docs.stripe.com/billing/subscriptions/cancel
    """

    kind = Kind.CANCEL_SUBSCRIPTION
    done = "cancelled the subscription"
    can_end_schedule = True

    at_period_end: bool = field(
        default=True,
        metadata=asked_for(
            "true: service continues until the end of the paid period. false: service ends now, without a refund"
        ),
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.has_live_subscription

    @property
    def despite_schedule(self) -> bool:
        return not self.at_period_end  # an end at once ends the schedule too

    def already_so(self, subject: Office, asked: Asked) -> bool:
        ends, period = subject.cancel_at, subject.current_period_end
        return self.at_period_end and subject.has_live_subscription and ends is not None and ends == period

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        return _loses(subject, subject.current_period_end if self.at_period_end else at, at)

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return before, _ending(subject, before, subject.current_period_end if self.at_period_end else None)

    def ask(self, run: Run) -> None:
        gateway.subscriptions.cancel_subscription(
            self.subscription, at_period_end=self.at_period_end, step=run.step("cancel")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        state = gateway.subscriptions.fetch_subscription(self.subscription)
        if state is None or state.status in FINAL:
            return Outcome.DONE
        return Outcome.of(self.at_period_end and state.cancel_at == state.current_period_end is not None)


@operation
@dataclass(frozen=True, kw_only=True)
class CancelOnDate(Previewed[Office], OnSubscription):
    """Cancel the subscription at a given time. It renews until then. Money does not move now.

    Paid time is not refunded. Periods that begin before the end are still charged, the last one in part: the preview
    shows the first of these invoices. Repeating is a no-op.

    Raises:
        NoLiveSubscription, ManagedBySchedule, DateInvalid.
        DeterminationMissing: it would end later than it does now, so that more is charged.
    Source: https://docs.stripe.com/billing/subscriptions/cancel
    """

    kind = Kind.CANCEL_ON_DATE
    done = "cancelled the subscription on a date"
    money = Moves.LATER

    at: datetime = field(metadata=asked_for("The moment when service ends"))

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.has_live_subscription

    def naming(self, subject: Office) -> Self:
        return replace(super().naming(subject), at=self.at.replace(microsecond=0))  # Stripe counts seconds

    def already_so(self, subject: Office, asked: Asked) -> bool:
        return subject.has_live_subscription and subject.cancel_at == self.at

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        past = "Choose a date in the future. To end it today, cancel it now."
        check_later(self.at, what="The end of the subscription", past=past)
        if subject.cancel_at and subject.cancel_at < self.at:
            charging.require_determination()
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        return _loses(subject, self.at, at)

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return before, _ending(subject, before, self.at)

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the next invoice, which the subscription is still charged if it ends then.

        Raises: NoFurtherInvoice: it ends before its next invoice, so nothing more is charged.
        """
        renews_at = subject.current_period_end
        if renews_at is None or self.at <= renews_at:
            raise errors.NoFurtherInvoice(subject)
        invoice = gateway.subscription_terms.preview_end(self.subscription, self.at)
        ends = zones.end(self.at, subject.time_zone)
        return previews.shown(
            invoice,
            now=False,
            at=renews_at,
            as_of=as_of,
            of=subject,
            says=f"The subscription renews until it ends on {ends}. Each period until then is charged when it begins.",
        )

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.end_subscription_on(
            self.subscription, self.at, operation=run.id, step=run.step("cancel_on_date")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


@operation
@dataclass(frozen=True, kw_only=True)
class ResumeRenewal(OnSubscription):
    """Take the cancellation back so that the subscription renews. Money does not move now.

    **Money moves** with the next renewal. A subscription that has already ended stays ended. Repeating is refused.

    Raises: DeterminationMissing, NoLiveSubscription, ManagedBySchedule, NotCancelling.
    Source: https://docs.stripe.com/billing/subscriptions/cancel#reactivating-canceled-subscriptions
    """

    kind = Kind.RESUME_RENEWAL
    done = "took the cancellation back"
    money = Moves.LATER
    needs_determination = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.has_live_subscription and subject.cancel_at is not None

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        if subject.cancel_at is None:
            raise errors.NotCancelling(subject)
        return self

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.resume_renewal(
            state_of(self.subscription), operation=run.id, step=run.step("resume_renewal")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


def _loses(office: Office, ends: datetime | None, at: datetime) -> Loss:
    """Return what the Office loses if its subscription ends at ``ends``, and it is ``at`` now."""
    if ends is None:
        return loss("Service ends with the paid period.")
    what = "This subscription" if office.also_live else "Service"
    when = "now" if ends <= at else f"on {zones.end(ends, office.time_zone)}"
    stays = f"{office.debts_in_words} stays due. Open invoices are not voided." if office.owes_something else ""
    beside = "Another subscription is live beside it, and stays." if office.also_live else ""
    if office.is_trialing and office.trial_end and ends < office.trial_end:
        given_up = f"{what} ends {when}, {days_between(ends, office.trial_end)} before the trial ends."
        return loss(given_up, beside, stays)
    period = office.current_period_end
    if period and ends < period:
        lost = of_paid_time(office, ends, says=f"{what} ends {when}")
        return replace(lost, says=(*lost.says, *filter(None, (beside, stays))))
    return loss(f"{what} ends {when}. Time that is paid is not lost.", beside, stays)


def _ending(office: Office, before: Standing, ends: datetime | None) -> Standing:
    """Return the standing after a cancellation. ``ends`` is None if it ends now."""
    if ends is None:
        return Standing(credit=before.credit)
    return replace(before, ends=ends, next_charge=coming.charge_at(office, office.current_period_end, ends=ends))
