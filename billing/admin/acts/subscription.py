"""What staff do to an Office's subscription."""

from typing import Any, cast

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from billing import clock, operations
from billing.admin.acts import Act, Given
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Office, PlanPrice
from billing.operations.previews import Preview

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


def _offer(form: forms.Form) -> None:
    cast(forms.ModelChoiceField, form.fields["price"]).queryset = PlanPrice.objects.for_sale(clock.billing())


class SubscribeForm(WhyForm):
    price = PriceField()
    quantity = forms.IntegerField(min_value=1, initial=1, label="Seats", widget=UnfoldAdminIntegerFieldWidget)
    trial_days = forms.IntegerField(
        min_value=0, max_value=365, initial=0, label="Trial days", widget=UnfoldAdminIntegerFieldWidget
    )
    payment_method = forms.ChoiceField(required=False, label="Card", widget=UnfoldAdminSelectWidget)

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


class CancelForm(WhyForm):
    when = forms.ChoiceField(
        choices=(
            ("period_end", "At the end of the paid period: service goes on until then"),
            ("now", "Now: service ends at once, nothing is refunded"),
        ),
        initial="period_end",
        widget=UnfoldAdminRadioSelectWidget,
    )


def _subscribe(office: Office, by: Actor, given: Given) -> Office:
    return operations.subscribe(office, by=by, **given)


def _change(office: Office, by: Actor, given: Given) -> Office:
    return operations.change_subscription(office, by=by, **given)


def _preview_change(office: Office, by: Actor, given: Given) -> Preview:
    given.pop("reason")
    return operations.preview_change(office, by=by, **given)


def _cancel(office: Office, by: Actor, given: Given) -> Office:
    at_period_end = given.pop("when") == "period_end"
    return operations.cancel_subscription(office, by=by, at_period_end=at_period_end, **given)


def is_live(office: Office) -> bool:
    return office.has_live_subscription


ACTS = (
    Act(
        "subscribe",
        "Start a subscription",
        "The first invoice is charged to the card now, unless there is a trial. A declined card leaves nothing behind.",
        _subscribe,
        "Start the subscription",
        form=SubscribeForm,
        available=lambda office: not is_live(office),
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
        "No money moves. At the end of the paid period, or at once, the Office loses access to the product.",
        _cancel,
        form=CancelForm,
        available=is_live,
    ),
)
