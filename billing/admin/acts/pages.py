"""The pages on which staff act: one way through for each act of ``billing.admin.acts``.

A page asks for what the operation needs and why. Where money moves it shows a preview to confirm. Then the operation
is carried out, outside any transaction of the admin's. A refusal stays on the page, with the input.
"""

import functools
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from unfold.enums import ActionVariant

from billing import errors
from billing.access import roles
from billing.admin.acts import Act, Button, Click, Link, Token
from billing.admin.acts.plans import Repeated
from billing.admin.once import done_once
from billing.admin.recorded import office_of
from billing.admin.zoned import Zoned, in_zone_of
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import User
from billing.operations.engine.previews import Preview
from billing.operations.money.credit import CreditPreview
from billing.operations.money.money_back import MoneyBack

PREVIEWS: dict[type[Any], str] = {
    Preview: "billing/admin_preview.html",
    CreditPreview: "billing/admin_before_after.html",
    MoneyBack: "billing/admin_money_back.html",
    Repeated: "billing/admin_repeated.html",
}

COMPLETE_PAYMENT = "admin:billing_office_complete_payment"
NOTHING_BEGUN = "Stripe did not answer. Nothing was changed: try again in a moment."


class ActsAdmin(Zoned):
    """A page whose subject can be acted on. Groups of acts are menus, in the order of the table."""

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
        """What may be done now, as the page's title bar takes it: the single ones first, then the menus."""
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
        return roles.has(cast(User, request.user), act.power)

    def act_page(self, act: Button, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self._may(request, act):
            raise PermissionDenied
        subject = self.get_object(request, object_id)
        if subject is None:
            raise Http404
        page = self._page(subject)
        by = actor.person(request.user)
        if isinstance(act, Click):
            return in_zone_of(subject, self._found(act, request, subject, by, page))
        if isinstance(act, Act):
            return in_zone_of(subject, done_once(request, page, lambda: self._asked(act, request, subject, by, page)))
        raise Http404

    def _asked(self, act: Act, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        form = _form(act, request.POST or None, subject)
        preview: Any = None
        completes_payment = False
        if request.method == "POST" and form.is_valid():
            try:
                if "confirmed" not in request.POST:
                    preview = self._previewed(act, subject, by, form)
                if preview is None and form.is_valid():
                    done = act.carry_out(subject, by, form, _time(request.POST.get("as_of", "")))
                    if isinstance(done, Link | Token):
                        return self.shown_once(request, f"{act.title}: {subject}", subject, done)
                    if isinstance(done, str):
                        return redirect(done)
                    messages.success(request, f"{act.title}: done.")
                    return redirect(self._page(done) if isinstance(done, self.model) else page)
            except errors.StripeUnavailable as error:
                messages.warning(request, str(error))
                return redirect(page)
            except errors.SentForApproval as sent:
                messages.success(request, str(sent))
                return redirect(page)
            except errors.BillingError as error:
                form.add_error(None, str(error))
                completes_payment = isinstance(error, errors.SubscriptionWaiting)
        context = {
            **self._context(f"{act.title}: {subject}" if subject else act.title, request, subject),
            "form": form,
            "preview": preview,
            "preview_template": PREVIEWS[type(preview)] if preview else "",
            "says": act.says,
            "facts": act.facts(subject) if act.facts else "",
            "complete_payment": reverse(COMPLETE_PAYMENT, args=[subject.pk]) if completes_payment else "",
            "button": confirming(preview) if preview else act.button or act.title,
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def _previewed(self, act: Act, subject: Any, by: Actor, form: forms.Form) -> Any:
        """What is shown to be confirmed. Where Stripe is away, nothing was begun: the form stays, and says so."""
        try:
            return act.preview(subject, by, form)
        except errors.StripeUnavailable:
            form.add_error(None, NOTHING_BEGUN)
            return None

    def _found(self, act: Click, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        """What the click found, its address, or back with a word on why there is nothing to see."""
        try:
            place = {"before": request.GET.get("before", "")} if act.paged else {}
            found = act.finds(subject, by=by, **place)
        except errors.StripeUnavailable:
            messages.warning(request, NOTHING_BEGUN)
            return redirect(page)
        except errors.BillingError as error:
            messages.warning(request, str(error))
            return redirect(page)
        if isinstance(found, str):
            return redirect(found)
        context = {**self._context(f"{act.title}: {subject}", request, subject), "says": act.says, "shown": found}
        return TemplateResponse(request, act.template, context)

    def _context(self, title: str, request: HttpRequest, subject: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "subject": subject,
            "office": office_of(subject),
            "back": self._page(subject),
            "opts": self.opts,
        }

    def _page(self, subject: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[subject.pk])

    def shown_once(self, request: HttpRequest, title: str, subject: Any, link: Link | Token) -> HttpResponse:
        """Show a link or a token on a page that browsers do not store."""
        context = {**self._context(title, request, subject), "link": link}
        response = TemplateResponse(request, link.template, context)
        add_never_cache_headers(response)
        return response


def confirming(preview: Any) -> str:
    """The words on the button that confirms it."""
    if getattr(preview, "waits", ""):
        return "Send for approval"
    if isinstance(preview, MoneyBack):
        return f"Confirm and {'give back' if preview.is_given_back else 'credit'} {preview.amount}"
    if isinstance(preview, Preview) and preview.now and preview.charged.amount > 0:
        return f"Confirm and charge {preview.charged}"
    return "Confirm"


def _form(act: Act, data: Mapping[str, Any] | None, subject: Any) -> forms.Form:
    """A form that wants to know its subject says so by an attribute ``for_subject``."""
    form = act.form(data)
    prepare = getattr(form, "for_subject", None)
    if prepare:
        prepare(subject)
    return form


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise errors.PreviewStale from None
