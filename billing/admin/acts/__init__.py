"""Acts: what staff can do to an Office, an invoice or a payment. Each module has a table of them.

An act says what its form asks for, what is shown to be confirmed, and what carries it out. ``pages`` shows them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from billing import errors
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import PaymentMethod, PlanPrice
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, Previewed, confirmed


@dataclass(frozen=True, slots=True)
class Link:
    """An address that an operation returned. It is shown once, on a page that nobody keeps."""

    url: str
    says: str


def always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Button:
    """What a page offers: in a menu, where ``group`` names one."""

    name: str
    title: str
    says: str = ""
    group: str = ""
    permission: str = "manage_billing"

    @property
    def path(self) -> str:
        return self.name.replace("_", "-")

    def available(self, subject: Any) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Act(Button):
    """A page with a form. ``facts`` says in a sentence what the subject is, where it is not the Office."""

    button: str = ""
    form: type[forms.Form] = WhyForm
    facts: Callable[[Any], str] | None = None

    def preview(self, subject: Any, by: Actor, form: forms.Form) -> Any:
        """What is shown to be confirmed; None where there is nothing to show."""
        return None

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        """What was done: a ``Link`` is shown once, an address (a text) is gone to."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class OperationAct(Act):
    """An act that is an operation.

    The form's fields are the operation's, but for the reason. A form that asks otherwise says by ``request_for`` what
    is asked for, which may be one of ``or_declared`` too. ``shown`` makes a ``Link`` of its result. Where
    its preview is refused by one of ``nothing_to_show``, there is nothing to confirm, and it is carried out at once.
    """

    declared: type[Declaration[Any, Any]]
    or_declared: tuple[type[Declaration[Any, Any]], ...] = ()
    shown: Callable[[Any, Any], Link] | None = None
    nothing_to_show: tuple[type[errors.BillingError], ...] = ()

    def available(self, subject: Any) -> bool:
        return self.declared.offered(subject)

    def request(self, subject: Any, form: forms.Form) -> Declaration[Any, Any]:
        request_for = getattr(form, "request_for", None)
        if request_for:
            made: Declaration[Any, Any] = request_for(subject)
            return made
        given = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        return self.declared(**{name: _plain(value) for name, value in given.items()})

    def preview(self, subject: Any, by: Actor, form: forms.Form) -> Any:
        request = self.request(subject, form)
        if not isinstance(request, Previewed):
            return None
        try:
            return previews.preview(request, subject, by=by, reason=form.cleaned_data["reason"])
        except self.nothing_to_show:
            return None

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        request = self.request(subject, form)
        done = perform(confirmed(request, as_of), subject, by=by, reason=form.cleaned_data["reason"])
        return self.shown(subject, done) if self.shown else None


@dataclass(frozen=True, kw_only=True)
class OtherAct(Act):
    """An act that is no operation: ``does(subject, by=, reason=)`` carries it out."""

    does: Callable[..., Any]
    offered: Callable[[Any], bool] = always

    def available(self, subject: Any) -> bool:
        return self.offered(subject)

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        return self.does(subject, by=by, **form.cleaned_data)


@dataclass(frozen=True, kw_only=True)
class Click(Button):
    """What changes nothing and asks nothing: done by the click.

    ``finds(subject, by=)`` returns an address to go to, or what ``template`` shows as ``shown``.
    """

    finds: Callable[..., Any]
    offered: Callable[[Any], bool] = always
    template: str = ""
    permission: str = "view_billing"

    def available(self, subject: Any) -> bool:
        return self.offered(subject)


def _plain(value: Any) -> Any:
    """As an operation is asked: a row is named by its public id."""
    return str(value.public_id) if isinstance(value, (PlanPrice, PaymentMethod)) else value
