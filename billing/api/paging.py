"""The pages of the API's lists. Each has a ceiling."""

from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import pagination
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

ON_A_PAGE, MOST_ON_A_PAGE = 50, 200


class Pages(pagination.LimitOffsetPagination):
    default_limit, max_limit = ON_A_PAGE, MOST_ON_A_PAGE


class PagesOfMany(Pages):
    """The same pages, where each row is wide and what is sorted should not be: first which rows, and then the rows."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        keys = super().paginate_queryset(queryset.values_list("pk", flat=True), request, view)
        if keys is None:
            return None
        rows = queryset.model._default_manager.in_bulk(keys)
        return [rows[key] for key in keys if key in rows]


class NewestFirst(pagination.CursorPagination):
    """Pages of rows that have ``created_at``, newest first. They stay as they are while rows come."""

    ordering = ("-created_at", "-pk")
    page_size = ON_A_PAGE
    page_size_query_param = "page_size"
    max_page_size = MOST_ON_A_PAGE

    def decode_cursor(self, request: Request) -> Any:
        """Return the place that the cursor names. Raises: NotFound, also where it names no moment."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not _is_moment(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and moment.tzinfo is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):  # it looks like one, and is not in the calendar
        return False
