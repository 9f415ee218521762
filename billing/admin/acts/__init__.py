"""Acts: what staff do to an Office, an invoice or a payment. One table a subject, one way through.

A page asks for what the operation needs and why; where money moves it shows a preview to confirm; then the
operation is carried out, outside any transaction of the admin's. A refusal stays on the page, with the input.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from unfold.admin import ModelAdmin
from unfold.decorators import action

from billing import errors
from billing.admin.forms import WhyForm
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import Office
from billing.operations.credit import CreditPreview
from billing.operations.money_back import MoneyBack
from billing.operations.previews import Preview

Given = dict[str, Any]
Previewed = Preview | CreditPreview | MoneyBack


def always(subject: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Link:
    """An address that an operation told: shown once, on a page that nobody keeps."""

    url: str
    says: str


@dataclass(frozen=True)
class Act:
    """``carry_out(subject, by, given)`` is the operation; ``given`` is the form's cleaned data with ``reason``.

    With ``preview`` the page first shows what it returns; ``as_of`` of what was confirmed is in ``given`` then.
    ``available`` says whether the button is shown; the operation's own guard decides. What ``carry_out`` returns
    is the address to go to, where that is a text, or to show, where it is a ``Link``. ``facts`` says in a sentence
    what the subject is, where it is not the Office.

    An act that changes nothing and asks nothing is carried out ``at_once``, by the click; what it returns is shown
    by ``template`` as ``shown``, unless that is an address.
    """

    name: str
    title: str
    says: str
    carry_out: Callable[[Any, Actor, Given], Any]
    button: str = ""
    form: type[forms.Form] = WhyForm
    preview: Callable[[Any, Actor, Given], Previewed | None] | None = None
    available: Callable[[Any], bool] = always
    group: str = ""
    facts: Callable[[Any], str] | None = None
    at_once: bool = False
    template: str = ""
    permission: str = "manage_billing"


class ActsAdmin(ModelAdmin):
    """A page whose subject can be acted on. Groups of acts are menus, in the order of the table."""

    acts: tuple[Act, ...] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        groups: dict[str, list[str]] = {}
        for act in cls.acts:
            setattr(cls, act.name, _method(act))
            groups.setdefault(act.group, []).append(act.name)
        single = groups.pop("", [])
        cls.actions_detail = [*single, *({"title": title, "items": names} for title, names in groups.items())]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        subject = self.get_object(request, str(object_id))
        available = {act.name for act in self.acts if subject is not None and act.available(subject)}
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if one.action_name.removeprefix(prefix) in available]

    def has_manage_billing_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.manage_billing")

    def has_view_billing_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("billing.view_billing")

    def act_page(self, act: Act, request: HttpRequest, object_id: str) -> HttpResponse:
        if not request.user.has_perm(f"billing.{act.permission}"):
            raise PermissionDenied
        subject = self.get_object(request, object_id)
        if subject is None:
            raise Http404
        by = actor.person(request.user)
        page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[subject.pk])
        if act.at_once:
            return self._shown(act, request, subject, by, page)
        form = _form(act, request.POST or None, subject)
        preview: Previewed | None = None
        if request.method == "POST" and form.is_valid():
            given = dict(form.cleaned_data)
            try:
                if act.preview and "confirmed" not in request.POST:
                    preview = act.preview(subject, by, dict(given))
                if preview is None:
                    if act.preview:
                        given["as_of"] = _moment(request.POST.get("as_of", ""))
                    done = act.carry_out(subject, by, given)
                    if isinstance(done, str):
                        return redirect(done)
                    if isinstance(done, Link):
                        return self._told(request, act, subject, done, page)
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
            "says": act.says,
            "facts": act.facts(subject) if act.facts else "",
            "button": act.button or act.title,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def _shown(self, act: Act, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        """What the act found, its address, or back with a word on why there is nothing to see."""
        try:
            found = act.carry_out(subject, by, {})
        except errors.StripeUnavailable:
            messages.warning(request, "Stripe did not answer. Nothing was changed: try again in a moment.")
            return redirect(page)
        except errors.BillingError as error:
            messages.warning(request, str(error))
            return redirect(page)
        if isinstance(found, str):
            return redirect(found)
        context = {**self._context(act, request, subject, page), "says": act.says, "shown": found}
        return TemplateResponse(request, act.template, context)

    def _context(self, act: Act, request: HttpRequest, subject: Any, page: str) -> dict[str, Any]:
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


def _method(act: Act) -> Any:
    def page(self: ActsAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.act_page(act, request, object_id)

    page.__name__ = act.name
    return action(description=act.title, url_path=f"{act.name.replace('_', '-')}/", permissions=[act.permission])(page)


def _form(act: Act, data: Mapping[str, Any] | None, subject: Any) -> forms.Form:
    """A form that wants to know its subject says so by an attribute ``for_subject``."""
    form = act.form(data)
    prepare = getattr(form, "for_subject", None)
    if prepare:
        prepare(subject)
    return form


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise errors.PreviewStale from None
