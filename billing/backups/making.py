"""Making a backup: copy, encrypt, put on disk, read again, and only then give the file its name."""

import contextlib
import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from billing import clock
from billing.audit import trail
from billing.audit.actor import Actor
from billing.backups import NotDone, archive, contents, copies, put_on_disk
from billing.models import AuditEntry, Backup
from config import VERSION

FORMAT = 1
TIME = "%Y%m%dT%H%M%SZ"
UNFINISHED = ".unfinished-"


def make(folder: Path, *, by: Actor, reason: str) -> tuple[Backup, list[str]]:
    """Make a backup in this folder. Return it, and the names of the old ones that were removed.

    Web and worker go on. While it runs, the folder needs room for three times the database. What a killed run left is
    removed by the next one.

    Raises:
        NotDone: the text says whether there is a new backup.
        OSError, django.db.Error: there is no new backup, and the old ones are as before.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(folder) as work:
        now = clock.wall()
        name = f"{_kind()}-{now:{TIME}}.age"
        if (folder / name).exists():
            raise NotDone(f"There is a backup {name} already. Try again in a second.")
        unfinished = work / name
        _write(unfinished, work)
        made = Backup(
            name=name,
            made_at=now,
            size=unfinished.stat().st_size,
            digest=_digest_of(unfinished),
            verified_at=clock.wall(),
        )
        unfinished.rename(folder / name)
        try:
            put_on_disk(folder)
            with trail.acting(by, reason=reason), transaction.atomic(durable=True):
                made.save(force_insert=True)
                trail.record_act(trail.installation(), f"made a backup of {made.size:,} bytes: {name}")
        except BaseException:
            (folder / name).unlink()
            raise
        return made, _remove_old(folder, made)


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[Path]:
    """Yield a new folder in this one, for what is not finished. Raises: NotDone: another backup is being made there."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotDone(f"Another backup is being made in {folder}.") from None
        for left in folder.glob(f"{UNFINISHED}*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as work:
            yield Path(work)


def _write(to: Path, work: Path) -> None:
    """Write the file, then read it again and compare. Raises: NotDone."""
    form, key = copies.form_of(connection.settings_dict), connection.settings_dict["PASSWORD"]
    last_before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    copy, again = work / "copy", work / "again"
    made_at = clock.billing()
    copies.make(connection, copy)
    held = contents.read(copy, form, key=key)
    if held.entry < last_before:
        raise NotDone(f"The copy ends at the audit entry {held.entry}, and {last_before} was there before it was made.")
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": to.name,
        "version": VERSION,
        "form": form.value,
        "kind": settings.STRIPE_KIND,
        "livemode": settings.STRIPE_LIVE_MODE,
        "made_at": made_at.isoformat(),
        **held.as_json(),
    }
    archive.write(to, manifest=manifest, copy=copy)
    if archive.read(to, copy=again) != manifest or contents.read(again, form, key=key) != held:
        raise NotDone(
            "The backup does not hold what was copied. The disk or the memory of this machine may be damaged."
        )


def _remove_old(folder: Path, made: Backup) -> list[str]:
    """Remove what is beyond BACKUP_KEEP or older than BACKUP_KEEP_DAYS, and never the one that was just verified."""
    pattern = re.compile(rf"{_kind()}-(\d{{8}}T\d{{6}}Z)\.age")
    found = sorted((one.name for one in folder.iterdir() if pattern.fullmatch(one.name)), reverse=True)
    before = made.made_at - timedelta(days=settings.BACKUP_KEEP_DAYS)
    old = [
        name
        for place, name in enumerate(found)
        if name != made.name and (place >= settings.BACKUP_KEEP or _made_at(name) < before)
    ]
    for name in old:
        try:
            (folder / name).unlink()
        except OSError as error:
            raise NotDone(
                f"{made.name} was made and verified. But an old backup could not be removed: {name} ({error.strerror})."
            ) from error
    return old


def _made_at(name: str) -> datetime:
    return datetime.strptime(name.removesuffix(".age").rpartition("-")[2], TIME).replace(tzinfo=UTC)


def _kind() -> str:
    """Return how the names begin, so that live and test backups can be in one folder."""
    if settings.STRIPE_KIND == "sandbox":
        return "sandbox"
    return "live" if settings.STRIPE_LIVE_MODE else "test"


def _digest_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
