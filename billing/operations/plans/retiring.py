"""Rename a plan, and retire a price or a plan. Offices that have it keep it."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from billing import clock, errors
from billing.models import Plan
from billing.models.plan_operation import PlanKind
from billing.operations.engine.declaration import FILLED_IN, Asked, Outcome, asked_for
from billing.operations.plans.declared import OnPlan, PlanRun, on_plan
from billing.operations.plans.prices import (
    archive,
    is_archived,
    mirror_archived,
    price_of,
    require_sold,
    retire,
    sell_again,
)
from billing.stripe_api import gateway, mirror
from billing.text.gate import Typed


@on_plan
@dataclass(frozen=True, kw_only=True)
class RenamePlan(OnPlan):
    """Give a plan another name, here and at Stripe. Invoices that are made from then on have it.

    No money moves. Repeating is refused, because nothing would change.

    Raises: NothingToChange, PlanRetired, TextNotNeutral.
    Source: https://docs.stripe.com/api/products/update
    """

    kind = PlanKind.RENAME_PLAN
    done = "renamed a plan"

    name: str = field(
        default="", metadata=asked_for("Printed on invoices and card statements", longest=100, typed=Typed.PLAN_NAME)
    )
    product: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Plan) -> bool:
        return subject.archived_at is None

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        require_sold(subject)
        if self.name == subject.name:
            raise errors.NothingToChange("the plan has this name.")
        return replace(self, product=subject.stripe_product_id or "")

    def ask(self, run: PlanRun) -> None:
        if self.product:
            gateway.catalogue.rename_product(self.product, self.name, step=run.step("rename"))

    def settle_unknown(self, run: PlanRun) -> Outcome:
        return Outcome.of(not self.product or gateway.catalogue.name_of_product(self.product) == self.name)

    def apply(self, run: PlanRun) -> None:
        run.plan.name = self.name
        run.plan.save(update_fields=["name", "name_folded"])
        if self.product:
            mirror.product(run.plan, active=True)


@on_plan
@dataclass(frozen=True, kw_only=True)
class RetirePrice(OnPlan):
    """Stop selling at a price, here and at Stripe. Offices that pay it keep it. No money moves.

    Repeating is refused: the price is retired.

    Raises: PlanUnknown.
    Source: https://docs.stripe.com/products-prices/manage-prices#archive-price
    """

    kind = PlanKind.RETIRE_PRICE
    done = "retired a price"

    price: str = field(default="", metadata=asked_for("The id of the price", longest=36))
    until: datetime | None = field(default=None, metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Plan) -> bool:
        return subject.archived_at is None and subject.prices.unretired(clock.billing()).exists()

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        return replace(self, until=price_of(subject, self.price).active_until)

    def intend(self, plan: Plan) -> Plan:
        retire(plan.prices.get(public_id=self.price))
        return plan

    def ask(self, run: PlanRun) -> None:
        archive(run.price(self.price), run)

    def settle_unknown(self, run: PlanRun) -> Outcome:
        return Outcome.of(is_archived(run.price(self.price)))

    def apply(self, run: PlanRun) -> None:
        mirror_archived(run.price(self.price))

    def undo(self, run: PlanRun) -> None:
        sell_again(run.price(self.price), until=self.until)


@on_plan
@dataclass(frozen=True, kw_only=True)
class RetirePlan(OnPlan):
    """Stop selling a plan, at any price, here and at Stripe. Offices that have it keep it. No money moves.

    Repeating is refused: the plan is retired.

    Raises: PlanRetired.
    Source: https://docs.stripe.com/api/products/update#update_product-active
    """

    kind = PlanKind.RETIRE_PLAN
    done = "retired a plan"

    product: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Plan) -> bool:
        return subject.archived_at is None

    def prepare(self, subject: Plan, asked: Asked) -> Self:
        require_sold(subject)
        return replace(self, product=subject.stripe_product_id or "")

    def intend(self, plan: Plan) -> Plan:
        """Write it before Stripe is asked, so that a look finds no difference."""
        plan.archived_at = clock.billing()
        plan.save(update_fields=["archived_at"])
        return plan

    def ask(self, run: PlanRun) -> None:
        if self.product:
            gateway.catalogue.archive_product(self.product, step=run.step("retire"))

    def settle_unknown(self, run: PlanRun) -> Outcome:
        return Outcome.of(not self.product or not gateway.catalogue.is_product_for_sale(self.product))

    def apply(self, run: PlanRun) -> None:
        if self.product:
            mirror.product(run.plan, active=False)

    def undo(self, run: PlanRun) -> None:
        run.plan.archived_at = None
        run.plan.save(update_fields=["archived_at"])
