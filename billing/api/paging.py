"""The pages of the API's lists. Each has a ceiling, and stays as it is while rows come: a cursor names the last row."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime
from rest_framework import pagination, serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

ON_A_PAGE, MOST_ON_A_PAGE = 50, 200


class Pages(pagination.CursorPagination):
    page_size = ON_A_PAGE
    page_size_query_param = "page_size"
    max_page_size = MOST_ON_A_PAGE

    def is_place(self, position: str) -> bool:
        """Return whether the first column by which the rows are sorted can have this value."""
        raise NotImplementedError

    def decode_cursor(self, request: Request) -> Any:
        """Return the place that the cursor names. Raises: NotFound, also where there is no such place."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not self.is_place(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has: what was asked for, up to the ceiling. Raises: ValidationError."""
        name = self.page_size_query_param
        if name not in request.query_params:
            return ON_A_PAGE
        try:
            asked = serializers.IntegerField(min_value=1).run_validation(request.query_params[name])
        except serializers.ValidationError as error:
            raise serializers.ValidationError({name: error.detail}) from None
        return min(asked, MOST_ON_A_PAGE)

    @property
    def parameters(self) -> tuple[str, ...]:
        return self.cursor_query_param, self.page_size_query_param

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return what the document says of the parameters."""
        cursor = "From the `next` or `previous` of another page. It names a row"
        size = f"How many rows a page has, up to {MOST_ON_A_PAGE}. {ON_A_PAGE} if it is not given"
        return [
            _parameter(self.cursor_query_param, cursor, {"type": "string"}),
            _parameter(self.page_size_query_param, size, {"type": "integer", "minimum": 1}),
        ]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return what the document says of a page. Each is always there."""
        beside = {"type": ["string", "null"], "format": "uri"}
        properties = {"next": {**beside}, "previous": {**beside}, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}


class NewestFirst(Pages):
    """Pages of rows, newest first, that have ``created_at``."""

    ordering = ("-created_at", "-pk")

    def is_place(self, position: str) -> bool:
        return _is_moment(position)


class NewestAskedFirst(NewestFirst):
    ordering = ("-asked_at", "-pk")


class NewestMadeFirst(NewestFirst):
    ordering = ("-made_at", "-pk")


class NewestPeriodFirst(NewestFirst):
    ordering = ("-period_start", "-pk")


class NewestEntryFirst(NewestFirst):
    ordering = ("-timestamp", "-pk")


class ByText(Pages):
    def is_place(self, position: str) -> bool:
        return "\0" not in position  # PostgreSQL fails where it is asked for one


class ByPlan(ByText):
    ordering = ("plan_code", "unit_amount", "pk")


class ByName(ByText):
    """Pages by name. The rows are wide, so only keys and names are sorted. The rows themselves are read after that."""

    ordering = ("name", "pk")

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        keys = super().paginate_queryset(queryset.values("pk", "name"), request, view)
        rows = queryset.model._default_manager.in_bulk([one["pk"] for one in keys or ()])
        return [rows[one["pk"]] for one in keys or () if one["pk"] in rows]


def refuse_unknown(given: Mapping[str, Any], *, known: tuple[str, ...]) -> None:
    """Refuse what an address is asked with and does not know: a filter with a typo must not show everything.

    Raises: ValidationError.
    """
    has = f"This address knows {', '.join(known)}." if known else "This address knows none."
    if wrong := {name: [f"There is no such parameter. {has}"] for name in given if name not in known}:
        raise serializers.ValidationError(wrong)


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "required": False, "in": "query", "description": description, "schema": schema}


def _is_moment(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        return moment is not None and moment.tzinfo is not None and bool(moment.astimezone(UTC))
    except (ValueError, OverflowError):  # it looks like one, and is not in the calendar
        return False
