"""Pages in one time zone, which is named: the page of what concerns an Office in the Office's, every other in UTC."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils import timezone

from billing import zones
from billing.access.masking import is_masked_for
from billing.admin import at_stripe
from billing.admin.masking import MaskedAdmin
from billing.admin.moments import NAMES_ZONE
from billing.admin.recorded import office_of


class Zoned(MaskedAdmin):
    """A page that shows days and times in the zone of the Office that it is about."""

    change_form_before_template = NAMES_ZONE

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if not is_masked_for(request.user):
            context["at_stripe"] = at_stripe.page_of(kwargs.get("obj") or context.get("original"))
        response = super().render_change_form(request, context, *args, **kwargs)
        return in_zone_of(kwargs.get("obj") or context.get("original"), response)


def in_zone_of(subject: Model | None, response: HttpResponse) -> HttpResponse:
    """Render the response in the zone of the Office that the subject is about. Others stay in UTC."""
    office = office_of(subject)
    if office and isinstance(response, SimpleTemplateResponse):
        with timezone.override(zones.of(office.time_zone)):
            response.render()
    return response
