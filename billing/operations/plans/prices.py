"""Make a plan, add a price to it, publish what is not at Stripe yet. A price is never changed: another replaces it."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Self

from billing import clock, errors
from billing.models import Plan, PlanPrice
from billing.models.plan_operation import PlanKind
from billing.money import CURRENCIES, why_not_taken
from billing.operations.engine.declaration import FILLED_IN, Asked, Outcome, asked_for
from billing.operations.plans.declared import OnPlan, PlanRun, is_lost, on_plan
from billing.stripe_api import gateway, mirror
from billing.text.gate import Typed

EXAMPLE_SEATS = 16
"""How many seats an Office has in what is repeated back, so that an amount that is wrong is seen."""


@dataclass(frozen=True, kw_only=True)
class Publishing(OnPlan):
    """What asks Stripe for a product and for a price. ``price`` is the id of the plan price. Empty: there is none."""

    price: str = field(default="", metadata=FILLED_IN)
    new_plan: bool = field(default=False, metadata=FILLED_IN)

    def published(self, run: PlanRun) -> list[PlanPrice]:
        """Return the plan's prices that it publishes."""
        return [run.price(self.price)] if self.price else []

    def ask(self, run: PlanRun) -> None:
        plan = run.plan
        if plan.stripe_product_id is None:
            _keep(plan, "stripe_product_id", gateway.catalogue.create_product(plan, step=run.step("product")))
        for price in self.published(run):
            if price.stripe_price_id is None:
                step = run.step(f"price {price.code}")
                _keep(price, "stripe_price_id", gateway.catalogue.create_price(price, step=step))

    def settle_unknown(self, run: PlanRun) -> Outcome:
        """Look for what was made, and ask for what was never asked for."""
        plan = run.plan
        if plan.stripe_product_id is None and (found := gateway.catalogue.product_made_for(plan)):
            _keep(plan, "stripe_product_id", found)
        for price in self.published(run):
            if price.stripe_price_id is None and (found := gateway.catalogue.price_made_for(price)):
                _keep(price, "stripe_price_id", found)
        try:
            self.ask(run)
        except errors.StripeUnavailable as error:
            if not is_lost(error):
                raise
        return Outcome.of(self.is_done(run))

    def is_done(self, run: PlanRun) -> bool:
        """Return whether all of it is at Stripe."""
        missing = any(price.stripe_price_id is None for price in self.published(run))
        return run.plan.stripe_product_id is not None and not missing

    def apply(self, run: PlanRun) -> None:
        mirror.product(run.plan, active=True)
        for price in self.published(run):
            mirror.price(price)


def _keep(row: Plan | PlanPrice, name: str, stripe_id: str) -> None:
    """Write the id at once: an operation that is run again does not make it a second time."""
    setattr(row, name, stripe_id)
    row.save(update_fields=[name])


@dataclass(frozen=True, kw_only=True)
class Priced(Publishing):
    """What makes a price. ``unit_amount`` is in minor units of the currency."""

    price_code: str = field(default="", metadata=asked_for("A short name for programs", longest=50, typed=Typed.CODE))
    unit_amount: int = field(default=0, metadata=asked_for("Minor units", least=0))
    currency: str = field(default="", metadata=asked_for("Three letters"))
    interval: Literal["month", "year"] = field(default="month", metadata=asked_for("How often it is charged"))
    interval_count: int = field(default=1, metadata=asked_for("Every so many months or years", least=1))
    per_seat: bool = field(default=False, metadata=asked_for("Charged once for each seat"))

    def check_price(self, plan: Plan) -> None:
        """Raises: AmountInvalid, PlanCodeTaken."""
        if self.currency not in CURRENCIES:
            raise errors.AmountInvalid(
                f"{self.currency.upper()} is not a currency that Stripe takes. Write its three letters, such as USD."
            )
        if self.unit_amount < 0:
            raise errors.AmountInvalid("A price cannot be below zero.")
        if why := why_not_taken(self.unit_amount, self.currency):
            raise errors.AmountInvalid(why)
        if self.interval_count < 1:
            raise errors.AmountInvalid("The number of months or years must be at least 1.")
        if PlanPrice.objects.filter(code=self.price_code).exists():
            raise errors.PlanCodeTaken

    def row(self, plan: Plan) -> PlanPrice:
        """Return the price, which is not saved."""
        return PlanPrice(
            public_id=uuid.UUID(self.price),
            plan=plan,
            code=self.price_code,
            unit_amount=self.unit_amount,
            currency=self.currency,
            interval=self.interval,
            interval_count=self.interval_count,
            per_seat=self.per_seat,
        )

    def in_words(self, plan: Plan) -> list[str]:
        """Return what is sold, in sentences that repeat the amount. ``self`` is prepared."""
        return [f"{plan.name}: {told(self.row(plan))}"]


def told(price: PlanPrice) -> str:
    """Say what is sold: 299.00 USD a month for each seat. An Office with 16 seats pays 4,784.00 USD a month."""
    if price.unit_amount == 0:
        return f"{price.money} {price.in_words}. It is free of charge."
    if not price.per_seat:
        return f"{price.money} {price.in_words}, whatever the number of seats."
    sixteen = price.money.times(EXAMPLE_SEATS)
    return (
        f"{price.money} {price.in_words} for each seat. An Office with {EXAMPLE_SEATS} seats pays {sixteen} "
        f"{price.in_words}."
    )


