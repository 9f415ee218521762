"""Lists that show each moment as a day, with the time and the zone in a tooltip."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.admin.once import OnceAdmin
from billing.templatetags.moments import ENDS, shown

NAMES_ZONE = "billing/admin_zone.html"


class DayColumn:
    """A column of a list that shows a field as a day. Its name, its title and its order are those of the field."""

    def __init__(self, field: "models.Field[Any, Any]", *, with_time: bool) -> None:
        self.__name__ = field.name
        self.short_description = field.verbose_name
        self.admin_order_field = field.name
        self.with_time = with_time

    def __call__(self, row: models.Model) -> SafeString | None:
        at = getattr(row, self.__name__)
        return shown(at, is_end=self.__name__ in ENDS, with_time=self.with_time) if at else None

    def __str__(self) -> str:
        return self.__name__


class DatedLists(OnceAdmin):
    """An admin whose list shows moments as days, and names their zone once.

    ``shows_minutes`` is for lists whose rows are minutes apart: there the time stands beside the day.
    """

    list_before_template = NAMES_ZONE
    shows_minutes = False

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        columns = super().get_list_display(request)
        return [self._day_columns.get(one, one) if isinstance(one, str) else one for one in columns]

    @cached_property
    def _day_columns(self) -> dict[str, DayColumn]:
        """The same object each time: Django finds a column again by comparing."""
        fields = [one for one in self.opts.fields if isinstance(one, models.DateTimeField)]
        return {one.name: DayColumn(one, with_time=self.shows_minutes) for one in fields}
