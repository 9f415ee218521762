"""Acts: what staff can do to an Office, an invoice, a payment or a finding. Each subject has a table of acts.

A page asks for the values that the operation needs and for the reason. If the operation has a preview, or ends or gives
up something, the person confirms that in a second step. Then the operation is carried out, outside any transaction of
the admin. A refusal is shown on the page, and the input stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms

from billing import errors
from billing.access.roles import Power
from billing.admin.forms import WhyForm
from billing.audit.actor import Actor
from billing.models import PaymentMethod, PlanPrice
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, Previewed, confirmed
from billing.operations.engine.losses import Loss
from billing.operations.engine.previews import SecondStep


@dataclass(frozen=True, slots=True)
class Link:
    """An address that an operation returned. It is shown once, on a page that browsers do not store.

    ``valid`` says how long it works. ``kind`` is that of the operation, if the link can be sent by e-mail too.
    """

    url: str
    says: str
    valid: str = ""
    kind: str = ""
    template: ClassVar[str] = "billing/admin_link.html"


@dataclass(frozen=True, slots=True)
class Token:
    """A new token of a service. It is shown once, like a link."""

    text: str
    says: str
    template: ClassVar[str] = "billing/admin_token.html"


def always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button of a page. If ``group`` is set, it is in the menu with that name."""

    name: str
    title: str
    says: str = ""
    group: str = ""

    @property
    def path(self) -> str:
        return self.name.replace("_", "-")

    @property
    def power(self) -> Power:
        """Return what a person must be able to do, to see the button and its page."""
        raise NotImplementedError

    def available(self, subject: Any) -> bool:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Act(Button):
    """A button to a page with a form. ``facts`` describes the subject in a sentence, if it is not the Office."""

    button: str = ""
    form: type[forms.Form] = WhyForm
    facts: Callable[[Any], str] | None = None
    without_card: str = ""
    """The act on the Office that is offered first, if nothing is on file to charge."""

    def preview(self, subject: Any, by: Actor, form: forms.Form) -> Any:
        """Return the preview that the person must confirm, or None if there is none."""
        return None

    def second_step(self, subject: Any, by: Actor, form: forms.Form) -> SecondStep | None:
        """Return what the person must confirm, None if nothing."""
        seen = self.preview(subject, by, form)
        return SecondStep(seen, None, (), seen.as_of) if seen else None

    def loss(self, subject: Any, by: Actor, form: forms.Form) -> Loss | None:
        """Return what is lost if it is carried out now. The person has seen exactly this, or sees it again."""
        return None

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        """Carry out the act. A returned ``Link`` or ``Token`` is shown once. A returned text is an address to go to."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class OperationAct(Act):
    """An act that is an operation.

    The form's fields are the operation's fields, and the reason. A form with other fields returns the request by
    ``request_for``, which may also be one of ``or_declared``. ``shown`` makes a ``Link`` of the operation's result. If
    the preview is refused with one of ``nothing_to_show``, there is nothing to confirm, and the operation is carried
    out at once.
    """

    declared: type[Declaration[Any, Any]]
    or_declared: tuple[type[Declaration[Any, Any]], ...] = ()
    shown: Callable[[Any, Any], Link] | None = None
    nothing_to_show: tuple[type[errors.BillingError], ...] = ()

    @property
    def power(self) -> Power:
        return self.declared.needs

    def available(self, subject: Any) -> bool:
        return any(one.is_offered(subject) for one in (self.declared, *self.or_declared))

    def request(self, subject: Any, form: forms.Form) -> Declaration[Any, Any]:
        request_for = getattr(form, "request_for", None)
        if request_for:
            made: Declaration[Any, Any] = request_for(subject)
            return made
        given = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        return self.declared(**{name: _plain(value) for name, value in given.items()})

    def second_step(self, subject: Any, by: Actor, form: forms.Form) -> SecondStep | None:
        request = self.request(subject, form)
        if not isinstance(request, Previewed) and type(request).loses is Declaration.loses:
            return None
        reason = form.cleaned_data["reason"]
        step = previews.second_step(request, subject, by=by, reason=reason, nothing_to_show=self.nothing_to_show)
        return None if step.is_empty else step

    def loss(self, subject: Any, by: Actor, form: forms.Form) -> Loss | None:
        return previews.loss_of(self.request(subject, form), subject, by=by, reason=form.cleaned_data["reason"])

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        request = self.request(subject, form)
        done = perform(confirmed(request, as_of), subject, by=by, reason=form.cleaned_data["reason"])
        return self.shown(subject, done) if self.shown else None


@dataclass(frozen=True, kw_only=True)
class OtherAct(Act):
    """An act that is not an operation: ``does(subject, by=, reason=)`` carries it out."""

    does: Callable[..., Any]
    offered: Callable[[Any], bool] = always
    needs: Power = Power.OPERATE

    @property
    def power(self) -> Power:
        return self.needs

    def available(self, subject: Any) -> bool:
        return self.offered(subject)

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        return self.does(subject, by=by, **form.cleaned_data)


@dataclass(frozen=True, kw_only=True)
class Click(Button):
    """A button that changes nothing and asks for nothing.

    ``finds(subject, by=)`` returns an address to redirect to, or what ``template`` shows as ``shown``. If it is
    ``paged``, it also gets ``before=`` from the address.
    """

    finds: Callable[..., Any]
    offered: Callable[[Any], bool] = always
    template: str = ""
    needs: Power = Power.LOOK
    paged: bool = False

    @property
    def power(self) -> Power:
        return self.needs

    def available(self, subject: Any) -> bool:
        return self.offered(subject)


def _plain(value: Any) -> Any:
    """Return the value as an operation takes it: a row becomes its public id."""
    return str(value.public_id) if isinstance(value, (PlanPrice, PaymentMethod)) else value
