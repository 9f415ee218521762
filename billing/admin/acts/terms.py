"""Acts on the terms of a subscription other than plan and seats: trial, billing day, pause, discount."""

from typing import Any, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from billing import errors
from billing.admin.acts import OperationAct, days
from billing.admin.acts.amounts import AmountField, in_minor_units
from billing.admin.acts.subscription import MENU, coupons_of
from billing.admin.forms import WhyForm
from billing.models import Office
from billing.models.statuses import InvoicesBecome
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import (
    MOST_MONTHS,
    MOST_PERCENT,
    ApplyDiscount,
    MakeDiscount,
    RemoveDiscount,
)
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod

OR_MAKE_ONE = "Who may give money back can make another discount, in the menu Subscription."


class TrialForm(days.DayForm):
    needed = ("last_day", "date")
    when = forms.ChoiceField(
        choices=(("date", "On a date"), ("now", "Now: the first period begins and is charged")),
        initial="date",
        label="The trial ends",
        widget=UnfoldAdminRadioSelectWidget,
    )
    last_day = days.DayField("Last day of the trial", "For an end on a date. The first period begins the day after.")

    def request_for(self, office: Office) -> MoveTrialEnd:
        on_a_date = self.cleaned_data["when"] == "date"
        day = self.cleaned_data["last_day"]
        return MoveTrialEnd(at=days.end_of(day, office, office.trial_end) if on_a_date else None)


class RestartForm(WhyForm):
    credit = forms.ChoiceField(
        choices=(("now", "Credit it on the same invoice"), ("not_at_all", "No credit")),
        initial="now",
        label="The rest of the current period",
        widget=UnfoldAdminRadioSelectWidget,
    )


class PauseForm(WhyForm):
    invoices_become = forms.ChoiceField(
        choices=(
            (InvoicesBecome.KEEP_AS_DRAFT, "Drafts: service now, charged later when somebody finalises them"),
            (InvoicesBecome.VOID, "Void: never charged"),
            (InvoicesBecome.MARK_UNCOLLECTIBLE, "Uncollectible: written off as a loss"),
        ),
        initial=InvoicesBecome.KEEP_AS_DRAFT,
        label="Invoices during the pause become",
        widget=UnfoldAdminRadioSelectWidget,
    )
    from_day = days.DayField("Collect again from this day on", "Empty: until somebody resumes collection.")

    def for_subject(self, office: Office) -> None:
        days.name_zone(self, office)

    def request_for(self, office: Office) -> PauseCollection:
        day = self.cleaned_data["from_day"]
        until = days.start_of(day, office) if day else None
        return PauseCollection(invoices_become=self.cleaned_data["invoices_become"], until=until)


