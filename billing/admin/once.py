"""Pages of the admin for a new row: one that is sent twice makes one row. ``billing.sent_twice`` has the rule."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from billing.operations.engine import idempotency
from billing.sent_twice import claimed, is_known, shown


class OnceAdmin(ModelAdmin):
    """An admin whose page for a new row makes one row, however often it is sent."""

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not is_known(request):
            return super().add_view(request, *args, **kwargs)
        with transaction.atomic():  # whoever sends it meanwhile waits here for the first one
            row, ours = claimed(request)
            if not ours:
                return shown(request, row, reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))
            response = super().add_view(request, *args, **kwargs)
            idempotency.give_up(row)  # if nothing was made
        return response

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if not change and is_known(request):
            row, _ = claimed(request)
            page = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[form.instance.pk])
            idempotency.keep(row, 302, page)
