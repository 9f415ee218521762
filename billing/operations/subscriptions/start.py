"""Start a subscription."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from billing import clock, errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit import trail
from billing.models import Office, PlanPrice
from billing.models.operation import Kind
from billing.models.statuses import ENTITLED, InvoiceStatus, SubscriptionStatus
from billing.money import Money
from billing.operations.engine import previews
from billing.operations.engine.declaration import Asked, Moves, OnOffice, Outcome, Previewed, asked_for
from billing.operations.engine.previews import Preview
from billing.operations.engine.registry import operation
from billing.operations.engine.standing import Standing, end_of_lines, with_credit_after
from billing.operations.engine.steps import Run
from billing.operations.offices.customer import customer_made, customer_of, refuse_deleted
from billing.operations.offices.open_links import close_payment_link, link_of
from billing.operations.subscriptions import coupons
from billing.operations.subscriptions.under_way import can_start, end_waiting, refuse_second, refuse_second_at_stripe
from billing.stripe_api import gateway
from billing.stripe_api.gateway.coupons import Coupon
from billing.text.gate import Typed

MOST_SEATS = 10_000
LONGEST_TRIAL_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Start(coupons.Redeeming):
    """Hold the terms with which a subscription starts, by card or by payment link."""

    code_in = "coupon"

    price: str = field(metadata=asked_for("The id of a plan price, or its code", longest=50, form="price"))
    quantity: int = field(default=1, metadata=asked_for(least=1))
    trial_days: int = field(default=0, metadata=asked_for("Only the vendor's staff may give a trial", least=0))
    coupon: str = field(
        default="",
        metadata=asked_for(
            "A promotion code. The vendor's staff may also give a coupon's id",
            longest=200,
            typed=Typed.CODE,
            blank=True,
        ),
    )

    def check(self, office: Office, asked: Asked) -> PlanPrice:
        """Return the price with which a subscription may start. Raises every refusal except a missing card."""
        refuse_deleted(office)
        row = price_for_sale(self.price)
        refuse_second(office)
        check_quantity(row, self.quantity)
        if not 0 <= self.trial_days <= LONGEST_TRIAL_DAYS:
            raise errors.QuantityInvalid(f"A trial must be 0 to {LONGEST_TRIAL_DAYS} days.")
        if self.trial_days:
            grants.require_vendor(asked.by, Power.OPERATE, to="give a trial")
        return row

    @property
    def plan_price(self) -> PlanPrice:
        """Return the price that was asked for. It may not be for sale any more."""
        return PlanPrice.objects.get(public_id=self.price)

    @property
    def whole_price(self) -> Money:
        """Return what a period costs, before taxes and discounts."""
        return self.plan_price.money.times(self.quantity)

    def to_redeem(self, run: Run, *, step: str) -> Coupon | None:
        price = self.whole_price
        return coupons.to_redeem(
            self.coupon, run, step=step, currency=price.currency, price=price, trial_days=self.trial_days
        )


@operation
@dataclass(frozen=True, kw_only=True)
class StartSubscription(Start, Previewed[Office], OnOffice[Office]):
    """Start a subscription. **Money moves** now, unless there is a trial. Only the vendor's staff may give a trial.

    ``payment_method`` is the id of a card at Stripe. It is added to the customer and used from now on. Without it, the
    payment method on file is charged. None is needed if nothing is charged, now and later. If the payment is declined,
    the subscription is ended and the card is removed again. An open payment link is withdrawn. It is refused while a
    subscription is live or waits for its first payment, or a schedule starts one later, whoever made it at Stripe. So
    repeating is refused.

    Raises:
        NoCustomer, PlanUnknown, QuantityInvalid, LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts,
            StaffOnly, PaymentMethodRequired.
        PaymentLinkUsed: somebody paid with the payment link at this moment; nothing else was done.
        CouponUnknown, CouponInOtherCurrency, CouponShorterThanTrial, CouponNeedsMore, CouponForFirstTime: Stripe was
            asked about the coupon; nothing was done.
        StripeRejected: the price is in another currency, and something of the customer still holds the old one at
            Stripe, such as a discount, a quote or a pending charge. Stripe's words say so.
    Source: https://docs.stripe.com/billing/subscriptions/build-subscriptions
    """

    kind = Kind.START_SUBSCRIPTION
    done = "started a subscription"
    money = Moves.NOW
    needs_determination = True

    payment_method: str = field(
        default="",
        metadata=asked_for("The id of a card that Stripe's own form made", longest=255, blank=True, form="card"),
    )

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return can_start(subject)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        self.check(subject, asked)
        return self

    def check_beyond_preview(self, subject: Office) -> None:
        if not self.coupon:  # Stripe knows what a coupon takes off: see ``ask``
            self._require_card(subject, None)

    def _require_card(self, office: Office, coupon: Coupon | None) -> None:
        """Check that there is a card, unless nothing is charged now and later, or there is a trial.

        Raises: PaymentMethodRequired.
        """
        whole, product = self.whole_price, self.plan_price.plan.stripe_product_id
        free = whole.amount == 0 or (coupon is not None and coupons.takes_all(coupon, whole, product=product))
        if not (self.payment_method or self.trial_days or office.has_payment_method or free):
            raise errors.PaymentMethodRequired(office)

    def preview(self, subject: Office, as_of: datetime, asked: Asked) -> Preview:
        """Show the first invoice, charged now or at the end of the trial. Confirm it with its ``as_of``.

        An Office that Stripe does not know yet has no credit and no taxes there, so its first invoice is calculated
        here. Raises: LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts, CouponUnknown, CouponInOtherCurrency,
        CouponShorterThanTrial, CouponNeedsMore, CouponForFirstTime.
        """
        row = self.plan_price
        with trail.acting(asked.by, office=subject, reason="a preview was asked for"):
            refuse_second_at_stripe(subject)
        coupon = None
        if self.coupon:
            coupon = coupons.redeemable(
                self.coupon,
                subject,
                by=asked.by,
                currency=row.currency,
                price=self.whole_price,
                trial_days=self.trial_days,
            )
        customer = subject.payment_provider_customer_id
        invoice = (
            gateway.subscriptions.preview_start(customer, row, quantity=self.quantity, coupon=coupon)
            if customer
            else previews.reckoned(row, self.quantity, coupon)
        )
        if self.trial_days:  # it was asked for as if it came now; its periods are those after the trial
            invoice = previews.without_periods(invoice)
        seen = previews.shown(
            invoice,
            now=not self.trial_days,
            at=as_of + timedelta(days=self.trial_days) if self.trial_days else None,
            as_of=as_of,
            afterwards=f"{row.money.times(self.quantity)} {row.in_words}, before taxes and discounts",
            says=_says(self.trial_days, coupon, subject),
        )
        lacks_card = seen.now and seen.charged.amount > 0 and not (self.payment_method or subject.has_payment_method)
        discount = coupon.discount.in_words(subject.time_zone) if coupon else ""
        return replace(seen, lacks_card=lacks_card, discount_afterwards=discount)

    def compares(self, subject: Office, before: Standing, seen: Any) -> tuple[Standing, Standing] | None:
        if seen is None:
            return None
        after = before.with_plan(self.plan_price, self.quantity)
        after = replace(after, next_charge=seen.at if self.trial_days else end_of_lines(seen))
        after = replace(after, trial_end=seen.at, discount=seen.discount_afterwards)
        return before, with_credit_after(after, seen)

    def ask(self, run: Run) -> None:
        self._check_nothing_under_way(run)
        coupon = self.to_redeem(run, step="create")
        if coupon:
            self._require_card(run.office, coupon)
        customer = customer_of(run)
        card = ""
        if self.payment_method:
            card = gateway.customers.attach_payment_method(
                self.payment_method, customer=customer, step=run.step("attach")
            )
        started = gateway.subscriptions.start_subscription(
            customer,
            self.plan_price,
            quantity=self.quantity,
            trial_days=self.trial_days,
            coupon=coupon,
            office=str(run.office.public_id),
            operation=run.id,
            step=run.step("create"),
        )
        if started.invoice_status == InvoiceStatus.OPEN:
            try:
                gateway.invoices.pay_invoice(started.invoice_id, payment_method=card, step=run.step("pay"))
            except (errors.CardDeclined, errors.StripeRejected):
                if self.settle_unknown(run) is Outcome.NOT_DONE:  # else it was paid at Stripe meanwhile
                    if card:
                        gateway.customers.detach_payment_method(card, step=run.step("detach"))
                    raise
        if card:
            gateway.customers.set_default_payment_method(card, customer=customer, step=run.step("default"))

    def _check_nothing_under_way(self, run: Run) -> None:
        """Check that no other subscription is under way, and close the payment link so that none can begin with it.

        The link is looked for first: if it is paid after that, Stripe shows the subscription, or refuses to close the
        link. What an earlier run of this operation began is undone. If it was paid meanwhile, the operation goes on.

        Raises: LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts, PaymentLinkUsed.
        """
        link = link_of(run.office)
        try:
            refuse_second_at_stripe(run.office, made_by=run.id)
            if link:
                close_payment_link(link, run)
        except errors.StripeRejected:
            if self.settle_unknown(run) is Outcome.NOT_DONE:
                raise

    def settle_unknown(self, run: Run) -> Outcome:
        """End the subscription if it was begun and never paid, so that it cannot start later."""
        customer = customer_made(run)
        found = gateway.subscriptions.find_subscription(customer, operation=run.id) if customer else None
        if found and found.status == SubscriptionStatus.INCOMPLETE:
            return Outcome.of(not end_waiting(found.id, run))
        return Outcome.of(found is not None and found.status in ENTITLED)


def _says(trial_days: int, coupon: Coupon | None, office: Office) -> str:
    trial = f"Nothing is charged now or during the {trial_days} days of the trial." if trial_days else ""
    return " ".join(filter(None, [trial, f"Discount: {coupon.discount.in_words(office.time_zone)}." if coupon else ""]))


def price_for_sale(key: str) -> PlanPrice:
    """Return the plan price with this public id. Raises: PlanUnknown."""
    row = PlanPrice.objects.for_sale(clock.billing()).filter(public_id=public_id(key)).first()
    if row is None:
        raise errors.PlanUnknown
    return row


def public_id(key: str) -> uuid.UUID:
    """Return the public id that was given as a text. Raises: PlanUnknown."""
    try:
        return uuid.UUID(key)
    except ValueError:
        raise errors.PlanUnknown from None


def check_quantity(price: PlanPrice, quantity: int) -> None:
    """Raises: QuantityInvalid."""
    if not 1 <= quantity <= MOST_SEATS:
        raise errors.QuantityInvalid(f"The number of seats must be 1 to {MOST_SEATS:,}.")
    if quantity != 1 and not price.per_seat:
        raise errors.QuantityInvalid("This price is not per seat, so the quantity must be 1.")
