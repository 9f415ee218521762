"""What of an entry is sealed: one form of its values that is the same on every database, and its MAC.

A leaf never changes once it was written. A column that comes later makes a new version, for new entries only.
"""

import functools
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType

from billing.models import AuditEntry

VERSION = 1
COLUMNS = (
    *("nonce", "timestamp", "billing_at", "kind", "action", "content_type_id", "object_pk", "object_id", "object_repr"),
    *("changes", "changes_text", "serialized_data", "additional_data", "actor_id", "actor_kind", "actor_label"),
    *("actor_email", "office_id", "reason", "request_id", "cid", "remote_addr", "remote_port", "what"),
)
"""The columns of version 1, in the order in which ``leaf`` takes their values."""


def of(entry: AuditEntry) -> bytes:
    """Return the leaf of an entry, which need not be saved."""
    return leaf([getattr(entry, name) for name in COLUMNS])


def leaf(values: Sequence[Any]) -> bytes:
    """Return JSON with sorted keys, no blanks and ASCII only. Times are UTC with microseconds; ids are as they are."""
    given = dict(zip(COLUMNS, values, strict=True))
    given["content_type"] = _name_of(given.pop("content_type_id"))
    given["object_pk"], given["object_repr"] = str(given["object_pk"]), str(given["object_repr"])
    return _to_json({"v": VERSION, **given}).encode()


def mac(entry: AuditEntry) -> str:
    """Return the entry's MAC with the newest key: the key's name, and HMAC-SHA256 over the leaf."""
    return mac_of(of(entry))


def mac_of(leaf: bytes) -> str:
    return _mac(settings.AUDIT_ENTRY_KEYS[0], leaf)


def macs_of(text: bytes) -> list[str]:
    """Return the MAC of any text with each of our keys, the newest first."""
    return [_mac(key, text) for key in settings.AUDIT_ENTRY_KEYS]


def has_right_mac(leaf: bytes, given: str) -> bool:
    """Return whether somebody with one of our keys wrote this entry."""
    name = given.partition(":")[0]
    return any(hmac.compare_digest(_mac(key, leaf), given) for key in settings.AUDIT_ENTRY_KEYS if _name(key) == name)


def _mac(key: str, leaf: bytes) -> str:
    return f"{_name(key)}:{hmac.digest(_bytes(key), leaf, 'sha256').hex()}"


@functools.cache
def _bytes(key: str) -> bytes:
    return bytes.fromhex(key)


@functools.cache
def _name(key: str) -> str:
    """Return what tells keys apart, and says nothing about them."""
    return hmac.digest(bytes.fromhex(key), b"name of the key", "sha256").hex()[:8]


def _in_words(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)


_to_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_in_words).encode


def _name_of(content_type: int) -> str:
    """Return the kind of row as ``app_label.model``: its number is another one in another database."""
    found = ContentType.objects.get_for_id(content_type)
    return f"{found.app_label}.{found.model}"
