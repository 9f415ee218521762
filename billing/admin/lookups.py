"""Which queries a list of the admin takes."""

import logging
from typing import Any

from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpRequest, HttpResponse

from billing.admin.moments import DatedLists

log = logging.getLogger(__name__)


class BoundedLookups(DatedLists):
    """An admin whose lists refuse (400) to look for what no row can have: a number beyond 64 bits, a year 99999.

    Django tries neither before the database or the calendar fails at it.
    """

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changelist_view(request, *args, **kwargs)
        except (OverflowError, ValueError, DataError) as error:
            if not request.GET:
                raise
            log.warning("a list cannot be asked for this: %s", request.path, exc_info=error)
            raise BadRequest("No row can have this value.") from error
