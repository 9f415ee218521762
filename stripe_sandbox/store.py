"""The store: makes and changes flat rows, and sends the events for it. One event loop, no locks.

A row is an object of Stripe, but flat. What is nested in Stripe's answer (a subscription's items, an invoice's lines,
an item's price) is a row of its own; ``views`` puts the rows together. Names that begin with an underscore belong to
the sandbox and are never shown.

Every write to a row goes through ``add``, ``change``, ``remove`` or ``emit``. A write to a single value goes through
``set``. So every write can be taken back, and is known to be unsaved. Waiting deliveries and kept answers are stored
here too; ``deliveries`` and ``answers`` write them.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any

from stripe_sandbox import deliveries, views
from stripe_sandbox.kinds import Row
from stripe_sandbox.memory import Memory
from stripe_sandbox.schema.load import API_VERSION, OBJECTS, new

STAMPS = ("_changed", "_noted", "_stuck")
"""When a row changed, when something is next due for it, and what was due and failed."""
TOUCHED: list[Callable[["Store", Row], None]] = []
"""Called when a row was made or changed. The timeline notes what is next due for it."""


class Store(Memory):
    """The state of one local Stripe."""

    def add(self, kind: str, **values: Any) -> Row:
        """Make a row of this kind, with an id and its customer's time. A value that is not given is null or empty."""
        self.sequence += 1
        values.setdefault("id", self.new_id(kind))
        if "created" in OBJECTS[kind]["properties"]:
            values.setdefault("created", self.now(values.get("customer") or values.get("_customer")))
        row = new(kind, **values, _seq=self.sequence)
        self._put(row)
        self._touched(row)
        if self.undo is not None:
            self.undo.append(lambda: self._drop(row))
        return row

    def change(self, row: Row, event: str = "", **values: Any) -> None:
        """Give the row these values. The event holds the previous values. If nothing differs, there is no event."""
        before = {name: row.get(name) for name, value in values.items() if name not in row or row[name] != value}
        if not before:
            return
        shown_before = {k: views.of_field(self, row, k, v) for k, v in before.items()} if event else {}
        absent = [name for name in (*before, *STAMPS) if name not in row]
        stamps = {name: row[name] for name in STAMPS if name in row}
        self._set(row, {name: values[name] for name in before})
        self._touched(row)
        if self.undo is not None:
            self.undo.append(lambda: self._set(row, before | stamps, absent))
        if event:
            self.emit(event, row, {k: v for k, v in shown_before.items() if views.is_public(row["_kind"], k)})

    def _touched(self, row: Row) -> None:
        """Note when the row changed, and call the listeners. A rehearsal changes nothing, so it does neither."""
        if self.rehearsing:
            return
        row["_changed"] = self.time_on("")
        row.pop("_stuck", None)
        for listener in TOUCHED:
            listener(self, row)

    def emit(self, kind: str, about: Row, before: Row | None = None, *, view: Row | None = None) -> Row:
        """Make the event, with the row as it is now. It waits for each endpoint that wants it.

        ``view`` is shown in place of the row. It is for something that is announced and does not exist yet.
        """
        data: Row = {"object": view or views.shown(self, about)}
        if self.check_event:
            self.check_event(data["object"])
        if before and kind.endswith((".updated", ".detached")):
            data["previous_attributes"] = before
        customer = about["id"] if about["_kind"] == "customer" else about.get("customer") or about.get("_customer")
        endpoints = [
            one
            for one in self.objects["webhook_endpoint"].values()
            if one["status"] == "enabled" and ("*" in one["enabled_events"] or kind in one["enabled_events"])
        ]
        event = self.add(
            "event",
            type=kind,
            data={},
            api_version=API_VERSION,
            pending_webhooks=len(endpoints),
            request=dict(self.request),
            created=self.now(customer),
            _customer=customer,
            _at=self.now(),
            _deliveries=[],
            _data=zlib.compress(json.dumps(data).encode(), 1),
        )
        for endpoint in endpoints:
            deliveries.plan(self, event, endpoint["id"])
        return event
