"""The pages on which staff act: one way through for each act of ``billing.admin.acts``.

A page asks for what the operation needs and why. Where money moves, or something is ended or given up, it shows that to
be confirmed. Then the operation is carried out, outside any transaction of the admin's. A refusal stays on the page,
with the input.
"""

import functools
from collections.abc import Iterator
from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.enums import ActionVariant

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.admin.acts import Act, Button, Click, Link, Token
from billing.admin.acts.plans import Repeated
from billing.admin.recorded import office_of
from billing.admin.zoned import Zoned, in_zone_of
from billing.audit import actor
from billing.audit.actor import Actor
from billing.models import User
from billing.money import Money
from billing.operations.engine.losses import Loss
from billing.operations.engine.previews import Preview, SecondStep
from billing.operations.money.credit import CreditPreview
from billing.operations.money.money_back import MoneyBack
from billing.operations.offices import sent_links
from billing.sent_twice import done_once

PREVIEWS: dict[type[Any], str] = {
    Preview: "billing/admin_preview.html",
    CreditPreview: "billing/admin_before_after.html",
    MoneyBack: "billing/admin_money_back.html",
    Repeated: "billing/admin_repeated.html",
}

FILLED_BY_ADDRESS = (forms.ChoiceField, forms.ModelChoiceField, forms.IntegerField, forms.DecimalField)
FIRST_PAYMENT = "payment_link"
OFFERED_FIRST = {FIRST_PAYMENT: "Start with a payment link", "link_card": "Link to add a card"}
"""By the act that is offered, if nothing is on file to charge: the words on its button."""
WORKLIST = "admin:billing_followup_changelist"
COMPLETE_PAYMENT = "admin:billing_office_complete_payment"
NOT_WHAT_WAS_SEEN = "This is not what you looked at: something has changed since. Look again, and confirm it."
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
        page = reverse(WORKLIST) if request.GET.get("from") == "worklist" else self._page(subject)
        by = actor.person(request.user)
        if isinstance(act, Click):
            return in_zone_of(subject, self._found(act, request, subject, by, page))
        if isinstance(act, Act):
            return in_zone_of(subject, done_once(request, page, lambda: self._asked(act, request, subject, by, page)))
        raise Http404

    def _asked(self, act: Act, request: HttpRequest, subject: Any, by: Actor, page: str) -> HttpResponse:
        form = _form(act, request, subject)
        step: SecondStep | None = None
        completes_payment = False
        if request.method == "POST" and form.is_valid():
            try:
                lost = act.loss(subject, by, form) if "confirmed" in request.POST else None
                if "confirmed" not in request.POST or (lost and lost.seen != request.POST.get("seen")):
                    step = self._second_step(act, subject, by, form)
                    if step and lost:
                        form.add_error(None, NOT_WHAT_WAS_SEEN)
                if step is None and form.is_valid():
                    done = act.carry_out(subject, by, form, _time(request.POST.get("as_of", "")))
                    if isinstance(done, Link | Token):
                        return self.shown_once(request, _title(act, subject), subject, done, act=act)
                    if isinstance(done, str):
                        return redirect(done)
                    messages.success(request, f"{act.title}: done.")
                    if lost and lost.paid:
                        messages.warning(request, _not_given_back(lost, self._ways_back(request, subject, lost)))
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
        preview = step.preview if step else None
        context = {
            **self._context(_title(act, subject), request, subject),
            "form": form,
            "step": step,
            "preview": preview,
            "preview_template": PREVIEWS[type(preview)] if preview else "",
            "ways_back": self._ways_back(request, subject, step.loss) if step and step.loss else (),
            "without_card": self._without_card(act, request, subject, form, step),
            "says": act.says,
            "facts": act.facts(subject) if act.facts else "",
            "complete_payment": reverse(COMPLETE_PAYMENT, args=[subject.pk]) if completes_payment else "",
            "button": _button(act, step),
        }
        return TemplateResponse(request, "billing/admin_operation.html", context)

    def _second_step(self, act: Act, subject: Any, by: Actor, form: forms.Form) -> SecondStep | None:
        """What is shown to be confirmed. Where Stripe is away, nothing was begun: the form stays, and says so."""
        try:
            return act.second_step(subject, by, form)
        except errors.StripeUnavailable:
            form.add_error(None, NOTHING_BEGUN)
            return None

    def _ways_back(self, request: HttpRequest, subject: Any, lost: Loss) -> list[tuple[str, str]]:
        """Return the pages on which what was paid can be given back, with the amount filled in: address and words."""
        office = office_of(subject)
        if not lost.paid or not office or not roles.has(cast(User, request.user), Power.GIVE_BACK):
            return []
        ways = []
        if lost.payment:
            most = min(lost.paid.amount, lost.payment.refundable.amount)
            amount = Money(most, lost.paid.currency)
            refund = reverse("admin:billing_payment_refund", args=[lost.payment.pk])
            ways.append((f"{refund}?{urlencode({'amount': amount.decimal})}", f"Refund {amount}"))
        credit = reverse("admin:billing_office_credit", args=[office.pk])
        filled = urlencode({"direction": "give", "amount": lost.paid.decimal})
        return [*ways, (f"{credit}?{filled}", f"Give {lost.paid} as credit")]

    def _without_card(
        self, act: Act, request: HttpRequest, subject: Any, form: forms.Form, step: SecondStep | None
    ) -> dict[str, Any]:
        """Return the act that is offered first, if nothing is on file to charge. Empty if something is."""
        office = office_of(subject)
        if not act.without_card or office is None or (not step and office.has_payment_method):
            return {}
        if step and not step.lacks_card:
            return {}
        filled = f"?{urlencode(_fillable(form))}" if act.without_card == FIRST_PAYMENT else ""
        address = reverse(f"admin:billing_office_{act.without_card}", args=[office.pk])
        return {"address": f"{address}{filled}", "button": OFFERED_FIRST[act.without_card], "is_only": step is not None}

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
        context = {**self._context(_title(act, subject), request, subject), "says": act.says, "shown": found}
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

    def shown_once(
        self, request: HttpRequest, title: str, subject: Any, link: Link | Token, *, act: Act | None = None
    ) -> HttpResponse:
        """Show a link or a token on a page that browsers do not store."""
        context = {**self._context(title, request, subject), "link": link}
        office = office_of(subject)
        if act and office and isinstance(link, Link) and link.kind:
            context["to_send"] = sent_links.newest(office, link.kind)
            context["send"] = reverse("admin:billing_office_send_link", args=[office.pk])
            context["can_send"] = sent_links.can_send()
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


