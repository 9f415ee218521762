"""Files of tables, CSV and XLSX, which are written row by row: however long a table is, little of it is in memory.

A cell is a text, a whole number or a Decimal. Texts are made harmless. Amounts are numbers, never floats of ours.
"""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font

from billing.spreadsheets import harmless

Cell = str | int | Decimal | None

CSV, XLSX = "csv", "xlsx"
CONTENT_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_ROWS_OF_XLSX = 1_048_576
"""With the line of names.

Source: https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
"""
LONGEST_TEXT = 32_767
"""What a cell of XLSX can hold. Longer texts end there."""
LINES_AT_ONCE = 500
MARK = "﻿"
"""Spreadsheet programs read a CSV as UTF-8 if it begins with this mark."""


def as_csv(lines: Iterable[Sequence[Cell]], *, marked: bool = True) -> Iterator[bytes]:
    """Yield the lines as CSV, many at once. ``marked``: for people; programs that read it may want no mark."""
    file = io.StringIO()
    writer = csv.writer(file)
    if marked:
        file.write(MARK)
    for number, line in enumerate(lines, 1):
        writer.writerow([harmless(one) if isinstance(one, str) else one for one in line])
        if not number % LINES_AT_ONCE:
            yield _taken(file)
    if rest := _taken(file):
        yield rest


def as_xlsx(names: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str) -> IO[bytes]:
    """Return a workbook with one sheet, as a file that goes away when it is closed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    heads = [_cell(sheet, name) for name in names]
    for one in heads:
        one.font = Font(bold=True)
    sheet.append(heads)
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    book.save(file)
    file.seek(0)
    return file


def _cell(sheet: Any, value: Cell) -> Any:
    """Return a cell that is a text or a number, and never a formula."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        cell = WriteOnlyCell(
            sheet, ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", harmless(value))[:LONGEST_TEXT]
        )
        cell.data_type = "s"
        return cell
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        places = max(-exponent, 0) if isinstance(exponent, int) else 0
        cell.number_format = f"#,##0.{'0' * places}" if places else "#,##0"
    return cell


def _taken(file: io.StringIO) -> bytes:
    text = file.getvalue()
    file.seek(0)
    file.truncate()
    return text.encode()
