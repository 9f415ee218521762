"""Give and remove a discount. Coupons and promotion codes are made in Stripe's dashboard."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from billing import errors
from billing.models import Office
from billing.models.operation import Kind
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnSubscription, Outcome, Previewed, asked_for
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.subscriptions import coupons
from billing.operations.subscriptions.live_subscription import price_of, require_live, state_of, was_updated
from billing.stripe_api import gateway
from billing.stripe_api.inbound.states import PreviewedInvoice, SubscriptionState
from billing.text.gate import Typed


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
        return subject.has_live_subscription

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
        return _next_invoice(subject, invoice, as_of, says=says)

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

    def ask(self, run: Run) -> None:
        gateway.subscription_terms.set_discount(
            self.subscription, None, operation=run.id, step=run.step("remove_discount")
        )

    def settle_unknown(self, run: Run) -> Outcome:
        return was_updated(run, self.subscription)


def _in_words(state: SubscriptionState, office: Office) -> str:
    """Return the discounts that the subscription has of its own. "" if it has none."""
    return " and ".join(one.in_words(office.time_zone) for one in state.discounts)


def _next_invoice(office: Office, invoice: PreviewedInvoice, as_of: datetime, *, says: str) -> Preview:
    return previews.shown(invoice, now=False, at=office.current_period_end, as_of=as_of, of=office, says=says)


def _check_next_invoice(office: Office) -> None:
    require_live(office)
    if office.ends_with_this_period:
        raise errors.NoFurtherInvoice(office)
