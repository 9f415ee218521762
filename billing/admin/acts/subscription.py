"""Acts on an Office's subscription."""

from typing import Any, cast

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
)

from billing import clock, errors, zones
from billing.access.roles import Power
from billing.admin.acts import Click, Link, OperationAct, days
from billing.admin.choices import SuggestingWidget
from billing.admin.forms import WhyForm
from billing.chosen_rows import ChosenRow
from billing.models import Office, PlanPrice
from billing.models.operation import Kind
from billing.operations.engine.declaration import OnSubscription
from billing.operations.subscriptions.cancel import CancelOnDate, CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription, prices_to_choose
from billing.operations.subscriptions.coupons import on_offer
from billing.operations.subscriptions.payment_link import CreatePaymentLink, WithdrawPaymentLink
from billing.operations.subscriptions.start import LONGEST_TRIAL_DAYS, StartSubscription
from billing.operations.subscriptions.under_way import EndWaitingSubscription, payment_page
from billing.stripe_api.gateway.payment_links import PaymentLink

MENU = "Subscription"
ON_FILE = ("", "The payment method on file")
NOTHING_ON_FILE = ("", "None: nothing is on file")
NOT_OFFERED = "This price is not sold now, or it is not in the currency of the Office. Choose one from the list."
TEST_CARDS = (
    ("pm_card_visa", "Test card: Visa, accepted"),
    ("pm_card_chargeCustomerFail", "Test card: declined when charged"),
)


class PriceField(ChosenRow):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            PlanPrice.objects.none(),
            to_field_name="public_id",
            label="Plan",
            empty_label="Choose …",
            error_messages={"invalid_choice": NOT_OFFERED},
            widget=UnfoldAdminSelectWidget,
            **kwargs,
        )


def coupon_field(*, required: bool = False) -> forms.CharField:
    return forms.CharField(
        required=required,
        max_length=200,
        label="Coupon or promotion code",
        help_text="You can leave it empty. Or choose a coupon of the list, or type a promotion code. Both are made in "
        "Stripe's dashboard.",
        widget=SuggestingWidget,
    )


class PlanForm(WhyForm):
    """A form for one of the plan prices that are for sale now, and the seats."""

    price = PriceField()
    quantity = forms.IntegerField(min_value=1, initial=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["price"]).queryset = PlanPrice.objects.for_sale(clock.billing())


class LinkForm(PlanForm):
    trial_days = forms.IntegerField(
        min_value=0, max_value=LONGEST_TRIAL_DAYS, initial=0, label="Trial days", widget=UnfoldAdminIntegerFieldWidget
    )
    coupon = coupon_field()

    def for_subject(self, office: Office) -> None:
        """Suggest the coupons that there are. Stripe is asked once, and only for an empty form."""
        if not self.is_bound:
            cast(SuggestingWidget, self.fields["coupon"].widget).suggested = coupons_of(office)


def coupons_of(office: Office) -> list[tuple[str, str]]:
    """Return the coupons to choose from, none if Stripe does not say."""
    try:
        return on_offer(office)
    except errors.BillingError:
        return []


class SubscribeForm(LinkForm):
    payment_method = forms.ChoiceField(required=False, label="Payment method", widget=UnfoldAdminSelectWidget)
    field_order = ("price", "quantity", "trial_days", "payment_method", "coupon")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer(ON_FILE)

    def for_subject(self, office: Office) -> None:
        super().for_subject(office)
        if not office.has_payment_method:
            self._offer(NOTHING_ON_FILE)

    def _offer(self, on_file: tuple[str, str]) -> None:
        cards = () if settings.STRIPE_LIVE_MODE else TEST_CARDS
        cast(forms.ChoiceField, self.fields["payment_method"]).choices = [on_file, *cards]


class ChangeForm(PlanForm):
    settle = forms.ChoiceField(
        choices=(
            ("now", "Charge or credit the difference now"),
            ("next_invoice", "Settle the difference with the next invoice"),
            ("not_at_all", "No charge and no credit for the rest of this period"),
        ),
        initial="now",
        label="The rest of this period",
        widget=UnfoldAdminRadioSelectWidget,
    )

    def for_subject(self, office: Office) -> None:
        current = office.current_subscription
        self.initial["quantity"] = office.quantity
        cast(forms.ModelChoiceField, self.fields["price"]).queryset = prices_to_choose(office)
        if current and current.plan_price:
            self.initial["price"] = current.plan_price.public_id


