"""Give, make and remove a discount. Coupons for many Offices and promotion codes are made in Stripe's dashboard."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, Self

from billing import errors
from billing.access.roles import Power
from billing.discounts import Discount
from billing.models import Office
from billing.models.operation import Kind
from billing.money import Money, is_too_little
from billing.operations.engine import previews
from billing.operations.engine.declaration import (
    FILLED_IN,
    Asked,
    Moves,
    OnSubscription,
    Outcome,
    Previewed,
    asked_for,
)
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing
from billing.operations.engine.steps import Run
from billing.operations.money.amounts import check_decimals
from billing.operations.subscriptions import coupons
from billing.operations.subscriptions.live_subscription import price_of, require_live, state_of, was_updated
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import PreviewedInvoice, SubscriptionState
from billing.text.gate import Typed

MOST_PERCENT, MOST_MONTHS = 100, 36
MOST_AMOUNT = 1_000_000
"""Minor units: 10,000.00 in most currencies. More is probably a mistake."""
DURATIONS = {"once": "once", "months": "repeating", "forever": "forever"}
"""Stripe's words for how long a discount lasts."""


@operation
@dataclass(frozen=True, kw_only=True)
class ApplyDiscount(coupons.Redeeming, Previewed[Office], OnSubscription):
    """Give the discount of this code, from the next invoice on. Money does not move now.

    It replaces the discounts of the subscription, which the preview names. Those of single prices of it stay.

    Repeating asks Stripe for the same discount again.

    Raises:
        NoLiveSubscription, ManagedBySchedule, NoFurtherInvoice.
        CouponUnknown: no such code can be redeemed.
        CouponInOtherCurrency: it takes off an amount, and none in the subscription's currency.
        CouponNeedsMore, CouponForFirstTime: a condition of the code is not met.
        StripeRejected: the code is not for this Office or its plan.
    Source: https://docs.stripe.com/billing/subscriptions/coupons
    """

    kind = Kind.APPLY_DISCOUNT
    done = "gave a discount"
    code_in = "code"
    money = Moves.LATER
    needs_determination = True

    code: str = field(
        metadata=asked_for(
            "A promotion code. The vendor's staff may also give a coupon's id", longest=200, typed=Typed.CODE
        )
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return subject.renews

    def naming(self, subject: Office) -> Self:
        return replace(super().naming(subject), code=self.code.strip())

    def prepare(self, subject: Office, asked: Asked) -> Self:
        _check_next_invoice(subject)
        return self

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the next invoice with the discount of this code and no other, and say which discounts it replaces."""
        state = state_of(self.subscription)
        coupon = coupons.redeemable(
            self.code,
            subject,
            by=asked.by,
            currency=state.currency,
            price=price_of(state),
            subscription=self.subscription,
        )
        invoice = gateway.subscription_terms.preview_discount(self.subscription, coupon)
        says = f"Discount: {coupon.discount.in_words(subject.time_zone)}."
        if replaced := _in_words(state, subject):
            says += f" It replaces: {replaced}."
        return _next_invoice(subject, invoice, as_of, says=says, discount=coupon.discount.in_words(subject.time_zone))

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return _compared(before, seen)

    def ask(self, run: Run) -> None:
        state = state_of(self.subscription)
        coupon = coupons.to_redeem(
            self.code,
            run,
            step="apply_discount",
            currency=state.currency,
            price=price_of(state),
            subscription=self.subscription,
        )
        gateway.subscription_terms.set_discount(
            self.subscription, coupon, operation=run.id, step=run.step("apply_discount")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


@operation
@dataclass(frozen=True, kw_only=True)
class MakeDiscount(Previewed[Office], OnSubscription):
    """Make a discount for this Office alone and give it, from the next invoice on. Money does not move now.

    It takes off ``percent``, or ``amount`` minor units of the subscription's currency: ``once``, for some ``months``,
    or without an end. At Stripe it is a coupon that can be redeemed once. It replaces the discounts of the
    subscription. Those of single prices of it stay. Repeating makes and gives another one, unless it confirms the same
    preview (``as_of``). Only for who may give money back: a discount can take off everything, and has no end.

    Raises:
        NoLiveSubscription, ManagedBySchedule, NoFurtherInvoice, AmountInvalid, DiscountInvalid.
        StripeRejected: the discount could not be given; the coupon is deleted again.
    Source: https://docs.stripe.com/api/coupons/create
    """

    kind = Kind.MAKE_DISCOUNT
    done = "made a discount and gave it"
    money = Moves.LATER
    needs, asks_to = Power.GIVE_BACK, "make a discount"
    needs_determination = True
    not_in_api = "The vendor's staff make discounts in the back office. An Office redeems codes."

    percent: int | None = field(default=None, metadata=asked_for("A whole percentage", least=1, nullable=True))
    amount: int | None = field(default=None, metadata=asked_for("Minor units", least=1, nullable=True))
    lasts: Literal["once", "months", "forever"] = field(default="once", metadata=asked_for("How long it lasts"))
    months: int | None = field(default=None, metadata=asked_for("For how many months", least=1, nullable=True))
    currency: str = field(default="", metadata=FILLED_IN)

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return ApplyDiscount.offered(subject)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        _check_next_invoice(subject)
        if (self.percent is None) == (self.amount is None):
            raise errors.DiscountInvalid("Give either a percentage or an amount.")
        if self.percent is not None and not 1 <= self.percent <= MOST_PERCENT:
            raise errors.DiscountInvalid(f"The percentage must be a whole number from 1 to {MOST_PERCENT}.")
        if self.amount is not None:
            most = Money(MOST_AMOUNT, subject.currency)
            if not 1 <= self.amount <= MOST_AMOUNT:
                raise errors.DiscountInvalid(f"The amount must be above zero, and at most {most}.")
            check_decimals(self.amount, subject.currency)
        if self.lasts == "months" and not (self.months and 1 <= self.months <= MOST_MONTHS):
            raise errors.DiscountInvalid(f"The number of months must be from 1 to {MOST_MONTHS}.")
        months = self.months if self.lasts == "months" else None
        return replace(self, months=months, currency=subject.currency)

    @property
    def discount(self) -> Discount:
        percent = None if self.percent is None else Decimal(self.percent)
        amount = Money(self.amount if self.amount is not None else 0, self.currency)
        return Discount(percent, amount, DURATIONS[self.lasts], months=self.months)

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the next invoice with this discount and no other, and say which discounts it replaces.

        The coupon is not made yet. So Stripe shows the invoice without a discount, and it is taken off here.
        """
        state = state_of(self.subscription)
        whole = gateway.subscription_terms.preview_discount(self.subscription, None)
        words = self.discount.in_words(subject.time_zone)
        says = f"Discount: {words}."
        if replaced := _in_words(state, subject):
            says += f" It replaces: {replaced}."
        if whole.tax:
            says += " The tax is about this much: Stripe calculates it when it makes the invoice."
        return _next_invoice(subject, _lowered(whole, self.discount), as_of, says=says, discount=words)

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return _compared(before, seen)

    def ask(self, run: Run) -> None:
        made = gateway.coupons.make_coupon(self.discount, operation=run.id, step=run.step("make_coupon"))
        try:
            gateway.subscription_terms.set_discount(
                self.subscription, made, operation=run.id, step=run.step("apply_discount")
            )
        except errors.StripeRejected:
            gateway.coupons.remove_coupon(made, step=run.step("remove_coupon"))
            raise

    def settle_unknown(self, run: Run) -> Outcome:
        """Find out whether it was given. A coupon that was made and not given is deleted."""
        outcome = was_updated(run, self.subscription)
        made = gateway.coupons.made_by(run.id) if outcome is Outcome.NOT_DONE else None
        if made:
            gateway.coupons.remove_coupon(made, step=run.step("remove_coupon"))
        return outcome


@operation
@dataclass(frozen=True, kw_only=True)
class RemoveDiscount(Previewed[Office], OnSubscription):
    """Remove the discount, so that the next invoice is charged in full. Money does not move now.

    Repeating is refused.

    Raises: NoLiveSubscription, ManagedBySchedule, NoDiscount.
    """

    kind = Kind.REMOVE_DISCOUNT
    done = "removed the discount"
    money = Moves.LATER
    needs_determination = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        current = subject.current_subscription
        return subject.has_live_subscription and current is not None and current.discount_count > 0

    def prepare(self, subject: Office, asked: Asked) -> Self:
        require_live(subject)
        current = subject.current_subscription
        if current is None or not current.discount_count:
            raise errors.NoDiscount(subject)
        return self

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the next invoice without the discounts, and say which they were.

        Raises: NoFurtherInvoice.
        """
        _check_next_invoice(subject)
        removed = _in_words(state_of(self.subscription), subject)
        invoice = gateway.subscription_terms.preview_discount(self.subscription, None)
        return _next_invoice(subject, invoice, as_of, says=f"Removed: {removed}." if removed else "")

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        return before, replace(before, discount="")

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.set_discount(
            self.subscription, None, operation=run.id, step=run.step("remove_discount")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


def _lowered(whole: PreviewedInvoice, discount: Discount) -> PreviewedInvoice:
    """Return the invoice with what the discount takes off. Its taxes are lowered by the same part, rounded half up."""
    off = discount.taken_off(Money(max(whole.subtotal, 0), whole.currency)).amount
    left = Decimal(whole.subtotal - off) / whole.subtotal if whole.subtotal > 0 else Decimal(1)

    def part(tax: int) -> int:
        return int((tax * left).quantize(Decimal(1), ROUND_HALF_UP))

    tax, within = part(whole.tax), part(whole.tax_within)
    on_top_less = (whole.tax - whole.tax_within) - (tax - within)
    total = whole.total - off - on_top_less
    from_balance = whole.total - whole.amount_due - whole.put_off  # credit that is used; below zero, a debt
    due = max(total - from_balance, 0)
    put_off = due if is_too_little(due, whole.currency) else 0
    return replace(
        whole,
        discount=whole.discount + off,
        tax=tax,
        tax_within=within,
        total=total,
        amount_due=due - put_off,
        put_off=put_off,
    )


def _in_words(state: SubscriptionState, office: Office) -> str:
    """Return the discounts that the subscription has of its own. "" if it has none."""
    return " and ".join(one.in_words(office.time_zone) for one in state.discounts)


def _next_invoice(
    office: Office, invoice: PreviewedInvoice, as_of: datetime, *, says: str, discount: str = ""
) -> Preview:
    seen = previews.shown(invoice, now=False, at=office.current_period_end, as_of=as_of, of=office, says=says)
    return replace(seen, discount_afterwards=discount)


def _compared(before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
    return (before, replace(before, discount=seen.discount_afterwards)) if seen else None


def _check_next_invoice(office: Office) -> None:
    require_live(office)
    if office.ends_with_this_period:
        raise errors.NoFurtherInvoice(office)
