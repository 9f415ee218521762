"""The e-mails of the outbox, and sending one again."""

from urllib.parse import urlencode

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action, display

from billing import clock, notices
from billing.admin.acts.pages import ActsAdmin
from billing.admin.acts.people import MAIL_ACTS
from billing.admin.filters.declared import among
from billing.admin.readonly import ReadOnly
from billing.models import Notification
from billing.outbox import notice_texts


@admin.register(Notification)
class NotificationAdmin(ReadOnly, ActsAdmin):
    list_display = ("created_at", "what", "to", "status", "attempts", "sent_at", "last_error")
    shows_minutes = True
    list_filter = ("state", ("kind", among(Notification.Kind)))
    list_select_related = ("user", "office")
    sortable_by = ("created_at",)
    fields = ("what", "to", "office", "status", "created_at", "due_at", "attempts", "sent_at", "last_error")
    acts = MAIL_ACTS
    actions_list = ("examples",)

    @action(description="Examples", url_path="examples/", permissions=["view"])
    def examples(self, request: HttpRequest) -> HttpResponse:
        """Show each e-mail to Offices in each form and language. They are texts of ours, with nothing of an Office.

        If the address names one (``kind``, ``form``, ``language``), show it alone, as HTML.
        """
        known = [
            {"kind": str(kind), "form": variant, "language": language}
            for kind, variants in notice_texts.VARIANTS.items()
            for variant in variants
            for language in notice_texts.LANGUAGES
        ]
        if request.GET:
            if request.GET.dict() not in known:
                raise Http404
            return HttpResponse(_sample(request.GET.dict()).html)
        shown = [(", ".join(one.values()).replace("_", " "), f"?{urlencode(one)}", one, _sample(one)) for one in known]
        context = {
            **self.admin_site.each_context(request),
            "title": "Examples of e-mails to Offices",
            "shown": shown,
            "is_on": notices.are_on(clock.billing()),
            "opts": self.opts,
            "back": reverse("admin:billing_notification_changelist"),
        }
        return TemplateResponse(request, "billing/admin_mail_examples.html", context)

    @display(description="E-mail", ordering="kind")
    def what(self, row: Notification) -> str:
        return str(row)

    @display(description="To")
    def to(self, row: Notification) -> str:
        return row.address

    @display(
        description="Status",
        ordering="state",
        label={"sent": "success", "unknown": "warning", "parked": "danger", "waiting": "info", "sending": "info"},
    )
    def status(self, row: Notification) -> tuple[str, str]:
        return row.state, row.get_state_display().lower()


def _sample(named: dict[str, str]) -> notice_texts.Written:
    return notice_texts.sample(named["kind"], named["form"], named["language"])