ENDS_NOW = ("now", "Now: service ends now, and nothing is refunded")


class CancelForm(days.DayForm):
    """A form for two operations: cancel at the period's end or now, and cancel on a date."""

    needed = ("last_day", "date")
    when = forms.ChoiceField(
        choices=(
            ("period_end", "At the end of the paid period: service continues until then"),
            ("date", "On a date: the subscription renews until then, and the last period is charged in part"),
            ENDS_NOW,
        ),
        initial="period_end",
        widget=UnfoldAdminRadioSelectWidget,
    )
    last_day = days.DayField(
        "Last day of service",
        "For an end on a date: service ends at the end of that day. If the period ends on that day, service ends "
        "with it.",
    )

    def for_subject(self, office: Office) -> None:
        """Offer only an end at once, if a schedule at Stripe manages the subscription: nothing else works then."""
        super().for_subject(office)
        if office.is_managed_by_schedule:
            cast(forms.ChoiceField, self.fields["when"]).choices = [ENDS_NOW]
            self.initial["when"] = "now"
            del self.fields["last_day"]

    def request_for(self, office: Office) -> OnSubscription:
        when = self.cleaned_data["when"]
        if when == "date":
            day = self.cleaned_data["last_day"]
            return CancelOnDate(at=days.end_of(day, office, office.cancel_at, office.current_period_end))
        return CancelSubscription(at_period_end=when == "period_end")


def _link(office: Office, link: PaymentLink) -> Link:
    says = (
        "Everybody who has this link can enter a card and start the subscription. You see the subscription here when "
        "it is paid."
    )
    return Link(
        link.address, says, f"until {zones.moment(link.expires_at, office.time_zone)}", Kind.CREATE_PAYMENT_LINK
    )


ACTS = (
    OperationAct(
        declared=StartSubscription,
        name="subscribe",
        title="Start a subscription",
        says="The first invoice is charged now, unless there is a trial. You see it before anything is charged. If the "
        "payment is declined, no subscription starts.",
        button="Show the first invoice",
        form=SubscribeForm,
        without_card="payment_link",
    ),
    OperationAct(
        declared=CreatePaymentLink,
        name="payment_link",
        title="Start with a payment link",
        says="Stripe makes a page that is open for 24 hours. There the Office enters its card and starts the "
        "subscription itself. Nothing is charged before that.",
        button="Make the link",
        form=LinkForm,
        shown=_link,
    ),
    OperationAct(
        declared=WithdrawPaymentLink,
        name="withdraw_link",
        title="Withdraw the payment link",
        says="Nobody can start the subscription with the link any more. Nothing is charged.",
    ),
    Click(
        finds=payment_page,
        name="complete_payment",
        title="Complete the waiting payment",
        says="The page at Stripe where the Office confirms the first payment of its subscription.",
        offered=EndWaitingSubscription.offered,
        needs=Power.MANAGE,
    ),
    OperationAct(
        declared=EndWaitingSubscription,
        name="end_waiting",
        title="End the waiting subscription",
        says="This ends the subscription that waits for its first payment. After that, nobody can pay it. Nothing is "
        "charged. If somebody pays at the same moment, the subscription stays.",
    ),
    OperationAct(
        declared=ChangeSubscription,
        name="change_plan",
        title="Change plan or seats",
        says="You see the exact cost before anything is charged. If the payment is declined, nothing changes.",
        button="Show what it costs",
        form=ChangeForm,
        without_card="link_card",
    ),
    OperationAct(
        declared=CancelSubscription,
        or_declared=(CancelOnDate,),
        name="cancel",
        title="Cancel the subscription",
        says="No money moves now. The Office loses its access at the end of the paid period, on a date, or at once. If "
        "anything is charged until that date, you see it first.",
        form=CancelForm,
        nothing_to_show=(errors.NoFurtherInvoice,),
        group=MENU,
    ),
    OperationAct(
        declared=ResumeRenewal,
        name="resume_renewal",
        title="Take the cancellation back",
        says="The subscription no longer ends. Nothing is charged now. At the end of the paid period it renews and is "
        "charged.",
        button="Let it renew",
    ),
)
