"""What became of each row of a bulk act. What was unknown may be known by now: its operation says so. It only reads."""

from typing import Any

from django.db.models import Case, CharField, Count, F, Q, QuerySet, Value, When

from billing.models import BulkAct, BulkRow, Operation

State = BulkRow.State
OPEN = (State.WAITING, State.BEGUN)
KNOWN_BY_NOW = Q(state=State.UNKNOWN, operation__isnull=False) & ~Q(operation__status__in=Operation.UNSETTLED)
DONE = "It was done: the worker found out."


def rows_of(act: BulkAct) -> QuerySet[Any]:
    """Return the rows in their order, with the Office and the operation, and what each ``came_to``: a state."""
    came_to = Case(
        When(KNOWN_BY_NOW & Q(operation__status=Operation.Status.SUCCEEDED), then=Value(State.DONE)),
        When(KNOWN_BY_NOW, then=Value(State.FAILED)),
        default=F("state"),
        output_field=CharField(),
    )
    return act.rows.select_related("office", "operation").annotate(came_to=came_to)


def counts(act: BulkAct) -> dict[str, int]:
    """Return how many rows came to each state. One statement."""
    return dict(rows_of(act).order_by().values_list("came_to").annotate(n=Count("pk")))


def settled(numbers: dict[str, int]) -> int:
    """Return how many of these do not wait any more."""
    return sum(n for state, n in numbers.items() if state not in OPEN)


def said(row: Any) -> str:
    """Return in words what became of a row of ``rows_of``."""
    if row.came_to == row.state:
        return str(row.says)
    return DONE if row.came_to == State.DONE else str(row.operation.error_message or row.says)


def percent(numbers: dict[str, int]) -> int:
    total = sum(numbers.values())
    return 100 * settled(numbers) // total if total else 100
