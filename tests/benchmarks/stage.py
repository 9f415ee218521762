"""What every benchmark stands on: an empty database of its own, and the facts of the machine."""

import contextlib
import os
import platform
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


@contextlib.contextmanager
def database() -> Iterator[None]:
    """Django is set up as in production, on a migrated database file, which is gone afterwards.

    No Stripe is spoken to.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": str(ROOT / "tests" / "production.env"),
            "DATABASE_URL": f"libsql:///{folder}/bench.db",
            "LOG_LEVEL": "ERROR",
        }
        warnings.filterwarnings("ignore", "No directory at")  # static files are not collected here
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield


def machine() -> str:
    """One line that says on what the figures were measured."""
    import django

    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load {load}; {platform.system()}, "
        f"Python {platform.python_version()}, Django {django.__version__}, SQLite {sqlite3.sqlite_version}"
    )
