"""Change when an Office is charged next: move the end of its trial, or begin a whole period now."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from billing import coming, errors, zones
from billing.access import grants
from billing.access.roles import Power
from billing.durations import days_between
from billing.models import Office
from billing.models.operation import Kind
from billing.models.statuses import SubscriptionStatus
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnSubscription, Outcome, Previewed, asked_for
from billing.operations.engine.losses import Loss, loss, of_paid_time
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing, end_of_lines, with_credit_after
from billing.operations.engine.steps import Run
from billing.operations.subscriptions.later_days import check_later
from billing.operations.subscriptions.live_subscription import (
    PRORATION,
    costs_nothing,
    require_collection,
    require_live,
    was_updated,
)
from billing.stripe_api import gateway

LONGEST_TRIAL_YEARS = 2  # of Stripe's


@operation
@dataclass(frozen=True, kw_only=True)
class MoveTrialEnd(Previewed[Office], OnSubscription):
    """Move the end of the trial to a given time, or end it now. **Money moves** if it ends now.
    Only the vendor's staff may make a trial longer.

    The first period begins when the trial ends, and is charged then. A declined payment changes nothing. Repeating is
    refused.

    Raises:
        NoLiveSubscription, ManagedBySchedule, NotTrialing, DateInvalid, NothingToChange, StaffOnly, CollectionPaused,
            PaymentMethodRequired.
    Source: https://docs.stripe.com/billing/subscriptions/trials
    """

    kind = Kind.MOVE_TRIAL_END
    done = "moved the end of the trial"
    money = Moves.NOW
    needs_determination = True

    at: datetime | None = field(metadata=asked_for("When the trial ends. Null: now", nullable=True))

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.is_trialing

    def naming(self, subject: Office) -> Self:
        at = self.at.replace(microsecond=0) if self.at else None  # Stripe counts seconds
        return replace(super().naming(subject), at=at)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        if not subject.is_trialing or subject.trial_end is None:
            raise errors.NotTrialing(subject)
        if self.at == subject.trial_end:
            raise errors.NothingToChange("the trial already ends at that time.")
        if self.at is None:
            require_collection(subject)
            _require_card(subject, "let the trial continue")
            return self
        past = "A trial must end in the future, or now."
        check_later(self.at, what="The end of the trial", past=past, most_years=LONGEST_TRIAL_YEARS)
        if self.at > subject.trial_end:
            grants.require_vendor(asked.by, Power.OPERATE, to="make a trial longer")
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        """The days of the trial, if it ends earlier."""
        ends, was = self.at or at, subject.trial_end
        if was is None or ends >= was:
            return None
        when = f"on {zones.end(ends, subject.time_zone)}" if self.at else "now"
        return loss(f"The trial ends {when}, {days_between(ends, was)} earlier than planned.")

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        if self.at:
            charged = coming.charge_at(subject, self.at, ends=subject.cancel_at)
            return before, replace(before, trial_end=self.at, next_charge=charged)
        after = replace(before, trial_end=None, next_charge=end_of_lines(seen) if seen else None)
        return before, with_credit_after(after, seen) if seen else after

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the invoice for the end of the trial. Confirm it with its ``as_of``."""
        at = self.at
        invoice = gateway.subscription_terms.preview_trial_end(self.subscription, at)
        before = zones.moment(at, subject.time_zone) if at else ""
        says = f"Nothing is charged before {before}. The Office keeps its access." if at else ""
        return previews.shown(invoice, now=at is None, at=at, as_of=as_of, of=subject, says=says)

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.move_trial_end(
            self.subscription, self.at, operation=run.id, step=run.step("move_trial_end")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


@operation
@dataclass(frozen=True, kw_only=True)
class RestartPeriod(Previewed[Office], OnSubscription):
    """Begin a whole period now. **Money moves.** A declined payment changes nothing.

    Today becomes the billing day. The rest of the current period is credited on the same invoice, or not at all.
    Repeating begins another period and charges again, unless it confirms the same preview (``as_of``).

    Raises:
        NoLiveSubscription, ManagedBySchedule, InTrial, SubscriptionNotChangeable, CollectionPaused,
            PaymentMethodRequired.
    Source: https://docs.stripe.com/billing/subscriptions/billing-cycle
    """

    kind = Kind.RESTART_PERIOD
    done = "began a new period"
    money = Moves.NOW
    needs_determination = True

    credit: Literal["now", "not_at_all"] = field(
        default="now", metadata=asked_for("Credit for the rest of the current period")
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        is_active = subject.subscription_status == SubscriptionStatus.ACTIVE
        return is_active and not subject.collection_paused and not _lacks_card(subject)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        if subject.is_trialing:
            raise errors.InTrial(subject)
        if subject.subscription_status != SubscriptionStatus.ACTIVE:
            raise errors.SubscriptionNotChangeable(subject)
        require_collection(subject)
        _require_card(subject, "let the current period continue")
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        if self.credit == "now":
            return None
        return of_paid_time(subject, at, says="The present period ends now, and no credit is given for its rest")

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return (before, with_credit_after(replace(before, next_charge=end_of_lines(seen)), seen)) if seen else None

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show what a period that begins now would charge. Confirm it with its ``as_of``."""
        invoice = gateway.subscription_terms.preview_restarted_period(
            self.subscription, proration=PRORATION[self.credit], as_of=as_of
        )
        day = zones.day_of(as_of, subject.time_zone).day
        says = f"From now on the period begins on day {day} of a month ({zones.name(subject.time_zone)})."
        return previews.shown(invoice, now=True, at=None, as_of=as_of, of=subject, says=says)

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.restart_period(
            self.subscription,
            proration=PRORATION[self.credit],
            as_of=self.as_of,
            operation=run.id,
            step=run.step("restart_period"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


def _require_card(office: Office, instead: str) -> None:
    if _lacks_card(office):
        raise errors.PaymentMethodRequired(office, instead)


def _lacks_card(office: Office) -> bool:
    """Return whether the present subscription costs something, and nothing is on file to charge."""
    if office.has_payment_method:
        return False
    subscription = office.current_subscription
    return subscription is not None and not costs_nothing(subscription)