class DiscountForm(WhyForm):
    """A form for a coupon of Stripe's list, or for a code that somebody types."""

    coupon = forms.ChoiceField(required=False, label="Coupon", widget=UnfoldAdminSelectWidget)
    code = forms.CharField(
        required=False,
        max_length=200,
        label="Promotion code",
        help_text="Instead of a coupon: a code that is made in Stripe's dashboard.",
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("coupon", "code")

    def for_subject(self, office: Office) -> None:
        """Ask Stripe once for the coupons that there are."""
        found = [(key, f"{words} ({key})") for key, words in coupons_of(office)]
        field = cast(forms.ChoiceField, self.fields["coupon"])
        field.choices = [("", "Choose …" if found else "No coupon is listed now"), *found]
        field.help_text = f"The coupons of Stripe's dashboard. {OR_MAKE_ONE}"

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors and bool(given.get("coupon")) == bool(given.get("code")):
            self.add_error("coupon", "Choose a coupon or type a promotion code: one of the two.")
        return given

    def request_for(self, office: Office) -> ApplyDiscount:
        return ApplyDiscount(code=self.cleaned_data["coupon"] or self.cleaned_data["code"])


class MakeDiscountForm(WhyForm):
    """A form for what a discount takes off, and how long."""

    off = forms.ChoiceField(
        choices=(("percent", "A percentage"), ("amount", "An amount")),
        initial="percent",
        label="What it takes off",
        widget=UnfoldAdminRadioSelectWidget,
    )
    percent = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PERCENT,
        label="Percentage",
        help_text="For a percentage: a whole number, such as 10.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    amount = AmountField(required=False, min_value=0, max_digits=14, widget=UnfoldAdminDecimalFieldWidget)
    lasts = forms.ChoiceField(
        choices=(("once", "Once: only on the next invoice"), ("months", "For some months"), ("forever", "Always")),
        initial="once",
        label="How long",
        widget=UnfoldAdminRadioSelectWidget,
    )
    months = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        label="Months",
        help_text="For some months: how many, such as 3.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    currency = ""

    def for_subject(self, office: Office) -> None:
        self.currency = office.currency
        self.fields["amount"].label = f"Amount in {office.currency.upper()}"
        self.fields["amount"].help_text = "For an amount: off each invoice, such as 50.00."

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        needed = given.get("off", "")
        for name, is_needed in ((needed, True), ("months", given.get("lasts") == "months")):
            if name and is_needed and given.get(name) is None and name not in self.errors:
                self.add_error(name, "Type a number.")
        if needed == "amount" and given.get("amount") is not None:
            try:
                given["amount"] = in_minor_units(given["amount"], self.currency)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return given

    def request_for(self, office: Office) -> MakeDiscount:
        given = self.cleaned_data
        is_percent, months = given["off"] == "percent", given["months"] if given["lasts"] == "months" else None
        return MakeDiscount(
            percent=given["percent"] if is_percent else None,
            amount=None if is_percent else given["amount"],
            lasts=given["lasts"],
            months=months,
        )


ACTS = (
    OperationAct(
        declared=MoveTrialEnd,
        name="move_trial_end",
        title="Extend or end the trial",
        says="During the trial the Office has access and is not charged. You see the invoice for the end of the trial "
        "first. If the payment is declined, nothing changes.",
        button="Show the invoice",
        form=TrialForm,
        without_card="link_card",
        group=MENU,
    ),
    OperationAct(
        declared=RestartPeriod,
        name="restart_period",
        title="Begin the period today",
        says="A whole period begins now and is charged now. Today becomes the billing day. If the payment is declined, "
        "nothing changes.",
        button="Show what it costs",
        form=RestartForm,
        group=MENU,
    ),
    OperationAct(
        declared=ApplyDiscount,
        name="apply_discount",
        title="Give a discount",
        says="It applies from the next invoice on. It replaces the present discount. Nothing is charged now.",
        button="Show the next invoice",
        form=DiscountForm,
        group=MENU,
    ),
    OperationAct(
        declared=MakeDiscount,
        name="make_discount",
        title="Make a discount",
        says="A discount for this Office alone, such as 10 % for 3 months. It applies from the next invoice on, and "
        "replaces the present discount. Nothing is charged now.",
        button="Show the next invoice",
        form=MakeDiscountForm,
        group=MENU,
    ),
    OperationAct(
        declared=RemoveDiscount,
        name="remove_discount",
        title="Remove the discount",
        says="The next invoice is charged in full. Nothing is charged now.",
        button="Show the next invoice",
        nothing_to_show=(errors.NoFurtherInvoice,),
        group=MENU,
    ),
    OperationAct(
        declared=PauseCollection,
        name="pause_collection",
        title="Pause collection",
        says="New invoices are not collected. The Office keeps its access and its status. Invoices that are open now "
        "stay open. No money moves.",
        form=PauseForm,
        group=MENU,
    ),
    OperationAct(
        declared=ResumeCollection,
        name="resume_collection",
        title="Resume collection",
        says="Invoices are collected again, from the next one on. Drafts from the pause stay drafts until somebody "
        "finalises them.",
        group=MENU,
    ),
)
