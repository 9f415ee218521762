"""The move, step by step. It can be killed after any of them, and the next run continues from there.

The old database is frozen first, so what is copied cannot change. Each batch is committed in the new database together
with how far it got. The old one is marked as moved only after everything was compared.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import OperationalError, transaction
from django.db.migrations.loader import MigrationLoader

from billing import clock
from billing.audit import actor, append_only, trail
from billing.models import AuditEntry, Operation, StripeAccount, WorkerHeartbeat
from billing.monitoring.figures import DEAD_SECONDS
from billing.moving import freezing, in_use, mark, places, rows, sequences, tables
from billing.moving.mark import Mark, State

ANEW = "Run move_database --abandon, empty the new database, and move again."


class NotMoved(Exception):
    """The data is not moved; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A table of which every row is in both databases with the same values."""

    name: str
    rows: int
    checksum: str
    seconds: float


def move(source: Any, target: Any, *, reason: str, tell: Callable[[str], None]) -> list[Arrived]:
    """Copy everything, compare it, and mark the source as moved. The target is the default connection.

    Returns:
        What arrived: one for each table that has rows. Empty, if an earlier run had compared it.

    Raises:
        NotMoved, rows.CannotHold: with what to do.
    """
    begun = _begin(source, target)
    arriving = mark.read(target)
    if arriving is None or arriving.state is State.PREPARING:
        tell("Making the tables …")
        arriving = _prepare(source, target, begun, arriving)
    arrived: list[Arrived] = []
    if arriving.state is State.FILLING:
        seconds = _fill(source, target, arriving, tell)
        tell("Comparing …")
        arrived = _compare(source, target, seconds)
        _record(source, target, reason)
    _end(source, target, begun.move)
    return arrived


def abandon(source: Any) -> Mark:
    """Let the source be used again. Raises: NotMoved."""
    found = mark.read(source)
    if found is None or found.state not in (State.MOVING, State.MOVED):
        raise NotMoved("This database is not being moved, and was not moved.")
    freezing.thaw(source)
    return found


def _begin(source: Any, target: Any) -> Mark:
    """Freeze the source, or take up the move that froze it."""
    where, begun = places.in_words(target.settings_dict), mark.read(source)
    if begun is None:
        _require_complete_version(source)
        if target.introspection.table_names():
            raise NotMoved(f"--to: {where} is not empty. Name a database without tables.")
        _require_stopped(source)
        _require_settled()
        return _freeze(source, where)
    if begun.state not in (State.MOVING, State.MOVED) or begun.other != where:
        raise NotMoved(mark.in_words(begun))
    arriving = mark.read(target)
    if arriving is not None and arriving.move == begun.move:
        return begun
    if begun.state is State.MOVED:
        raise NotMoved(mark.in_words(begun))
    if target.introspection.table_names():
        raise NotMoved(f"--to: {where} is not empty, and this move did not fill it. Name a database without tables.")
    return begun


def _freeze(source: Any, where: str) -> Mark:
    moving = Mark(State.MOVING, uuid.uuid4().hex, where, _version(source), _now())
    try:
        freezing.freeze(source, moving)
    except OperationalError as error:
        raise NotMoved(
            f"The old database is in use, so nothing was changed ({error}). Stop web and workers."
        ) from error
    try:
        _require_settled()  # an operation can have begun since the first look
    except NotMoved:
        freezing.thaw(source)
        raise
    return moving


def _require_complete_version(source: Any) -> None:
    loader = MigrationLoader(source)
    ours = {key for key in loader.disk_migrations if key[0] == "billing"}
    there = {key for key in loader.applied_migrations if key[0] == "billing"}
    waiting = [key for key in loader.graph.leaf_nodes() if key not in loader.applied_migrations]
    if waiting:
        raise NotMoved("The old database lacks migrations of this version. Run: python manage.py migrate")
    if there - ours:
        raise NotMoved("The old database was used by a later version. Move it with that version.")
    if unknown := tables.unknown_with_rows(source):
        raise NotMoved(
            f"The old database has rows in tables that this version does not know, so they would be left behind: "
            f"{', '.join(unknown)}. Take them out of the database first."
        )


def _require_stopped(source: Any) -> None:
    since = clock.wall() - timedelta(seconds=DEAD_SECONDS)
    if lately := WorkerHeartbeat.objects.using(places.SOURCE).filter(seen_at__gt=since).first():
        raise NotMoved(
            f"The worker {lately} runs, or ran within the last {DEAD_SECONDS} seconds. Stop all web servers and "
            "workers. If one was killed, wait two minutes."
        )
    if in_use.others_connected(source):
        raise NotMoved(
            "Another process has the old database open. Stop all web servers and workers, and close what else is "
            "connected to it. Stop the pooler too, if there is one."
        )


def _require_settled() -> None:
    unsettled = Operation.objects.using(places.SOURCE).filter(status__in=Operation.UNSETTLED)
    if how_many := unsettled.count():
        raise NotMoved(
            f"{how_many} operations have no outcome yet, such as: {unsettled.first()}. Let a worker settle them: "
            "python manage.py worker --once"
        )


def _prepare(source: Any, target: Any, begun: Mark, arriving: Mark | None) -> Mark:
    """Make the tables, and empty what making them wrote: it arrives from the source with the source's keys."""
    if arriving is None:
        preparing = replace(begun, state=State.PREPARING, other=places.in_words(source.settings_dict))
        with transaction.atomic(using=target.alias):
            mark.put(target, preparing)
    else:  # killed half-way, and nothing of ours is in there
        preparing = arriving
        _drop_all(target)
    call_command("migrate", verbosity=0, interactive=False)
    filling = replace(preparing, state=State.FILLING)
    with_rows = [table for table in tables.moved() if table._base_manager.exists()]
    with append_only.lifted(target), target.cursor() as cursor:
        for table in with_rows:
            cursor.execute(f"DELETE FROM {target.ops.quote_name(table._meta.db_table)}")  # noqa: S608
        mark.change(target, filling)
    ContentType.objects.clear_cache()
    return filling


