"""Start a subscription with a page at Stripe, where the Office itself enters its card."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings
from django.urls import reverse

from billing import errors
from billing.access import grants
from billing.access.roles import Power
from billing.audit.actor import Actor
from billing.models import Office
from billing.models.operation import Kind
from billing.operations.engine import stored
from billing.operations.engine.declaration import Asked, Moves, OnOffice, Outcome
from billing.operations.engine.registry import operation
from billing.operations.engine.steps import Run
from billing.operations.offices.customer import customer_of
from billing.operations.offices.open_links import close_payment_link, link_of, may_have_link, open_payment_link
from billing.operations.subscriptions.start import Start
from billing.operations.subscriptions.under_way import can_start, refuse_second_at_stripe
from billing.stripe_api import charging, gateway
from billing.stripe_api.gateway.payment_links import PaymentLink


@operation
@dataclass(frozen=True, kw_only=True)
class CreatePaymentLink(Start, OnOffice[PaymentLink]):
    """Make a page at Stripe, open for 24 hours, where the Office enters a card and the subscription starts.

    **Money moves** when somebody pays there. Repeating with the same terms gives the same page while it is open.

    Everybody who has the address can pay. It is shown to the person who asked, and stored nowhere. When Stripe reports
    the payment, our rows show it.

    Raises:
        NoCustomer, PlanUnknown, QuantityInvalid, LiveSubscriptionExists, SubscriptionWaiting, ScheduleStarts,
            StaffOnly.
        PaymentLinkOpen: a link with other terms is open, and the Office could pay twice.
        CouponUnknown, CouponInOtherCurrency, CouponShorterThanTrial, CouponNeedsMore, CouponForFirstTime: Stripe was
            asked about the coupon; nothing was done.
        StripeRejected: the price is in another currency, and something of the customer still holds the old one at
            Stripe, such as a discount, a quote or a pending charge. Stripe's words say so.
        PaymentLinkGone: it was paid or withdrawn at this moment.
    Source: https://docs.stripe.com/payments/checkout/build-subscriptions
    """

    kind = Kind.CREATE_PAYMENT_LINK
    done = "made a payment link"
    money = Moves.LATER
    needs_determination = True

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return can_start(subject)

    def prepare(self, subject: Office, asked: Asked) -> Self:
        self.check(subject, asked)
        return self

    def ask(self, run: Run) -> None:
        link = open_payment_link(run.office)  # first: if it is paid after that, Stripe shows a subscription
        refuse_second_at_stripe(run.office, made_by=run.id)
        if link and link.operation != run.id:
            if _asked_with(link, run.office) != self:
                raise errors.PaymentLinkOpen
            return  # it is told again
        coupon = self.to_redeem(run, step="open_link")
        customer = customer_of(run)
        gateway.payment_links.open_payment_link(
            customer,
            self.plan_price,
            quantity=self.quantity,
            trial_days=self.trial_days,
            coupon=coupon,
            success_url=settings.SITE_URL + reverse("payment-done"),
            cancel_url=settings.SITE_URL + reverse("payment-not-done"),
            office=str(run.office.public_id),
            operation=run.id,
            step=run.step("open_link"),
        )

    def settle_unknown(self, run: Run) -> Outcome:
        """Find out whether it is open or already paid."""
        link = open_payment_link(run.office)
        customer = run.office.payment_provider_customer_id or ""
        if link and link.operation == run.id:
            return Outcome.DONE
        return Outcome.of(bool(customer and gateway.subscriptions.find_subscription(customer, operation=run.id)))

    def result(self, run: Run) -> PaymentLink:
        return shown_payment_link(run.office, by=run.by)


def shown_payment_link(office: Office, *, by: Actor) -> PaymentLink:
    """Return the Office's open payment link, for a person who may use it.

    Raises: NotPermitted, OfficeArchived, DeterminationMissing, PaymentLinkGone, StripeUnavailable.
    """
    grants.require(by, Power.MANAGE, office)
    if office.archived_at:
        raise errors.OfficeArchived(office)
    charging.require_determination()
    link = open_payment_link(office)
    if link is None:
        raise errors.PaymentLinkGone(office)
    return link


def _asked_with(link: PaymentLink, office: Office) -> CreatePaymentLink | None:
    """Return the terms of the link, if we asked for it."""
    for row in office.operations.filter(kind=Kind.CREATE_PAYMENT_LINK):
        if str(row.public_id) == link.operation:
            return stored.read(CreatePaymentLink, row.request)
    return None


@operation
@dataclass(frozen=True, kw_only=True)
class WithdrawPaymentLink(OnOffice[Office]):
    """Withdraw the payment link so that nobody can start the subscription with it. Money does not move.

    Repeating is a no-op.

    Raises: PaymentLinkUsed: somebody paid with it at this moment.
    Source: https://docs.stripe.com/api/checkout/sessions/expire
    """

    kind = Kind.WITHDRAW_PAYMENT_LINK
    done = "withdrew the payment link"

    @classmethod
    def offered(cls, subject: Office) -> bool:
        return not subject.has_live_subscription and may_have_link(subject)

    def ask(self, run: Run) -> None:
        link = link_of(run.office)
        if link:
            close_payment_link(link, run)

    def settle_unknown(self, run: Run) -> Outcome:
        return Outcome.of(open_payment_link(run.office) is None)
