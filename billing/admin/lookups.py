"""Which queries a list of the admin takes."""

import logging
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from billing.admin.keyed_choices import NO_SUCH, NO_VALUE
from billing.admin.saved_views import SavedViews
from billing.chosen_rows import is_key

log = logging.getLogger(__name__)


class BoundedLookups(SavedViews):
    """An admin whose lists refuse (400) what no row can have: a number beyond 64 bits, a year 99999, a made-up key.

    Django tries neither before the database or the calendar fails at it.
    """

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not all(is_key(self.opts.pk, one) for one in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            raise BadRequest(NO_SUCH)
        try:
            return super().changelist_view(request, *args, **kwargs)
        except NO_VALUE as error:
            if not request.GET:
                raise
            log.warning("a list cannot be asked for this: %s", request.path, exc_info=error)
            raise BadRequest(NO_SUCH) from error
