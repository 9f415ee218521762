"""What staff agree with an Office beside plan and seats: trial, billing day, pauses, discounts."""

from datetime import datetime

from django import forms
from unfold.widgets import UnfoldAdminRadioSelectWidget

from billing import operations
from billing.admin.acts import Act, Given, days
from billing.admin.acts.subscription import MENU, coupon_field, is_live
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.previews import Preview


class TrialForm(days.DayForm):
    needed = ("last_day", "date")
    when = forms.ChoiceField(
        choices=(("date", "On a date"), ("now", "Now: the first period begins, and is charged")),
        initial="date",
        label="The trial ends",
        widget=UnfoldAdminRadioSelectWidget,
    )
    last_day = days.DayField("Last day of the trial", "Where it ends on a date. The first period begins the day after.")


class RestartForm(WhyForm):
    credit = forms.ChoiceField(
        choices=(("now", "Credit it on the same invoice"), ("not_at_all", "No credit")),
        initial="now",
        label="The rest of the present period",
        widget=UnfoldAdminRadioSelectWidget,
    )


class PauseForm(WhyForm):
    invoices_become = forms.ChoiceField(
        choices=(
            ("keep_as_draft", "Drafts: service now, charged later, when somebody finalises them"),
            ("void", "Void: service without charge, for good"),
            ("mark_uncollectible", "Uncollectible: written off as a loss"),
        ),
        initial="keep_as_draft",
        label="Invoices of the pause become",
        widget=UnfoldAdminRadioSelectWidget,
    )
    from_day = days.DayField("Collect again from this day on", "Empty: until somebody resumes it.")


class DiscountForm(WhyForm):
    code = coupon_field(required=True)


def _trial_end(office: Office, given: Given) -> datetime | None:
    when, last_day = given.pop("when"), given.pop("last_day")
    return days.end_of(last_day, office) if when == "date" else None


def _move_trial_end(office: Office, by: Actor, given: Given) -> Office:
    return operations.move_trial_end(office, _trial_end(office, given), by=by, **given)


def _preview_trial_end(office: Office, by: Actor, given: Given) -> Preview:
    return operations.preview_trial_end(office, _trial_end(office, given), by=by)


def _restart(office: Office, by: Actor, given: Given) -> Office:
    return operations.restart_period(office, by=by, **given)


def _preview_restart(office: Office, by: Actor, given: Given) -> Preview:
    return operations.preview_restarted_period(office, by=by, credit=given["credit"])


def _pause(office: Office, by: Actor, given: Given) -> Office:
    day = given.pop("from_day")
    return operations.pause_collection(office, by=by, until=days.start_of(day, office) if day else None, **given)


def _resume(office: Office, by: Actor, given: Given) -> Office:
    return operations.resume_collection(office, by=by, **given)


def _apply_discount(office: Office, by: Actor, given: Given) -> Office:
    return operations.apply_discount(office, given["code"], by=by, reason=given["reason"])


def _preview_discount(office: Office, by: Actor, given: Given) -> Preview:
    return operations.preview_discount(office, given["code"], by=by)


def _remove_discount(office: Office, by: Actor, given: Given) -> Office:
    return operations.remove_discount(office, by=by, reason=given["reason"])


def _preview_without_discount(office: Office, by: Actor, given: Given) -> Preview | None:
    """Where no further invoice comes, there is nothing to show."""
    return None if office.ends_with_this_period else operations.preview_without_discount(office, by=by)


def has_discount(office: Office) -> bool:
    current = office.current_subscription
    return is_live(office) and current is not None and current.discount_count > 0


ACTS = (
    Act(
        "move_trial_end",
        "Extend or end the trial",
        "During the trial the Office has its access and is not charged. You see the invoice that the trial's end "
        "brings. A declined card changes nothing.",
        _move_trial_end,
        "Show the invoice",
        form=TrialForm,
        preview=_preview_trial_end,
        available=lambda office: office.subscription_status == "trialing",
        group=MENU,
    ),
    Act(
        "restart_period",
        "Begin the period today",
        "A whole period begins now and is charged now; today becomes the billing day. A declined card changes nothing.",
        _restart,
        "Show what it costs",
        form=RestartForm,
        preview=_preview_restart,
        available=lambda office: office.subscription_status == "active",
        group=MENU,
    ),
    Act(
        "apply_discount",
        "Give a discount",
        "It is taken off from the next invoice on, in place of a discount that there is. Nothing is charged now.",
        _apply_discount,
        "Show the next invoice",
        form=DiscountForm,
        preview=_preview_discount,
        available=is_live,
        group=MENU,
    ),
    Act(
        "remove_discount",
        "Remove the discount",
        "The next invoice is charged in full. Nothing is charged now.",
        _remove_discount,
        "Show the next invoice",
        preview=_preview_without_discount,
        available=has_discount,
        group=MENU,
    ),
    Act(
        "pause_collection",
        "Pause collection",
        "The Office keeps its access and its status, and its new invoices are not collected. Invoices that are open "
        "now stay open. No money moves.",
        _pause,
        form=PauseForm,
        available=is_live,
        group=MENU,
    ),
    Act(
        "resume_collection",
        "Resume collection",
        "Invoices are collected again, from the next one on. Drafts of the pause stay drafts, until somebody finalises "
        "them.",
        _resume,
        available=lambda office: is_live(office) and bool(office.collection_paused),
        group=MENU,
    ),
)
