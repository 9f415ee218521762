"""Page through lists by key (keyset paging), without counting the rows and without reading those of earlier pages.

A page is named by the row at its edge: ``?after=123`` shows what comes after the row with this key, in the order of the
list, and ``?before=123`` what comes before it. So each page takes as long as the first one, and a row that comes
meanwhile moves nothing from page to page. Where there is more than one page, the page says so, and not how many rows.

A list offers to be sorted by columns with an index: ``sortable_by`` says which.
Source: https://use-the-index-luke.com/no-offset
"""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connections
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest
from unfold.views import ChangeList

AFTER, BEFORE = "after", "before"
Column = tuple[str, bool, bool]
"""The name of a column, whether it is in descending order, and whether rows without a value are at the end."""


class Turned:
    """What the template of Unfold needs of a paginator."""

    template_name = "billing/admin_paging.html"

    def __init__(self, per_page: int) -> None:
        self.per_page = per_page
        self.num_pages = 1


class TurnedChangeList(ChangeList):
    """A list whose pages are named by the row at their edge."""

    before: Any = None
    after: Any = None

    def get_filters_params(self, params: Any = None) -> Any:
        """Leave out the place, which is no filter."""
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (AFTER, BEFORE)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Begin with the first page wherever a filter or the order changes."""
        here: dict[str, Any] = dict.fromkeys((AFTER, BEFORE))
        return super().get_query_string({**here, **(new_params or {})}, remove)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Take the list's own order where the address asks for nothing that is offered."""
        found = super().get_ordering(request, queryset)
        if self.params.get(ORDER_VAR) and [_named(one)[0] for one in found] == ["pk"]:
            own = self.model_admin.get_ordering(request) or self._get_default_ordering()
            return self._get_deterministic_ordering(own)
        return list(found)

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return by what a column is sorted. None: it is not offered, so an address cannot ask for it either."""
        offered = self.sortable_by
        if offered is not None and field_name in self.list_display and str(field_name) not in offered:
            return None
        return super().get_ordering_field(field_name)

    def _get_deterministic_ordering(self, ordering: Any) -> list[Any]:
        """End with the key, in the direction of the column before it, so that one index has the order."""
        found = list(ordering)
        names = [_named(one) for one in found]
        if any(name in ("pk", self.lookup_opts.pk.name) for name, _ in names):
            return found
        return [*found, "-pk" if names and names[-1][1] else "pk"]

    def get_results(self, request: HttpRequest) -> None:
        """Read one page and one row more."""
        size = self.list_per_page
        columns = [column_of(one, self.queryset.db) for one in self.queryset.query.order_by]
        backwards = BEFORE in request.GET
        place = self._place(request.GET.get(BEFORE) or request.GET.get(AFTER), columns)
        rows = page(self.queryset, columns, place, size + 1, backwards=backwards)
        more, rows = len(rows) > size, rows[:size]
        if backwards:
            rows.reverse()
        is_first = not more if backwards else place is None
        is_last = place is None if backwards else not more
        if rows and not is_first:
            self.before = rows[0].pk
        if rows and not is_last:
            self.after = rows[-1].pk
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = len(rows)  # nothing more is told beside the title
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = Turned(size)

    @property
    def is_whole(self) -> bool:
        """Return whether these are all rows."""
        return self.before is None and self.after is None

    @property
    def first_page(self) -> str:
        return self.get_query_string()

    @property
    def page_before(self) -> str:
        return "" if self.before is None else self.get_query_string({BEFORE: str(self.before)})

    @property
    def page_after(self) -> str:
        return "" if self.after is None else self.get_query_string({AFTER: str(self.after)})

    def _place(self, key: str | None, columns: list[Column]) -> tuple[Any, ...] | None:
        """Return the values of the row at the edge. None: the first page, also where there is no such row any more."""
        if not key:
            return None
        try:
            wanted = self.model._meta.pk.to_python(key)
        except ValidationError as error:
            raise IncorrectLookupParameters(error) from None
        names = [name for name, *_ in columns]
        return self.root_queryset.order_by().filter(pk=wanted).values_list(*names).first()


class PagedAdmin:
    """An admin whose list is turned in this way."""

    show_full_result_count = False
    list_per_page = 50
    list_disable_select_all = True  # nobody knows how many that would be

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return TurnedChangeList


def column_of(order: Any, using: str) -> Column:
    """Return the column of a part of an order. Empty values are where the database has them, or the order says."""
    name, descends = _named(order)
    if isinstance(order, OrderBy) and (order.nulls_first or order.nulls_last):
        return name, descends, bool(order.nulls_last)
    return name, descends, _empty_is_last(using, descends)


def _named(order: Any) -> tuple[str, bool]:
    """Return the name of the column, and whether it descends."""
    if isinstance(order, OrderBy) and isinstance(order.expression, F):
        return order.expression.name, order.descending
    return str(order).removeprefix("-"), str(order).startswith("-")


def page(
    rows: QuerySet[Any], columns: list[Column], place: tuple[Any, ...] | None, size: int, *, backwards: bool = False
) -> list[Any]:
    """Return so many rows in the order of ``columns``: those after the place, or those before it, the nearest first.

    Rows without a value stand together at one end, as the database has them. They are read by a query of their own, as
    no index has them in one order with the others.
    """
    if backwards:
        columns = [(name, not descends, not empty_last) for name, descends, empty_last in columns]
    rows = rows.order_by(*(_order(column, rows.db) for column in columns))
    if place is None:
        return list(rows[:size])
    name, _, empty_last = columns[0]
    is_empty = place[0] is None
    found = list(rows.filter(_beyond(rows.model, columns, place))[:size])
    empty_comes = empty_last != is_empty
    if len(found) < size and _may_be_empty(rows.model, name) and empty_comes:
        there = Q(**{f"{name}__isnull": not is_empty})
        found += rows.filter(there)[: size - len(found)]
    return found


def _order(column: Column, using: str) -> Any:
    """Return the column as a part of an order. It says where empty values are only if an index has them elsewhere."""
    name, descends, empty_last = column
    if empty_last == _empty_is_last(using, descends):
        return f"-{name}" if descends else name
    empty = {"nulls_last": True} if empty_last else {"nulls_first": True}
    return F(name).desc(**empty) if descends else F(name).asc(**empty)


def _beyond(model: type[Model], columns: list[Column], place: tuple[Any, ...]) -> Q:
    """Return the condition for rows after the place among those whose first column has a value, or has none, as it has.

    The first column is bounded by itself too, which is said twice so that its index is used.
    """
    beyond, same = Q(pk__in=[]), Q()
    for position, ((name, descends, empty_last), value) in enumerate(zip(columns, place, strict=True)):
        if value is None:
            further = Q() if position and not empty_last else Q(pk__in=[])
            further &= Q(**{f"{name}__isnull": False})
            equal = Q(**{f"{name}__isnull": True})
        else:
            further = Q(**{f"{name}__{'lt' if descends else 'gt'}": value})
            if position and _may_be_empty(model, name) and empty_last:
                further |= Q(**{f"{name}__isnull": True})
            equal = Q(**{name: value})
        beyond |= same & further
        same &= equal
    name, descends, _ = columns[0]
    if place[0] is None:
        return Q(**{f"{name}__isnull": True}) & beyond
    return Q(**{f"{name}__{'lte' if descends else 'gte'}": place[0]}) & beyond


def _empty_is_last(using: str, descends: bool) -> bool:
    """Return whether the database puts rows without a value at the end of this order."""
    return bool(connections[using].features.nulls_order_largest) != descends


def _may_be_empty(model: type[Model], name: str) -> bool:
    try:
        return bool(getattr(model._meta.get_field(name), "null", True))
    except FieldDoesNotExist:
        return True
