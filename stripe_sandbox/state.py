"""The state file: everything that a store holds, in SQLite. It is written before an answer shows it.

When ``save`` returns, the operating system has the data. So nothing is lost if the process ends, even if it is
killed. If the machine fails, the last moments may be lost.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stripe_sandbox import deliveries, timeline
from stripe_sandbox.kinds import INDEXED, Row
from stripe_sandbox.store import Store

VERSION = 1
DELIVERY, ANSWER, META = "delivery", "answer", "meta"
AS_BYTES = {"event": "_data", ANSWER: "body"}  # the one field of a kind that holds bytes
DERIVED = {"_noted", "_stuck", "_deliveries"}  # computed again from the rows
METAS = ("offset", "settings", "faults", "next_charges", "trouble", "chosen_mode")
READ_AT_ONCE = 2_000
ENCODER = json.JSONEncoder(separators=(",", ":"), check_circular=False)
TABLE = "CREATE TABLE rows (kind TEXT, id TEXT, row TEXT NOT NULL, data BLOB, PRIMARY KEY (kind, id))"
WRITE = (
    "INSERT INTO rows VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET row = excluded.row, data = excluded.data"
)


class WrongFile(Exception):
    """The file cannot be used by this version."""


class StateFile:
    """A store's file. Only one process can use it at a time."""

    def __init__(self, path: Path) -> None:
        """Open the file. If there is none, make it.

        Raises:
            WrongFile: it is something else, or another process uses it.
        """
        try:
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=1)
            self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            (version,) = self.connection.execute("PRAGMA user_version").fetchone()
            (tables,) = self.connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            if (version, tables > 0) not in ((0, False), (VERSION, True)):
                raise WrongFile(_wrong(path))
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=NORMAL")
            self.connection.execute("PRAGMA wal_autocheckpoint=8000")
            self.connection.execute("BEGIN IMMEDIATE")
            if not tables:
                self.connection.execute(TABLE)
                self.connection.execute(f"PRAGMA user_version={VERSION}")
            self.connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise WrongFile(f"{path} cannot be used: {error}. Another process may have it.") from error
        except sqlite3.DatabaseError as error:
            raise WrongFile(_wrong(path)) from error

    def load(self, store: Store) -> None:
        """Fill the store from the file. What became due in the meantime waits for the next request."""
        rows: list[Row] = []
        for kind, key, row in self._read():
            if kind == DELIVERY:
                store.deliveries[key] = row
            elif kind == ANSWER:
                store.answers[key] = row
            elif kind == META:
                known = getattr(store, key)
                setattr(store, key, known | row if isinstance(known, dict) else row)
            else:
                rows.append(row)
        for row in sorted(rows, key=lambda one: one["_seq"]):
            store.objects[row["_kind"]][row["id"]] = row
            for name in INDEXED.get(row["_kind"], ()):
                store.indexes[row["_kind"], name][row.get(name)][row["id"]] = row
            store.sequence = max(store.sequence, row["_seq"])
        _load_deliveries(store)
        store.answers = dict(sorted(store.answers.items(), key=lambda one: one[1]["at"]))
        if store.seed is not None:
            store.random.seed(f"{store.seed}/{store.sequence}/{len(store.deliveries)}")  # other ids than before
        timeline.rebuild(store)
        store.unsaved.clear()
        store.all_unsaved = not (rows or store.deliveries or store.answers)

    def _read(self) -> Iterator[tuple[str, str, Any]]:
        """Read kind, id and row of everything. Many rows are parsed together, so that they share their field names."""
        cursor = self.connection.execute("SELECT kind, id, row, data FROM rows")
        while found := cursor.fetchmany(READ_AT_ONCE):
            parsed = json.loads(f"[{','.join(text for _, _, text, _ in found)}]")
            for (kind, key, _, data), row in zip(found, parsed, strict=True):
                if data is not None:
                    row[AS_BYTES[kind]] = data
                yield kind, key, row

    def save(self, store: Store) -> None:
        """Write what changed since the last time: all of it or nothing."""
        gone = [one for one in store.unsaved if _kept(store, *one) is None]
        names = _everything(store) if store.all_unsaved else iter(store.unsaved)
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            if store.all_unsaved:
                self.connection.execute("DELETE FROM rows")
            self.connection.executemany("DELETE FROM rows WHERE kind = ? AND id = ?", gone)
            self.connection.executemany(WRITE, _written(store, names))
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        store.unsaved.clear()
        store.all_unsaved = False

    def close(self) -> None:
        self.connection.close()


def _wrong(path: Path) -> str:
    return (
        f"{path} is not a state file of this version of the local Stripe (older ones were JSON). "
        "Delete it or give another name, and begin anew."
    )


def _load_deliveries(store: Store) -> None:
    """Connect each event to its deliveries, and let the pending deliveries wait."""
    events = store.objects["event"]
    for event in events.values():
        event["_deliveries"] = []
    known = [one for one in store.deliveries.values() if one["event"] in events]
    known.sort(key=lambda one: events[one["event"]]["_seq"])
    store.deliveries = {one["id"]: one for one in known}
    for delivery in known:
        events[delivery["event"]]["_deliveries"].append(delivery["id"])
        if delivery["status"] == "pending":
            deliveries.wait_until(store, delivery, delivery["due"])


def _everything(store: Store) -> Iterator[tuple[str, str]]:
    for kind, rows in store.objects.items():
        yield from ((kind, key) for key in rows)
    yield from ((DELIVERY, key) for key in store.deliveries)
    yield from ((ANSWER, key) for key in store.answers)
    yield from ((META, name) for name in METAS)


def _kept(store: Store, kind: str, key: str) -> Any:
    if kind == META:
        return getattr(store, key)
    if kind == DELIVERY:
        return store.deliveries.get(key)
    if kind == ANSWER:
        return store.answers.get(key)
    return store.objects[kind].get(key)


def _written(store: Store, names: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str, str, bytes | None]]:
    for kind, key in names:
        row = _kept(store, kind, key)
        if row is None:
            continue
        data = None
        if isinstance(row, dict) and kind != META:
            row = {name: value for name, value in row.items() if name not in DERIVED}
            data = row.pop(AS_BYTES[kind], None) if kind in AS_BYTES else None
        yield kind, key, ENCODER.encode(row), data
