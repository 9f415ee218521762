"""Acts: what staff can do to an Office, an invoice, a payment or a finding. Each subject has a table of acts.

A page asks for the values that the operation needs and for the reason. If the operation has a preview, the person
confirms that. Then the operation is carried out, outside any transaction of the admin. A refusal is shown on the page,
and the input stays.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant

from billing import errors
from billing.admin.forms import WhyForm
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office, PaymentMethod, PlanPrice
from billing.operations.engine import previews
from billing.operations.engine.begin import perform
from billing.operations.engine.declaration import Declaration, Previewed, confirmed
from billing.operations.engine.previews import Preview
from billing.operations.money.credit import CreditPreview
from billing.operations.money.money_back import MoneyBack

PREVIEWS: dict[type[Any], str] = {
    Preview: "billing/admin_preview.html",
    CreditPreview: "billing/admin_before_after.html",
    MoneyBack: "billing/admin_money_back.html",
}


NOTHING_BEGUN = "Stripe did not answer. Nothing was changed: try again in a moment."


@dataclass(frozen=True, slots=True)
class Link:
    """An address that an operation returned. It is shown once, on a page that browsers do not store."""

    url: str
    says: str


def always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button of a page. If ``group`` is set, it is in the menu with that name."""

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
    """A button to a page with a form. ``facts`` describes the subject in a sentence, if it is not the Office."""

    button: str = ""
    form: type[forms.Form] = WhyForm
    facts: Callable[[Any], str] | None = None

    def preview(self, subject: Any, by: Actor, form: forms.Form) -> Any:
        """Return the preview that the person must confirm, or None if there is none."""
        return None

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        """Carry out the act. A returned ``Link`` is shown once, and a returned text is an address to redirect to."""
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
    """An act that is not an operation: ``does(subject, by=, reason=)`` carries it out."""

    does: Callable[..., Any]
    offered: Callable[[Any], bool] = always

    def available(self, subject: Any) -> bool:
        return self.offered(subject)

    def carry_out(self, subject: Any, by: Actor, form: forms.Form, as_of: datetime | None) -> Any:
        return self.does(subject, by=by, **form.cleaned_data)


@dataclass(frozen=True, kw_only=True)
class Click(Button):
    """A button that changes nothing and asks for nothing.

    ``finds(subject, by=)`` returns an address to redirect to, or what ``template`` shows as ``shown``.
    """

    finds: Callable[..., Any]
    offered: Callable[[Any], bool] = always
    template: str = ""
    permission: str = "view_billing"

    def available(self, subject: Any) -> bool:
        return self.offered(subject)


