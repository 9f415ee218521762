"""The file of a backup: one line of JSON, the manifest, and after it the copy of the database; all encrypted by age.

age encrypts and authenticates it in pieces, and the last piece is marked, so a file that was changed or cut off is
refused. With the key, every program of age can open it: ``age -d -i KEY FILE | tail -n +2 > copy``.
Source: https://age-encryption.org/v1
"""

import io
import json
from pathlib import Path
from typing import Any, BinaryIO

import pyrage
from django.conf import settings
from pyrage import x25519

from billing.backups import NotDone, put_on_disk

NO_KEY = (
    "BACKUP_KEYS is missing. Make a key, keep a copy of it in another place than the backups, and set it: "
    'python -c "from pyrage import x25519; print(x25519.Identity.generate())"'
)


def write(to: Path, *, manifest: dict[str, Any], copy: Path) -> None:
    """Encrypt the manifest and the copy into a new file that only its owner can read, and put it on disk.

    Raises: NotDone: there is no key.
    """
    recipient = _keys()[0].to_public()
    to.touch(mode=0o600, exist_ok=False)
    first_line = json.dumps(manifest, sort_keys=True).encode() + b"\n"
    with copy.open("rb") as database, to.open("wb") as file:
        pyrage.encrypt_io(_Joined(first_line, database), file, [recipient])
    put_on_disk(to)


def read(file: Path, *, copy: Path) -> dict[str, Any]:
    """Decrypt the file, write the copy of the database, which only its owner can read, and return the manifest.

    Raises: NotDone: no key opens it, or it was changed or cut off. What was written of the copy is of no use then.
    """
    copy.touch(mode=0o600, exist_ok=False)
    with file.open("rb") as encrypted, copy.open("wb") as database:
        parts = _Parted(database)
        try:
            pyrage.decrypt_io(encrypted, parts, _keys())
        except pyrage.DecryptError:
            raise NotDone(f"No key of BACKUP_KEYS opens {file}, or it is no backup.") from None
        except OSError as error:
            raise NotDone(f"{file} was changed or cut off, or there is no room: {error}.") from error
    put_on_disk(copy)
    return parts.manifest()


def _keys() -> list[Any]:
    if not settings.BACKUP_KEYS:
        raise NotDone(NO_KEY)
    return [x25519.Identity.from_str(key) for key in settings.BACKUP_KEYS]


class _Joined(io.RawIOBase):
    """Reads the first line, and then the file."""

    def __init__(self, first_line: bytes, rest: BinaryIO) -> None:
        self.parts: list[BinaryIO] = [io.BytesIO(first_line), rest]

    def read(self, size: int = -1) -> bytes:
        while self.parts:
            if found := self.parts[0].read(size):
                return found
            self.parts.pop(0)
        return b""


class _Parted(io.RawIOBase):
    """Keeps the first line, and writes what comes after it into the file."""

    def __init__(self, rest: BinaryIO) -> None:
        self.first_line = b""
        self.rest = rest

    def write(self, data: Any) -> int:
        given = bytes(data)
        if self.first_line.endswith(b"\n"):
            self.rest.write(given)
            return len(given)
        line, newline, rest = given.partition(b"\n")
        self.first_line += line + newline
        self.rest.write(rest)
        return len(given)

    def manifest(self) -> dict[str, Any]:
        """Raises: NotDone."""
        try:
            found = json.loads(self.first_line)
        except ValueError:
            found = None
        if not isinstance(found, dict) or "format" not in found:
            raise NotDone("The file is encrypted with our key, but it is no backup of this software.")
        return found
