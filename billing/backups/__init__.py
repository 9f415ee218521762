"""Backups: making one, restoring one, and what must be found out before a restored database works again.

``making`` makes one file of a copy (``copies``) and of what it holds (``contents``), encrypted (``archive``).
``restoring`` brings it into an empty place, where it is held (``billing.held``). ``after`` finds out what is missing.
"""

import os
from pathlib import Path


class NotDone(Exception):
    """A backup was not made, or not restored. The text says why, and what to do."""


def last_line(text: bytes, *, default: str) -> str:
    """Return the last line of what a program said."""
    lines = text.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else default


def put_on_disk(place: Path) -> None:
    """Wait until the file, or the names in the folder, are on the disk."""
    opened = os.open(place, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
