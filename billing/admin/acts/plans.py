"""Acts on plans. What will be sold is repeated in words, and done only if the form comes back with these words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from billing import clock, errors, money
from billing.access.roles import Power
from billing.admin.acts import Act
from billing.admin.acts.amounts import AmountField, in_minor_units
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.chosen_rows import ChosenRow
from billing.models import Plan, PlanPrice
from billing.operations.plans import performed
from billing.operations.plans.declared import OnPlan
from billing.operations.plans.prices import AddPrice, MakePlan, Priced, PublishPlan
from billing.operations.plans.retiring import RenamePlan, RetirePlan, RetirePrice

SHORT_NAME = "A short name for programs, such as {}. It cannot be changed later. Offices do not see it."


def sold_at(price: PlanPrice) -> str:
    """Describe a price as an Office pays it: 49.00 USD for each seat a month."""
    return f"{price.money}{' for each seat' if price.per_seat else ''} {price.in_words}"


def in_words(plan: Plan) -> str:
    """Say at which prices the plan is sold, or will be when it is published."""
    sold = "; ".join(sold_at(one) for one in plan.prices.unretired(clock.billing()).order_by("unit_amount"))
    return f"{plan.name}: {sold}." if sold else f"{plan.name} has no price that is not retired."


class PriceField(ChosenRow):
    """One of the plan's prices that are not retired."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(PlanPrice.objects.none(), to_field_name="public_id", widget=UnfoldAdminSelectWidget, **kwargs)

    def label_from_instance(self, obj: PlanPrice) -> str:
        return f"{obj.plan}: {sold_at(obj)} ({obj.code})"


