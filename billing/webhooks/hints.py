"""Making a hint of an event: what to look at. Nothing else of the event is kept."""

import re
from datetime import UTC, datetime
from typing import Any

from billing import clock
from billing.models import ReceivedEvent
from billing.webhooks.routes import LookAt, route

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:@+-]*")


def hint_of(event: dict[str, Any]) -> ReceivedEvent:
    """Return the hint of this event. It is not saved. It is settled already if there is nothing to look at."""
    data = _mapping(event.get("data"))
    about, before = _mapping(data.get("object")), _mapping(data.get("previous_attributes"))
    customer = _id(about.get("customer")) or _id(before.get("customer"))
    if about.get("object") == "customer":
        customer = _id(about)
    created, kind, now = event.get("created"), _text(event.get("type"))[:100], clock.wall()
    ignored = route(kind) is LookAt.IGNORE
    return ReceivedEvent(
        stripe_id=_text(event.get("id")),
        type=kind,
        status=ReceivedEvent.Status.IGNORED if ignored else ReceivedEvent.Status.WAITING,
        settled_at=now if ignored else None,
        object_id=_id(about),
        customer_id=customer,
        related_id=_id(about.get("charge")) or _id(about.get("payment_intent")) or _id(about.get("invoice")),
        created_at=datetime.fromtimestamp(created, UTC) if isinstance(created, int) and 0 <= created < 2**33 else now,
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _id(value: Any) -> str:
    """Return the id, given as text or as the object that has it. "" if it cannot be an id: ids become part of URLs."""
    text = _text(value.get("id") if isinstance(value, dict) else value)
    return text if ID.fullmatch(text) else ""


def _text(value: Any) -> str:
    """Return text that every database can store: no NUL, no half of a surrogate pair, at most 255 characters."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode(errors="replace").decode()[:255]
