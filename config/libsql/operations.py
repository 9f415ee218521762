"""Django's SQL for a libSQL server, which has none of the functions that Django adds to SQLite in Python.

Dates, times, durations and regular expressions are said with the server's own functions. What has none is refused
with ``NotSupportedError`` when a query is made, and no wrong value is returned.
Source: https://www.sqlite.org/lang_datefunc.html
"""

import contextlib
import re
import sqlite3
from typing import Any

from django.conf import settings
from django.db import NotSupportedError
from django.db.backends.sqlite3 import operations
from django.db.models import StdDev, Variance
from django.db.models import functions as f
from django.utils.functional import cached_property

UNSUPPORTED = (
    StdDev,
    Variance,
    f.MD5,
    f.SHA1,
    f.SHA224,
    f.SHA256,
    f.SHA384,
    f.SHA512,
    f.LPad,
    f.RPad,
    f.Repeat,
    f.Mod,
    f.Log,
    f.Random,
)
FORMATS = {
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
    "iso_year": "%Y",
    "week_day": "%w",
    "iso_week_day": "%w",
    "quarter": "%m",
    "week": "%j",
}
ISO_THURSDAY = ", '-3 days', 'weekday 4'"
ADJUST = {
    "week_day": "{} + 1",
    "iso_week_day": "({} + 6) %% 7 + 1",
    "quarter": "({} + 2) / 3",
    "week": "({} - 1) / 7 + 1",
}
TRUNC = {
    "year": ", 'start of year'",
    "month": ", 'start of month'",
    "week": ", 'weekday 0', '-6 days'",
    "day": ", 'start of day'",
}
TIME_FORMATS = {"hour": "%H:00:00", "minute": "%H:%M:00", "second": "%H:%M:%S"}

Sql = tuple[str, tuple[Any, ...]]


def _whole_seconds(sql: str, params: Any) -> Sql:
    """Without the fraction: SQLite rounds .9995 and more up to the next second."""
    return f"substr({sql}, 1, instr({sql} || '.', '.') - 1)", (*params, *params)


def _microseconds(value: str) -> str:
    """Microseconds since 1970 of a date, a datetime or a time in text; a number is kept."""
    whole, _ = _whole_seconds(value, ())
    fraction = f"CAST(substr({value} || '.', instr({value} || '.', '.') + 1) AS INTEGER)"
    return f"CASE typeof({value}) WHEN 'text' THEN unixepoch({whole}) * 1000000 + {fraction} ELSE {value} END"


def _truncated(lookup: str, sql: str, params: Any, function: str) -> Sql:
    if lookup == "quarter":
        month = f"(CAST(strftime(%s, {sql}) AS INTEGER) - 1) %% 3"
        cut = f"{function}({sql}, 'start of month', '-' || ({month}) || ' months')"
        return cut, (*params, "%m", *params)
    if lookup == "week":
        sql = f"date({sql})"
    return f"{function}({sql}{TRUNC[lookup]})", tuple(params)