class ActsAdmin(ModelAdmin):
    """A page with acts on its subject. Groups of acts are menus, in the order of the table."""

    acts: tuple[Button, ...] = ()

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<path:object_id>/{act.path}/",
                self.admin_site.admin_view(functools.partial(self.act_page, act)),
                name=self._url_name(act),
            )
            for act in self.acts
        ]
        return [*pages, *super().get_urls()]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        subject = kwargs.get("obj") or context.get("original")
        context["actions_detail"] = list(self._menu(request, subject)) if subject else []
        return super().render_change_form(request, context, *args, **kwargs)

    def _menu(self, request: HttpRequest, subject: Model) -> Iterator[dict[str, Any]]:
        """Yield what may be done now, for the page's title bar: first the single acts, then the menus."""
        offered = [act for act in self.acts if self._may(request, act) and act.available(subject)]
        for act in offered:
            if not act.group:
                yield self._entry(act, subject)
        for group in dict.fromkeys(act.group for act in self.acts if act.group):
            items = [self._entry(act, subject) for act in offered if act.group == group]
            if items:
                yield {"title": group, "icon": None, "variant": ActionVariant.DEFAULT, "items": items}

    def _entry(self, act: Button, subject: Model) -> dict[str, Any]:
        page = reverse(f"{self.admin_site.name}:{self._url_name(act)}", args=[subject.pk])
        look = {"icon": None, "variant": ActionVariant.DEFAULT, "attrs": {}, "dialog": None}
        return {"title": act.title, "path": page, **look}

    def _url_name(self, act: Button) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{act.name}"

    def _may(self, request: HttpRequest, act: Button) -> bool:
        return request.user.has_perm(f"billing.{act.permission}")

    def act_page(self, act: Button, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self._may(request, act):
            raise PermissionDenied
        subject = self.get_object(request, object_id)
        if subject is None:
            raise Http404
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[subject.pk])
        by = actor.person(request.user)
        if isinstance(act, Click):
            return self._found(act, request, subject, by, page)
        if isinstance(act, Act):
            return self._asked(act, request, subject, by, page)
        raise Http404

    def _asked(self, act: Act, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        form = _form(act, request.POST or None, subject)
        preview: Any = None
        if request.method == "POST" and form.is_valid():
            try:
                if "confirmed" not in request.POST:
                    preview = self._previewed(act, subject, by, form)
                if preview is None and form.is_valid():
                    done = act.carry_out(subject, by, form, _moment(request.POST.get("as_of", "")))
                    if isinstance(done, Link):
                        return self._told(request, act, subject, done, page)
                    if isinstance(done, str):
                        return redirect(done)
                    messages.success(request, f"{act.title}: done.")
                    return redirect(page)
            except errors.StripeUnavailable as error:
                messages.warning(request, str(error))
                return redirect(page)
            except errors.BillingError as error:
                form.add_error(None, str(error))
        context = {
            **self._context(act, request, subject, page),
            "form": form,
            "preview": preview,
            "preview_template": PREVIEWS[type(preview)] if preview else "",
            "says": act.says,
            "facts": act.facts(subject) if act.facts else "",
            "button": confirming(preview) if preview else act.button or act.title,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def _previewed(self, act: Act, subject: Any, by: Actor, form: forms.Form) -> Any:
        """Return the preview to confirm. If Stripe does not answer, nothing was begun, and the form says so."""
        try:
            return act.preview(subject, by, form)
        except errors.StripeUnavailable:
            form.add_error(None, NOTHING_BEGUN)
            return None

    def _found(self, act: Click, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        """Show what the click found or redirect to it. If there is nothing to see, go back and say why."""
        try:
            found = act.finds(subject, by=by)
        except errors.StripeUnavailable:
            messages.warning(request, NOTHING_BEGUN)
            return redirect(page)
        except errors.BillingError as error:
            messages.warning(request, str(error))
            return redirect(page)
        if isinstance(found, str):
            return redirect(found)
        context = {**self._context(act, request, subject, page), "says": act.says, "shown": found}
        return TemplateResponse(request, act.template, context)

    def _context(self, act: Button, request: HttpRequest, subject: Any, page: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": f"{act.title}: {subject}",
            "subject": subject,
            "office": subject if isinstance(subject, Office) else getattr(subject, "office", None),
            "back": page,
            "opts": self.opts,
        }

    def _told(self, request: HttpRequest, act: Act, subject: Any, link: Link, page: str) -> HttpResponse:
        context = {**self._context(act, request, subject, page), "link": link}
        response = TemplateResponse(request, "billing/admin_link.html", context)
        add_never_cache_headers(response)
        return response


def confirming(preview: Any) -> str:
    """Return the words on the button that confirms the preview."""
    if isinstance(preview, MoneyBack):
        return f"Confirm and {'give back' if preview.is_given_back else 'credit'} {preview.amount}"
    if isinstance(preview, Preview) and preview.now and preview.charged.amount > 0:
        return f"Confirm and charge {preview.charged}"
    return "Confirm"


def _form(act: Act, data: Mapping[str, Any] | None, subject: Any) -> forms.Form:
    """Return the act's form. If the form has a method ``for_subject``, it is called with the subject."""
    form = act.form(data)
    prepare = getattr(form, "for_subject", None)
    if prepare:
        prepare(subject)
    return form


def _plain(value: Any) -> Any:
    """Return the value as an operation takes it: a row becomes its public id."""
    return str(value.public_id) if isinstance(value, (PlanPrice, PaymentMethod)) else value


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise errors.PreviewStale from None
