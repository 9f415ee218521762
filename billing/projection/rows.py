"""Writing one row: never over a newer look, only what changed, and with the history of a subscription."""

import copy
from collections.abc import Iterable
from typing import Any

from django.db import models as orm

from billing import clock
from billing.audit import trail
from billing.models import Subscription, SubscriptionChange
from billing.models.statuses import REVENUE

OLDEST = 0
"""The ticket of what was seen without a look. Every look is newer. With it, ``save`` writes only missing rows."""
WATCHED = ("status", "plan_price_id", "quantity", "monthly_amount")


def save_all(wanted: Iterable[tuple[Any, dict[str, Any]]], ticket: int) -> None:
    """Write the values into each row, unless a newer look wrote the row. Save only what changed."""
    same: dict[type[Any], list[int]] = {}
    for row, values in wanted:
        if row.pk and row.ticket < ticket and all(getattr(row, name) == value for name, value in values.items()):
            same.setdefault(type(row), []).append(row.pk)
        else:
            save(row, values, ticket)
    for model, keys in same.items():
        model._default_manager.filter(pk__in=keys, ticket__lt=ticket).update(ticket=ticket)


def may_write(row: Any, ticket: int) -> bool:
    """Return whether a look with this ticket may write the row: no newer look did."""
    return not row.pk or (row.ticket <= ticket and ticket != OLDEST)


def save(row: Any, values: dict[str, Any], ticket: int) -> None:
    """Write the values into the row, unless a newer look wrote it. Save only what changed."""
    if not may_write(row, ticket):
        return
    before = values_of(row) if row.pk else {}
    save_changes(row, values | {"ticket": ticket})
    if isinstance(row, Subscription):
        _record_step(row, before)


def save_changes(row: Any, values: dict[str, Any]) -> None:
    """Write the values into the row, which this transaction read under the Office's lock. Save only what changed."""
    changed = [name for name, value in values.items() if not row.pk or getattr(row, name) != value]
    before = copy.copy(row) if row.pk and changed else None
    for name in changed:
        setattr(row, name, values[name])
    if before:
        trail.save_changed(row, before=before, names=changed)
    elif changed:
        row.save()


def values_of(row: orm.Model) -> dict[str, Any]:
    """Return the row's values by the names of their columns."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def _record_step(row: Subscription, before: dict[str, Any]) -> None:
    """Add a row to the subscription's history if it is new (``before`` is empty) or a ``WATCHED`` column changed."""
    if before and all(before[name] == getattr(row, name) for name in WATCHED):
        return
    was_revenue = before.get("status") in REVENUE
    SubscriptionChange.objects.create(
        subscription=row,
        office_id=row.office_id,
        at=clock.billing(),
        status_before=before.get("status", ""),
        status_after=row.status,
        price_before_id=before.get("plan_price_id"),
        price_after_id=row.plan_price_id,
        quantity_before=before.get("quantity", 0),
        quantity_after=row.quantity,
        mrr_before=before.get("monthly_amount", 0) if was_revenue else 0,
        mrr_after=row.monthly_amount if row.counts_as_revenue else 0,
        currency=row.currency,
    )