def _title(act: Button, subject: Any) -> str:
    """Return the heading: the act, what it is about, and its Office."""
    if subject is None:
        return act.title
    office = office_of(subject)
    of = f", {office}" if office and office is not subject else ""
    return f"{act.title}: {subject}{of}"


def _button(act: Act, step: SecondStep | None) -> str:
    if step is None:
        return act.button or act.title
    is_money = isinstance(step.preview, MoneyBack) or (isinstance(step.preview, Preview) and step.preview.now)
    if step.loss and not is_money:
        return act.title
    return confirming(step.preview)


def _not_given_back(lost: Loss, ways: list[tuple[str, str]]) -> SafeString:
    """Return what is said after an act by which paid time was given up."""
    links = format_html_join(" or ", '<a class="underline" href="{}">{}</a>', ways)
    return format_html("About {} was paid for time that is given up. {}", lost.paid, links)


def _form(act: Act, request: HttpRequest, subject: Any) -> forms.Form:
    """A form that wants to know its subject says so by an attribute ``for_subject``.

    Its address can fill in choices and numbers, never a text: an address is kept in logs.
    """
    form = act.form(request.POST or None)
    prepare = getattr(form, "for_subject", None)
    if prepare:
        prepare(subject)
    if request.method == "GET":
        filled = {name: request.GET[name] for name in _without_text(form) if name in request.GET}
        form.initial = {**form.initial, **filled}
    return form


def _without_text(form: forms.Form) -> list[str]:
    return [name for name, field in form.fields.items() if isinstance(field, FILLED_BY_ADDRESS)]


def _fillable(form: forms.Form) -> dict[str, str]:
    """Return what was chosen in the form, as an address fills it in elsewhere."""
    chosen = {name: form.data.get(name, "") for name in _without_text(form)} if form.is_bound else {}
    return {name: value for name, value in chosen.items() if value}


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise errors.PreviewStale from None