class PriceForm(WhyForm):
    """A form for a price as a person writes it, such as 299.00. ``terms`` has it in minor units."""

    amount = AmountField(
        min_value=0,
        max_digits=14,
        label="Price",
        help_text="Digits and a decimal point, such as 1299.00. No comma, no space and no sign of a currency.",
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    currency = forms.ChoiceField(
        choices=[("", "Choose …"), *((one, one.upper()) for one in sorted(money.CURRENCIES))],
        widget=UnfoldAdminSelectWidget,
    )
    interval = forms.ChoiceField(
        choices=PlanPrice.Interval.choices, label="Charged every", widget=UnfoldAdminSelectWidget
    )
    interval_count = forms.IntegerField(
        min_value=1,
        initial=1,
        label="How many months or years",
        help_text="1 is every month or every year. 3 with “Month” is every three months.",
        widget=UnfoldAdminIntegerFieldWidget,
    )
    per_seat = forms.BooleanField(
        required=False,
        label="For each seat",
        help_text="Off: every Office pays the same, whatever the number of its seats.",
        widget=UnfoldBooleanSwitchWidget,
    )
    price_code = forms.SlugField(
        max_length=50,
        label="Code of the price",
        help_text=SHORT_NAME.format("team-monthly"),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if "amount" in given and "currency" in given:
            try:
                given["unit_amount"] = in_minor_units(given["amount"], given["currency"])
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return given

    @property
    def terms(self) -> dict[str, Any]:
        names = ("unit_amount", "currency", "interval", "interval_count", "per_seat", "price_code")
        return {name: self.cleaned_data[name] for name in names}


class MakePlanForm(PriceForm):
    name = forms.CharField(
        max_length=100,
        help_text="Neutral: it is printed on invoices and card statements.",
        widget=UnfoldAdminTextInputWidget,
    )
    code = forms.SlugField(
        max_length=50,
        label="Code of the plan",
        help_text=SHORT_NAME.format("team"),
        widget=UnfoldAdminTextInputWidget,
    )
    field_order = ("name", "code", "amount", "currency", "interval", "interval_count", "per_seat", "price_code")

    def request_for(self, plan: Plan | None) -> MakePlan:
        return MakePlan(name=self.cleaned_data["name"], code=self.cleaned_data["code"], **self.terms)


class AddPriceForm(PriceForm):
    replaces = PriceField(
        required=False,
        empty_label="None: both are for sale",
        label="Retire this price",
        help_text="Offices that pay the retired price keep it until you move them.",
    )

    def for_subject(self, plan: Plan) -> None:
        cast(forms.ModelChoiceField, self.fields["replaces"]).queryset = _unretired(plan)

    def request_for(self, plan: Plan) -> AddPrice:
        old = self.cleaned_data["replaces"]
        return AddPrice(replaces=str(old.public_id) if old else "", **self.terms)


class RenameForm(WhyForm):
    name = forms.CharField(
        max_length=100,
        help_text="Neutral: it is printed on invoices and card statements.",
        widget=UnfoldAdminTextInputWidget,
    )

    def for_subject(self, plan: Plan) -> None:
        self.initial["name"] = plan.name

    def request_for(self, plan: Plan) -> RenamePlan:
        return RenamePlan(name=self.cleaned_data["name"])


class RetirePriceForm(WhyForm):
    price = PriceField(empty_label="Choose …")

    def for_subject(self, plan: Plan) -> None:
        cast(forms.ModelChoiceField, self.fields["price"]).queryset = _unretired(plan)

    def request_for(self, plan: Plan) -> RetirePrice:
        return RetirePrice(price=str(self.cleaned_data["price"].public_id))


def _unretired(plan: Plan) -> QuerySet[PlanPrice]:
    return plan.prices.unretired(clock.billing()).select_related("plan")


@dataclass(frozen=True, slots=True)
class Repeated:
    """What will be sold, in sentences. The form comes back with ``confirms``, or nothing is done."""

    says: tuple[str, ...]
    as_of: datetime

    @property
    def confirms(self) -> str:
        return "\n".join(self.says)


@dataclass(frozen=True, kw_only=True)
class PlanAct(Act):
    """An act that is an operation on a plan."""

    declared: type[OnPlan]

    @property
    def power(self) -> Power:
        return self.declared.needs

    def available(self, subject: Any) -> bool:
        return self.declared.offered(subject)

    def request(self, subject: Plan | None, form: forms.Form) -> OnPlan:
        made: Callable[[Plan | None], OnPlan] | None = getattr(form, "request_for", None)
        return made(subject) if made else self.declared()

    def preview(self, subject: Plan | None, by: Actor, form: forms.Form) -> Repeated | None:
        request = self.request(subject, form)
        if not isinstance(request, Priced):
            return None
        exact = performed.checked(request, subject, by=by)
        assert isinstance(exact, Priced)
        return Repeated(tuple(exact.in_words(subject or Plan())), clock.billing())

    def carry_out(self, subject: Plan | None, by: Actor, form: forms.Form, as_of: datetime | None) -> Plan:
        """Raises: PreviewStale: what is sold is not what was shown. And what ``performed.perform`` raises."""
        repeated = self.preview(subject, by, form)
        if repeated and " ".join(form.data.get("repeated", "").split()) != " ".join(repeated.says):
            raise errors.PreviewStale
        return performed.perform(self.request(subject, form), subject, by=by, reason=form.cleaned_data["reason"])


MAKE = PlanAct(
    declared=MakePlan,
    name="add",
    title="Make a plan",
    says="The plan and its first price are made here and at Stripe. First you see in words what you sell. The price "
    "cannot be changed after that: a new one replaces it.",
    button="Show what is sold",
    form=MakePlanForm,
    facts=lambda plan: "A plan is what Offices subscribe to. It has one or more prices.",
)
ACTS = (
    PlanAct(
        declared=AddPrice,
        name="add_price",
        title="Add a price",
        says="The price is made here and at Stripe. First you see in words what you sell. It cannot be changed after "
        "that. A new price can replace an old one, which is then retired.",
        button="Show what is sold",
        form=AddPriceForm,
        facts=in_words,
    ),
    PlanAct(
        declared=PublishPlan,
        name="publish",
        title="Publish at Stripe",
        says="The plan, and each of its prices that is not retired, is made at Stripe if it is not there yet. After "
        "that it is for sale.",
        button="Publish",
        facts=in_words,
    ),
    PlanAct(
        declared=RenamePlan,
        name="rename",
        title="Rename the plan",
        says="It has the new name here, and on invoices that Stripe makes from now on. Earlier invoices keep the old "
        "one.",
        button="Rename",
        form=RenameForm,
        facts=in_words,
    ),
    PlanAct(
        declared=RetirePrice,
        name="retire_price",
        title="Retire a price",
        says="Nobody can subscribe at this price any more, here or at Stripe. Offices that pay it keep it. You cannot "
        "undo this: add another price instead.",
        button="Retire the price",
        form=RetirePriceForm,
        facts=in_words,
    ),
    PlanAct(
        declared=RetirePlan,
        name="retire",
        title="Retire the plan",
        says="Nobody can subscribe to this plan any more, here or at Stripe. Offices that have it keep it. You cannot "
        "undo this: make another plan instead.",
        button="Retire the plan",
        facts=in_words,
    ),
)
