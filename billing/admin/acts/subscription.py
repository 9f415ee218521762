"""What staff do to an Office's subscription."""

from typing import Any, cast

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing import clock, operations
from billing.admin.acts import Act, Given, Link, days
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations.open_links import may_have_link
from billing.operations.previews import Preview

MENU = "Subscription"
ON_FILE = ("", "The card on file")
TEST_CARDS = (
    ("pm_card_visa", "Test card: Visa, accepted"),
    ("pm_card_chargeCustomerFail", "Test card: declined when charged"),
)


class PriceField(forms.ModelChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            PlanPrice.objects.none(),
            to_field_name="public_id",
            label="Plan",
            widget=UnfoldAdminSelectWidget,
            **kwargs,
        )


def coupon_field(*, required: bool = False) -> forms.CharField:
    return forms.CharField(
        required=required,
        max_length=200,
        label="Coupon or promotion code",
        help_text="Its code, or a coupon's id. Both are made in Stripe's dashboard.",
        widget=UnfoldAdminTextInputWidget,
    )


def _offer(form: forms.Form) -> None:
    cast(forms.ModelChoiceField, form.fields["price"]).queryset = PlanPrice.objects.for_sale(clock.billing())


class SubscribeForm(WhyForm):
    price = PriceField()
    quantity = forms.IntegerField(min_value=1, initial=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)
    trial_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, label="Trial days", widget=UnfoldAdminIntegerFieldWidget
    )
    payment_method = forms.ChoiceField(required=False, label="Card", widget=UnfoldAdminSelectWidget)
    coupon = coupon_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self)
        cards = () if settings.STRIPE_LIVE_MODE else TEST_CARDS
        cast(forms.ChoiceField, self.fields["payment_method"]).choices = [ON_FILE, *cards]


class ChangeForm(WhyForm):
    price = PriceField()
    quantity = forms.IntegerField(min_value=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self)

    def for_subject(self, office: Office) -> None:
        current = office.current_subscription
        self.initial["quantity"] = office.quantity
        if current and current.plan_price:
            self.initial["price"] = current.plan_price.public_id


class LinkForm(WhyForm):
    price = PriceField()
    quantity = forms.IntegerField(min_value=1, initial=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)
    trial_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, label="Trial days", widget=UnfoldAdminIntegerFieldWidget
    )
    coupon = coupon_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self)


class CancelForm(days.DayForm):
    needed = ("last_day", "date")
    when = forms.ChoiceField(
        choices=(
            ("period_end", "At the end of the paid period: service goes on until then"),
            ("date", "On a date: whole periods before it are still renewed, the last one in part"),
            ("now", "Now: service ends at once, nothing is refunded"),
        ),
        initial="period_end",
        widget=UnfoldAdminRadioSelectWidget,
    )
    last_day = days.DayField("Last day of service", "Where it ends on a date.")


def _subscribe(office: Office, by: Actor, given: Given) -> Office:
    return operations.subscribe(office, by=by, **given)


def _preview_subscribe(office: Office, by: Actor, given: Given) -> Preview:
    for name in ("reason", "payment_method"):
        given.pop(name)
    return operations.preview_subscribe(office, by=by, **given)


def _link(office: Office, by: Actor, given: Given) -> Link:
    link = operations.create_payment_link(office, by=by, **given)
    says = (
        f"Send this address to {office.name}. Whoever opens it can put in a card and start the subscription, until "
        f"{days.written(link.expires_at, office)}. The subscription shows here as soon as it is paid."
    )
    return Link(link.address, says)


def _withdraw(office: Office, by: Actor, given: Given) -> Office:
    return operations.withdraw_payment_link(office, by=by, **given)


def _change(office: Office, by: Actor, given: Given) -> Office:
    return operations.change_subscription(office, by=by, **given)


def _preview_change(office: Office, by: Actor, given: Given) -> Preview:
    given.pop("reason")
    return operations.preview_change(office, by=by, **given)


def _cancel(office: Office, by: Actor, given: Given) -> Office:
    when, last_day = given.pop("when"), given.pop("last_day")
    if when == "date":
        return operations.cancel_on_date(office, days.end_of(last_day, office), by=by, **given)
    return operations.cancel_subscription(office, by=by, at_period_end=when == "period_end", **given)


def _resume_renewal(office: Office, by: Actor, given: Given) -> Office:
    return operations.resume_renewal(office, by=by, **given)


def is_live(office: Office) -> bool:
    return office.has_live_subscription


ACTS = (
    Act(
        "subscribe",
        "Start a subscription",
        "The first invoice is charged to the card now, unless there is a trial. You see it before anything is charged. "
        "A declined card leaves nothing behind.",
        _subscribe,
        "Show the first invoice",
        form=SubscribeForm,
        preview=_preview_subscribe,
        available=lambda office: not is_live(office),
    ),
    Act(
        "payment_link",
        "Start by a payment link",
        "Stripe makes a page, open for 24 hours, on which the Office puts in its card and starts the subscription "
        "itself. Nothing is charged before that.",
        _link,
        "Make the link",
        form=LinkForm,
        available=lambda office: not is_live(office),
    ),
    Act(
        "withdraw_link",
        "Withdraw the payment link",
        "Nobody can start the subscription by the link any more. Nothing is charged.",
        _withdraw,
        available=lambda office: not is_live(office) and may_have_link(office),
    ),
    Act(
        "change_plan",
        "Change plan or seats",
        "You see what it costs to the cent before anything is charged. A declined card changes nothing.",
        _change,
        "Show what it costs",
        form=ChangeForm,
        preview=_preview_change,
        available=is_live,
    ),
    Act(
        "cancel",
        "Cancel the subscription",
        "No money moves now. The Office loses its access at the end of the paid period, on a date, or at once.",
        _cancel,
        form=CancelForm,
        available=is_live,
        group=MENU,
    ),
    Act(
        "resume_renewal",
        "Take the cancellation back",
        "The subscription has no end any more. Nothing is charged now; it renews, and is charged, at the end of the "
        "paid period.",
        _resume_renewal,
        "Let it renew",
        available=lambda office: is_live(office) and office.cancel_at is not None,
    ),
)
