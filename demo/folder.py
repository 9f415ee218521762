"""The folder of a demo: one demo at a time runs in it, and what an older or unfinished demo left is put aside."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from demo.stack import DidNotStart

DATA = "1"
"""Which data a demo begins with. Raise it when ``history.py`` or ``seed.py`` makes other data."""
KEPT = ("demo.env", "lock", "old")
"""What stays when the data is put aside: the password and the keys, the lock, and what was put aside before."""


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let no other demo run in this folder inside the block. Raises: DidNotStart, if one does."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DidNotStart(
                f"Another demo runs in {folder}. End it, or give this one a folder and ports of its own: "
                "make demo DEMO_FOLDER=var/demo2 WEB_PORT=8001 STRIPE_PORT=12112"
            ) from None
        yield


def has_data(folder: Path) -> bool:
    """Return whether the folder has the whole data of this version of the demo."""
    mark = folder / "data"
    return mark.is_file() and mark.read_text() == DATA


def put_aside(folder: Path) -> bool:
    """Move what another version or an unfinished start left into ``old``, in place of what is there.

    Return whether there was anything.
    """
    left = [one for one in folder.iterdir() if one.name not in KEPT]
    if not any(one.suffix == ".db" for one in left):
        return False
    old = folder / "old"
    shutil.rmtree(old, ignore_errors=True)
    old.mkdir()
    for one in left:
        one.rename(old / one.name)
    return True


def keep(folder: Path) -> None:
    """Note that the folder has the whole data."""
    (folder / "data").write_text(DATA)
