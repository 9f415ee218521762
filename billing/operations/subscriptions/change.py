"""Change what an Office is subscribed to: plan, interval, seats."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from django.db.models import QuerySet

from billing import clock, errors
from billing.access import grants
from billing.access.roles import Power
from billing.durations import days_between
from billing.models import Office, PlanPrice
from billing.models.operation import Kind
from billing.models.statuses import CHANGEABLE, SubscriptionStatus
from billing.money import Money
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnSubscription, Outcome, Previewed, asked_for
from billing.operations.engine.losses import Loss, loss
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing, end_of_lines, with_credit_after
from billing.operations.engine.steps import Run
from billing.operations.subscriptions.live_subscription import (
    PRORATION,
    only_item,
    require_collection,
    require_live,
    state_of,
    was_updated,
)
from billing.operations.subscriptions.start import check_quantity, price_for_sale, public_id
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import ItemState


@operation
@dataclass(frozen=True, kw_only=True)
class ChangeSubscription(Previewed[Office], OnSubscription):
    """Change the plan, the interval or the number of seats. **Money may move.** A declined payment changes nothing.

    What is not given stays, also a price that is not sold any more. ``settle`` says what happens with the difference
    for the rest of the period: it is charged or credited now, it goes on the next invoice, or it is dropped. Only the
    vendor may drop it. Another interval begins a new period, which is charged now. A subscription with several prices
    at Stripe is not changed here. Repeating is refused, because nothing would change.

    Raises:
        NoLiveSubscription, ManagedBySchedule, SubscriptionNotChangeable, PlanUnknown, PriceNotOurs, QuantityInvalid,
            CurrencyMismatch, NothingToChange, StaffOnly, CollectionPaused.
        SeveralItems: it has several prices, or Stripe was asked and shows them.
    Source: https://docs.stripe.com/billing/subscriptions/change-price
    """

    kind = Kind.CHANGE_SUBSCRIPTION
    done = "changed the subscription"
    money = Moves.NOW
    needs_determination = True

    price: str | None = field(
        default=None,
        metadata=asked_for("The id of a plan price, or its code. Default: no change", longest=50, form="price"),
    )
    quantity: int | None = field(default=None, metadata=asked_for("The number of seats. Default: no change", least=1))
    settle: Literal["now", "next_invoice", "not_at_all"] = field(
        default="now",
        metadata=asked_for(
            "What happens with the difference for the rest of the period: charge or credit it now, put it on the next "
            "invoice, or drop it. Only the vendor's staff may drop it",
        ),
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        if not subject.has_live_subscription or subject.subscription_status not in CHANGEABLE:
            return False
        current = subject.current_subscription
        return current is None or not current.has_several_items

    def prepare(self, subject: Office, asked: Asked) -> Self:
        """Return the request with the price and the quantity after the change."""
        require_live(subject)
        if subject.subscription_status not in CHANGEABLE:
            raise errors.SubscriptionNotChangeable(subject)
        current = subject.current_subscription
        if current and len(current.present_items) > 1:
            raise errors.SeveralItems(current.items_in_words)
        old = current.plan_price if current else None
        wanted = self._wanted(subject, old)
        seats = self.quantity
        if seats is None:
            seats = subject.quantity if wanted.per_seat else 1
        check_quantity(wanted, seats)
        if subject.currency and subject.currency != wanted.currency:
            raise errors.CurrencyMismatch(subject, wanted.currency)
        if old == wanted and seats == subject.quantity:
            raise errors.NothingToChange("the Office already has this plan with this number of seats.")
        self._check_settling(subject, old, wanted, asked)
        return replace(self, price=str(wanted.public_id), quantity=seats)

    def _wanted(self, office: Office, old: PlanPrice | None) -> PlanPrice:
        """Return the price after the change. One that stays may be sold no more."""
        if self.price is not None and (old is None or public_id(self.price) != old.public_id):
            return price_for_sale(self.price)
        if old is None:
            raise errors.PriceNotOurs(office)
        return old

    def _check_settling(self, office: Office, old: PlanPrice | None, wanted: PlanPrice, asked: Asked) -> None:
        """Check who may settle it like this. Raises: StaffOnly (``not_at_all``), CollectionPaused (invoiced now)."""
        if self.settle == "not_at_all":
            grants.require_vendor(asked.by, Power.OPERATE, to="drop the difference for the rest of this period")
        another_interval = old is None or _interval(old) != _interval(wanted)
        if not office.is_trialing and (self.settle == "now" or another_interval):
            require_collection(office)

    @property
    def plan_price(self) -> PlanPrice:
        return PlanPrice.objects.get(public_id=self.price or "")

    @property
    def seats(self) -> int:
        if self.quantity is None:
            raise ValueError("The seats are known once the request is prepared.")
        return self.quantity

    def loses(self, subject: Office, at: datetime) -> Loss | None:
        """Less is paid from now on, and the difference for the rest of the period is dropped."""
        current, until = subject.current_subscription, subject.current_period_end
        if self.settle != "not_at_all" or subject.is_trialing or current is None or until is None:
            return None
        less = Money(self.plan_price.monthly_amount(self.seats), self.plan_price.currency)
        if less.amount >= current.monthly_amount:
            return None
        return loss(
            f"The period is paid for {days_between(at, until)} more at {current.monthly} a month. The change to {less} "
            "a month does not give the difference back."
        )

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        after = before.with_plan(self.plan_price, self.seats)
        if seen is None:
            return before, after
        current = subject.current_subscription
        old = current.plan_price if current else None
        begins = seen.now and (old is None or _interval(old) != _interval(self.plan_price))
        after = replace(after, next_charge=end_of_lines(seen)) if begins else after
        return before, with_credit_after(after, seen)

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show exactly what the change would charge or credit. Confirm it with its ``as_of``."""
        wanted = self.plan_price
        current = state_of(self.subscription)
        item = only_item(current)
        invoice = gateway.subscriptions.preview_subscription_change(
            self.subscription, item, wanted, quantity=self.seats, proration=PRORATION[self.settle], as_of=as_of
        )
        another_interval = _interval(item) != _interval(wanted)
        now = self.settle == "now" or another_interval
        trial = current.status == SubscriptionStatus.TRIALING
        return previews.shown(
            invoice,
            of=subject,
            now=now and not trial,
            at=current.current_period_end,
            as_of=as_of,
            says=_says_interval(item, wanted, trial=trial) if another_interval else "",
            afterwards=f"{wanted.money.times(self.seats)} {wanted.in_words}, before taxes and discounts",
        )

    def ask(self, run: Run) -> None:
        gateway.subscriptions.change_subscription(
            self.subscription,
            only_item(state_of(self.subscription)),
            self.plan_price,
            quantity=self.seats,
            proration=PRORATION[self.settle],
            as_of=self.as_of,
            operation=run.id,
            step=run.step("change"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


def _says_interval(old: ItemState, new: PlanPrice, *, trial: bool) -> str:
    before = f"once a {old.interval}" if old.interval_count == 1 else f"every {old.interval_count} {old.interval}s"
    text = f"It is charged {new.how_often} instead of {before}"
    return f"{text}, from the end of the trial on." if trial else f"{text}: a whole {new.every} begins now."


def prices_to_choose(office: Office) -> QuerySet[PlanPrice]:
    """Return the prices that it can have after a change: for sale now, in its currency, and the present one."""
    sold = PlanPrice.objects.for_sale(clock.billing())
    if office.currency:
        sold = sold.filter(currency=office.currency)
    current = office.current_subscription
    if current is None or current.plan_price_id is None:
        return sold
    return sold | PlanPrice.objects.filter(pk=current.plan_price_id)


def _interval(price: PlanPrice | ItemState) -> tuple[str, int]:
    return price.interval, price.interval_count