@on_plan
@dataclass(frozen=True, kw_only=True)
class MakePlan(Priced):
    """Make a plan with its first price, and publish both at Stripe. No money moves. Repeating makes another plan.

    Raises: AmountInvalid, PlanCodeTaken, TextNotNeutral.
    Source: https://docs.stripe.com/products-prices/manage-prices
    """

    kind = PlanKind.MAKE_PLAN  # type: ignore[assignment]
    done = "made a plan"

    name: str = field(
        default="", metadata=asked_for("Printed on invoices and card statements", longest=100, typed=Typed.PLAN_NAME)
    )
    code: str = field(default="", metadata=asked_for("A short name for programs", longest=50, typed=Typed.CODE))

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        if Plan.objects.filter(code=self.code).exists():
            raise errors.PlanCodeTaken
        self.check_price(subject)
        return replace(self, price=str(uuid.uuid4()), new_plan=True)

    def intend(self, plan: Plan) -> Plan:
        plan.name, plan.code = self.name, self.code
        plan.save()
        self.row(plan).save()
        return plan

    def in_words(self, plan: Plan) -> list[str]:
        return super().in_words(Plan(name=self.name))


@on_plan
@dataclass(frozen=True, kw_only=True)
class AddPrice(Priced):
    """Add a price to a plan, and publish it at Stripe. With ``replaces`` the old price is retired after that.

    Offices at the old price keep it until they are moved. No money moves. Repeating is refused: the code is taken.

    Raises: AmountInvalid, PlanCodeTaken, PlanRetired, PlanUnknown.
    Source: https://docs.stripe.com/products-prices/manage-prices#edit-price
    """

    kind = PlanKind.ADD_PRICE  # type: ignore[assignment]
    done = "added a price"

    replaces: str = field(default="", metadata=asked_for("The id of the price that is retired", longest=36))
    replaced_until: datetime | None = field(default=None, metadata=FILLED_IN)

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        require_sold(subject)
        until = price_of(subject, self.replaces).active_until if self.replaces else None
        self.check_price(subject)
        return replace(self, price=str(uuid.uuid4()), replaced_until=until)

    def intend(self, plan: Plan) -> Plan:
        self.row(plan).save()
        return plan

    def ask(self, run: PlanRun) -> None:
        super().ask(run)
        if self.replaces:
            old = run.price(self.replaces)
            retire(old)
            archive(old, run)

    def is_done(self, run: PlanRun) -> bool:
        return super().is_done(run) and (not self.replaces or is_archived(run.price(self.replaces)))

    def apply(self, run: PlanRun) -> None:
        super().apply(run)
        if self.replaces:
            mirror_archived(run.price(self.replaces))

    def undo(self, run: PlanRun) -> None:
        if self.replaces:
            sell_again(run.price(self.replaces), until=self.replaced_until)

    def in_words(self, plan: Plan) -> list[str]:
        said = super().in_words(plan)
        if self.replaces:
            old = price_of(plan, self.replaces)
            said.append(
                f"It replaces {old.money}{' for each seat' if old.per_seat else ''} {old.in_words}, which is "
                "retired. Offices that pay that keep it until you move them."
            )
        return said


@on_plan
@dataclass(frozen=True, kw_only=True)
class PublishPlan(Publishing):
    """Publish a plan and each of its prices that is not at Stripe yet. No money moves. Repeating is refused.

    Raises: NothingToChange, PlanRetired, AmountInvalid.
    """

    kind = PlanKind.PUBLISH_PLAN  # type: ignore[assignment]
    done = "published a plan"

    @classmethod
    def offered(cls, subject: Plan) -> bool:
        return subject.archived_at is None and (
            subject.stripe_product_id is None or subject.prices.unpublished(clock.billing()).exists()
        )

    def published(self, run: PlanRun) -> list[PlanPrice]:
        return list(run.plan.prices.unretired(clock.billing()).select_related("plan"))

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        require_sold(subject)
        if not self.offered(subject):
            raise errors.NothingToChange("the plan and its prices are at Stripe.")
        for price in subject.prices.unpublished(clock.billing()).select_related("plan"):
            if why := why_not_taken(price.unit_amount, price.currency):
                raise errors.AmountInvalid(f"{price}: {why}")
        return self


def require_sold(plan: Plan) -> None:
    """Raises: PlanRetired."""
    if plan.archived_at is not None:
        raise errors.PlanRetired


def price_of(plan: Plan, public_id: str) -> PlanPrice:
    """Return the price of this plan that is not retired. Raises: PlanUnknown."""
    try:
        key = uuid.UUID(public_id)
    except ValueError:
        raise errors.PlanUnknown from None
    found: Any = plan.prices.unretired(clock.billing()).filter(public_id=key).first()
    if found is None:
        raise errors.PlanUnknown
    return found


def retire(price: PlanPrice) -> None:
    """Write that it is not for sale any more. This comes before Stripe is asked, so that a look finds no difference."""
    now = clock.billing()
    if price.active_until is None or price.active_until > now:
        price.active_until = now
        price.save(update_fields=["active_until"])


def archive(price: PlanPrice, run: PlanRun) -> None:
    if price.stripe_price_id:
        gateway.catalogue.archive_price(price.stripe_price_id, step=run.step("retire"))


def is_archived(price: PlanPrice) -> bool:
    state = gateway.catalogue.fetch_price(price.stripe_price_id) if price.stripe_price_id else None
    return state is None or not state.active


def mirror_archived(price: PlanPrice) -> None:
    if price.stripe_price_id:
        mirror.price(price, active=False)


def sell_again(price: PlanPrice, *, until: datetime | None) -> None:
    """Take the retirement back: Stripe said no."""
    price.active_until = until
    price.save(update_fields=["active_until"])
