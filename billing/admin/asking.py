"""A page that asks for a few values and a reason, for what is no declared operation: it asks nothing of Stripe."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from billing import errors
from billing.admin.forms import ReasonForm
from billing.sent_twice import done_once


@dataclass(frozen=True, slots=True)
class Asked:
    """``carry_out`` gets the values of the form and returns the row, whose page ``goes_to`` names."""

    form_class: type[ReasonForm]
    carry_out: Callable[[dict[str, Any]], Any]
    title: str
    says: str
    button: str
    done: str
    back: str
    goes_to: Callable[[Any], str]
    template: str = "billing/admin_determination.html"

    def answer(self, model_admin: ModelAdmin, request: HttpRequest, *, row: Any = None) -> HttpResponse:
        """Show the form, or carry out what it asks for, once. A refusal is shown on the page, and the input stays."""
        return done_once(request, self.back, lambda: self._answered(model_admin, request, row))

    def _answered(self, model_admin: ModelAdmin, request: HttpRequest, row: Any) -> HttpResponse:
        form = self.form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                changed = self.carry_out(dict(form.cleaned_data))
            except errors.BillingError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, self.done)
                return redirect(self.goes_to(changed))
        context = {
            **model_admin.admin_site.each_context(request),
            "title": self.title,
            "row": row,
            "form": form,
            "says": self.says,
            "button": self.button,
            "back": self.back,
            "opts": model_admin.opts,
        }
        return TemplateResponse(request, self.template, context)
