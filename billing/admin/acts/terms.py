"""Acts on the terms of a subscription other than plan and seats: trial, billing day, pause, discount."""

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing import errors
from billing.admin.acts import OperationAct, days
from billing.admin.acts.subscription import MENU, coupon_field
from billing.admin.forms import WhyForm
from billing.models import Office
from billing.models.statuses import InvoicesBecome
from billing.operations.subscriptions.collection import PauseCollection, ResumeCollection
from billing.operations.subscriptions.discounts import ApplyDiscount, RemoveDiscount
from billing.operations.subscriptions.trial import MoveTrialEnd, RestartPeriod


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
    code = coupon_field(required=True)


ACTS = (
    OperationAct(
        declared=MoveTrialEnd,
        name="move_trial_end",
        title="Extend or end the trial",
        says="During the trial the Office has access and is not charged. You see the invoice for the end of the trial "
        "first. If the payment is declined, nothing changes.",
        button="Show the invoice",
        form=TrialForm,
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
