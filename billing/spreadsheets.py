"""Tables as CSV that programs for tables can open without harm."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(value: Any) -> str:
    """Return the value as text that no program for tables takes for a formula. None is an empty text.

    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return a table with a line of column names. Lists are joined by commas."""
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(columns)
    for row in rows:
        lines.writerow([harmless(_in_one_cell(row[name])) for name in columns])
    return file.getvalue()


def _in_one_cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
