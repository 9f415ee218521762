"""How the pages of bulk acts and of price moves show how far one is, and what became of each Office."""

from typing import Any

from django.urls import reverse

from billing.bulk import results
from billing.models import BulkAct, BulkRow

State = BulkRow.State
TONES: dict[str, str] = {
    State.DONE: "success",
    State.LEFT_OUT: "warning",
    State.FAILED: "danger",
    State.UNKNOWN: "warning",
    State.BEGUN: "info",
}


def progress(act: BulkAct) -> dict[str, Any]:
    """Return how far it is: what ``admin_bulk_progress.html`` shows of it, also of a price move."""
    numbers = results.counts(act)
    return {
        "numbers": numbers,
        "ended": act.ended_at is not None,
        "percent": results.percent(numbers),
        "settled": results.settled(numbers),
        "total": sum(numbers.values()),
        "counts": [{"title": one.label, "n": numbers[one], "state": one} for one in State if one in numbers],
    }


def shown(row: Any) -> dict[str, Any]:
    """Return a row of ``results.rows_of`` as ``admin_bulk_rows.html`` shows it."""
    return {
        "office": row.office,
        "page": reverse("admin:billing_office_change", args=[row.office_id]),
        "state": State(row.came_to).label,
        "tone": TONES.get(row.came_to, ""),
        "says": results.said(row),
        "operation": reverse("admin:billing_operation_change", args=[row.operation_id]) if row.operation_id else "",
    }
