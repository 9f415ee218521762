"""Pause and resume the collection of an Office's invoices. Its status at Stripe and its access do not change.

This is not Stripe's status ``paused``. That is a trial that ended without a card.
Source: https://docs.stripe.com/billing/subscriptions/pause-payment
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, Self

from billing import errors, zones
from billing.access.roles import Power
from billing.models import Office
from billing.models.operation import Kind
from billing.models.statuses import InvoicesBecome
from billing.operations.engine.declaration import Asked, Moves, OnSubscription, Outcome, asked_for
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.subscriptions.later_days import check_later
from billing.operations.subscriptions.live_subscription import require_live, was_updated
from billing.stripe_api import charging, gateway


@operation
@dataclass(frozen=True, kw_only=True)
class PauseCollection(OnSubscription):
    """Pause collection, so that new invoices are not collected. Money does not move.
    Status and access do not change. Only for the vendor's staff.

    The pause lasts until a given time, or until somebody resumes collection. New
    invoices become drafts (charged later), void (never charged), or uncollectible (written off). Invoices that are
    open now stay open. Repeating is a no-op.

    Raises:
        NoLiveSubscription, ManagedBySchedule, DateInvalid.
        DeterminationMissing: it is already paused, and the new terms could charge earlier.
    """

    kind = Kind.PAUSE_COLLECTION
    done = "paused collection"
    money = Moves.LATER
    needs, asks_to = Power.OPERATE, "pause or resume the collection of invoices"

    invoices_become: Literal["keep_as_draft", "void", "mark_uncollectible"] = field(
        metadata=asked_for("What new invoices become during the pause: drafts, void, or written off")
    )
    until: datetime | None = field(default=None, metadata=asked_for("Null: until somebody resumes it", nullable=True))

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.has_live_subscription

    def naming(self, subject: Office) -> Self:
        until = self.until.replace(microsecond=0) if self.until else None  # Stripe counts seconds
        return replace(super().naming(subject), until=until)

    def already_so(self, subject: Office, asked: Asked) -> bool:
        present = (subject.collection_paused, subject.collection_paused_until)
        return subject.has_live_subscription and present == (self.invoices_become, self.until)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        if self.until:
            past = "Choose a date in the future for the end of the pause."
            check_later(self.until, what="The end of the pause", past=past)
        if subject.collection_paused:
            charging.require_determination()
        return self

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        """The invoices of the pause, unless they stay drafts."""
        current = subject.current_subscription
        if self.invoices_become == InvoicesBecome.KEEP_AS_DRAFT or current is None:
            return None
        resumes = self.until
        until = f"until {zones.day(resumes, subject.time_zone)}" if resumes else "until somebody resumes collection"
        as_what = "void" if self.invoices_become == InvoicesBecome.VOID else "written off as a loss"
        return loss(
            f"The Office keeps its service, and {current.monthly} a month is not collected {until}. The invoices of "
            f"this time become {as_what}, and are never charged."
        )

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.pause_collection(
            self.subscription,
            invoices_become=self.invoices_become,
            until=self.until,
            operation=run.id,
            step=run.step("pause_collection"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


@operation
@dataclass(frozen=True, kw_only=True)
class ResumeCollection(OnSubscription):
    """Resume collection, from the next invoice on. Only for the vendor's staff.

    **Money moves** with the next invoice. Drafts from the pause stay drafts until somebody finalises them. Repeating
    is refused.

    Raises: NoLiveSubscription, ManagedBySchedule, CollectionNotPaused.
    """

    kind = Kind.RESUME_COLLECTION
    done = "resumed collection"
    money = Moves.LATER
    needs, asks_to = PauseCollection.needs, PauseCollection.asks_to
    needs_determination = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.has_live_subscription and bool(subject.collection_paused)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        if not subject.collection_paused:
            raise errors.CollectionNotPaused(subject)
        return self

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.resume_collection(
            self.subscription, operation=run.id, step=run.step("resume_collection")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)