class DatabaseOperations(operations.DatabaseOperations):
    @cached_property
    def _references_graph(self) -> Any:
        return self._tables_that_refer_to

    def _tables_that_refer_to(self, table: str) -> tuple[str, ...]:
        """Find them here: the server cannot match with Django's regular expression."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
            tables = dict(cursor.fetchall())
        found: set[str] = set()
        todo = [table]
        while todo:
            if (name := todo.pop()) not in found:
                found.add(name)
                pattern = re.compile(rf"""\sreferences\s+["']?{re.escape(name)}["']?\s*\(""", re.IGNORECASE)
                todo += [other for other, sql in tables.items() if sql and pattern.search(sql)]
        return tuple(found)

    def _quote_params_for_last_executed_query(self, params: Any) -> tuple[str, ...]:
        """Quote here. Django asks the server, for each statement that it notes, and a lost connection raises there."""
        with contextlib.closing(sqlite3.connect(":memory:")) as here:
            return tuple(here.execute("SELECT QUOTE(?)", (param,)).fetchone()[0] for param in params)

    def check_expression_support(self, expression: Any) -> None:
        if isinstance(expression, UNSUPPORTED):
            name = type(expression).__name__
            raise NotSupportedError(f"{name} needs a function in Python, which a libSQL server cannot call.")
        super().check_expression_support(expression)

    def combine_expression(self, connector: str, sub_expressions: Any) -> str:
        if connector == "#":
            raise NotSupportedError("A libSQL server has no bitwise XOR.")
        return super().combine_expression(connector, sub_expressions)

    def regex_lookup(self, lookup_type: str) -> str:
        return "(SELECT regexpi(r, l) FROM (SELECT %s AS l, %s AS r))"

    def _in_zone(self, sql: str, params: Any, tzname: str | None) -> Sql:
        sql, params = _whole_seconds(sql, params)
        if not (tzname and settings.USE_TZ) or tzname == self.connection.timezone_name:
            return sql, params
        return f"datetime({sql}, %s)", (*params, self._offset(tzname))

    def _offset(self, tzname: str) -> str:
        match = re.fullmatch(r"(?:UTC)?([+-]\d\d)(:\d\d)?", tzname)
        if match and self.connection.timezone_name == "UTC":
            return match[1] + (match[2] or ":00")
        raise NotSupportedError(f"A libSQL server cannot convert to the time zone {tzname!r}. Use UTC or an offset.")

    def datetime_extract_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> Sql:
        lookup = lookup_type.lower()
        if lookup not in FORMATS:
            raise NotSupportedError(f"A libSQL server cannot extract {lookup!r}.")
        sql, params = self._in_zone(sql, params, tzname)
        shift = ISO_THURSDAY if lookup in ("week", "iso_year") else ""
        value = f"CAST(strftime(%s, {sql}{shift}) AS INTEGER)"
        return f"({ADJUST.get(lookup, '{}').format(value)})", (FORMATS[lookup], *params)

    def date_extract_sql(self, lookup_type: str, sql: str, params: Any) -> Sql:
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def time_extract_sql(self, lookup_type: str, sql: str, params: Any) -> Sql:
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def date_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> Sql:
        sql, params = self._in_zone(sql, params, tzname)
        return _truncated(lookup_type.lower(), sql, params, "date")

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None) -> Sql:
        sql, params = self._in_zone(sql, params, tzname)
        if time_format := TIME_FORMATS.get(lookup_type.lower()):
            return f"strftime(%s, {sql})", ("%Y-%m-%d " + time_format, *params)
        return _truncated(lookup_type.lower(), sql, params, "datetime")

    def time_trunc_sql(self, lookup_type: str, sql: str, params: Any, tzname: str | None = None) -> Sql:
        sql, params = self._in_zone(sql, params, tzname)
        return f"strftime(%s, {sql})", (TIME_FORMATS[lookup_type.lower()], *params)

    def datetime_cast_date_sql(self, sql: str, params: Any, tzname: str | None) -> Sql:
        sql, params = self._in_zone(sql, params, tzname)
        return f"date({sql})", params

    def datetime_cast_time_sql(self, sql: str, params: Any, tzname: str | None) -> Sql:
        if tzname and settings.USE_TZ and tzname != self.connection.timezone_name:
            zoned, zoned_params = self._in_zone(sql, params, tzname)
            cast = f"(time({zoned}) || substr({sql}, instr({sql} || '.', '.')))"
            return cast, (*zoned_params, *params, *params)
        return f"substr({sql}, 12)", params

    def subtract_temporals(self, internal_type: str, lhs: Any, rhs: Any) -> Sql:
        (lhs_sql, lhs_params), (rhs_sql, rhs_params) = lhs, rhs
        difference = f"({_microseconds('l')}) - ({_microseconds('r')})"
        return f"(SELECT {difference} FROM (SELECT {lhs_sql} AS l, {rhs_sql} AS r))", (*lhs_params, *rhs_params)

    def combine_duration_expression(self, connector: str, sub_expressions: Any) -> str:
        lhs, rhs = sub_expressions
        source = f"(SELECT {lhs} AS l, {rhs} AS r)"
        if connector in "*/":
            return f"(SELECT CAST(l AS REAL) {connector} r FROM {source})"
        rest = "((t %% 1000000) + 1000000) %% 1000000"
        return (
            f"(SELECT CASE WHEN t IS NULL THEN NULL WHEN d THEN date((t - m) / 1000000, 'unixepoch') "
            f"ELSE datetime((t - m) / 1000000, 'unixepoch') || "
            f"CASE m WHEN 0 THEN '' ELSE '.' || substr('000000' || m, -6) END END "
            f"FROM (SELECT t, d, {rest} AS m FROM (SELECT ({_microseconds('l')}) {connector} ({_microseconds('r')}) "
            f"AS t, (typeof(l) = 'text' AND length(l) = 10) OR (typeof(r) = 'text' AND length(r) = 10) AS d "
            f"FROM {source})))"
        )