def _drop_all(target: Any) -> None:
    """Empty the target, which an earlier run of this move found empty and put its mark on."""
    cascade = " CASCADE" if target.vendor == "postgresql" else ""
    target.disable_constraint_checking()
    with target.cursor() as cursor:
        for name in target.introspection.table_names(cursor):
            if name != mark.TABLE:
                cursor.execute(f"DROP TABLE {target.ops.quote_name(name)}{cascade}")
    target.enable_constraint_checking()


def _fill(source: Any, target: Any, filling: Mark, tell: Callable[[str], None]) -> dict[str, float]:
    """Copy the tables that are not complete yet. Returns the seconds that each of them took."""
    seconds = {}
    for group in tables.in_order(source.alias):
        names = tuple(table._meta.db_table for table in group.tables)
        if set(names) <= set(filling.done):
            continue
        tell(f"{', '.join(names)} …")
        begun = time.monotonic()
        if group.refer_to_one_another:
            filling = _copy_at_once(group.tables, names, source, target, filling)
        else:
            filling = _copy(group.tables[0], source, target, filling)
        seconds[names[0]] = time.monotonic() - begun
    return seconds


def _copy_at_once(
    group: tuple[tables.Table, ...], names: tuple[str, ...], source: Any, target: Any, filling: Mark
) -> Mark:
    """Copy tables in one transaction, at whose end the database checks what they refer to."""
    complete = replace(filling, done=(*filling.done, *names))
    with transaction.atomic(using=target.alias):
        for table in group:
            for batch in rows.batches(table, source.alias):
                rows.write(table, batch, target)
        mark.change(target, complete)
    return complete


def _copy(table: tables.Table, source: Any, target: Any, filling: Mark) -> Mark:
    """Copy a table batch by batch, from where an earlier run stopped."""
    name = table._meta.db_table
    for batch in rows.batches(table, source.alias, after=filling.after if filling.table == name else ""):
        with transaction.atomic(using=target.alias):
            rows.write(table, batch, target)
            filling = replace(filling, table=name, after=rows.key_of(table, batch[-1]))
            mark.change(target, filling)
    complete = replace(filling, done=(*filling.done, name), table="", after="")
    mark.change(target, complete)
    return complete


def _compare(source: Any, target: Any, seconds: dict[str, float]) -> list[Arrived]:
    """Set the next keys, and return each table with its checksum. Raises: NotMoved where anything differs."""
    sequences.carry_over(tables.moved(), source, target)
    arrived = []
    for table in tables.moved():
        name, begun = table._meta.db_table, time.monotonic()
        there, here = rows.checksum(table, source.alias), rows.checksum(table, target.alias)
        if there != here:
            raise NotMoved(f"{name} differs: {there[0]} rows in the old database, {here[0]} in the new one. {ANEW}")
        if here[0]:
            arrived.append(Arrived(name, *here, seconds.get(name, 0) + time.monotonic() - begun))
    if (entry := _first_other_entry(source, target)) is not None:
        raise NotMoved(f"The audit trail differs at the entry {entry}. {ANEW}")
    return arrived


def _first_other_entry(source: Any, target: Any) -> str | None:
    """Hold the audit trails against each other, entry by entry, in their order."""
    both = zip(rows.batches(AuditEntry, source.alias), rows.batches(AuditEntry, target.alias), strict=True)
    for there, here in both:
        for one, other in zip(there, here, strict=True):
            if rows.canonical(AuditEntry, one) != rows.canonical(AuditEntry, other):
                return rows.key_of(AuditEntry, one)
    return None


def _record(source: Any, target: Any, reason: str) -> None:
    """Write into the new audit trail that the data was moved, and that it is complete."""
    what = f"moved the data from {places.in_words(source.settings_dict)} to {places.in_words(target.settings_dict)}"
    account = StripeAccount.objects.first() or StripeAccount(pk=1, account_id="no account yet", livemode=False)
    arriving = mark.read(target)
    assert arriving
    with trail.acting(actor.job("move_database"), reason=reason), transaction.atomic():
        trail.record_act(account, what)
        mark.change(target, replace(arriving, state=State.COMPLETE, ended_at=_now()))


def _end(source: Any, target: Any, move_id: str) -> None:
    """Mark the source as moved first: until then it is the one that counts."""
    begun = mark.read(source)
    if begun is None or begun.move != move_id:
        raise NotMoved("The move was abandoned while it ran. Empty the new database before you move again.")
    if begun.state is State.MOVING:
        mark.change(source, replace(begun, state=State.MOVED, ended_at=_now()))
    mark.remove(target)


def _version(source: Any) -> str:
    """Return the name of our newest migration, which tells versions apart."""
    return max(name for app, name in MigrationLoader(source).disk_migrations if app == "billing")


def _now() -> str:
    return clock.wall().isoformat(sep=" ", timespec="seconds")
