"""What the benchmarks share: a database of their own on either engine, a web server, and the facts of the machine."""

import contextlib
import multiprocessing
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
ENV_FILE = ROOT / "tests" / "production.env"
POSTGRES = "BENCH_POSTGRES_URL"
KEY, SECRET, HOST = "sk_test_not_a_key", "whsec_not_a_secret", "billing.vendor.example"
"""The same values as in production.env."""
READY_SECONDS = 30
GOAL_MISSED = 3
"""The exit code of a bench that measured everything and missed a goal, where the goal is checked: ``pages``."""


def on_each_database(measure: Callable[[], None]) -> None:
    """Measure on a database file, and on PostgreSQL if a server is given. Each runs in its own process."""
    server, failed = os.environ.get(POSTGRES, ""), 0
    for engine in ("", server) if server else ("",):
        child = multiprocessing.get_context("spawn").Process(target=_measured, args=(measure, engine))
        child.start()
        child.join()
        if child.exitcode and failed in (0, GOAL_MISSED):
            failed = child.exitcode
    if failed:
        sys.exit(failed)


def _measured(measure: Callable[[], None], server: str) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, contextlib.ExitStack() as stack:
        os.environ["DATABASE_URL"] = (
            stack.enter_context(_postgres(server)) if server else f"libsql:///{folder}/bench.db"
        )
        print(f"\n-- {'PostgreSQL' if server else 'database file, synchronous=FULL'}", flush=True)
        measure()


@contextlib.contextmanager
def _postgres(server: str) -> Iterator[str]:
    """Yield the URL of an empty database at this server, and drop it afterwards."""
    import psycopg

    name = f"bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def set_up(settings: str = "config.settings") -> None:
    """Set up Django as in production, and create the tables of DATABASE_URL."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": settings, "ENV_FILE": str(ENV_FILE)}
    os.environ["DATABASE_PLAIN_ON_LOOPBACK"] = "true"  # for the server of BENCH_POSTGRES_URL
    os.environ.setdefault("LOG_LEVEL", "CRITICAL")
    warnings.filterwarnings("ignore", "No directory at")  # static files are not collected here
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@contextlib.contextmanager
def database() -> Iterator[None]:
    """Set up Django as in production, on a migrated database file, and delete the file afterwards.

    Stripe is not called.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["DATABASE_URL"] = f"libsql:///{folder}/bench.db"
        set_up()
        yield


def set_up_beside(stripe: str) -> None:
    """Set up as ``set_up`` does, with this local Stripe in place of Stripe, and with account and webhook endpoint."""
    os.environ["BENCH_STRIPE"] = stripe
    set_up("tests.benchmarks.settings")
    from billing import accounts
    from billing.audit import actor

    by = actor.job("benchmark")
    accounts.record_account(by=by, reason="benchmark")
    accounts.register_endpoint(at_stripe=True, by=by, reason="benchmark")


@contextlib.contextmanager
def web(*more: str) -> Iterator[tuple[int, int]]:
    """Run the web server as the Procfile starts it, with this process's settings. Yields its process id and port.

    ``more`` are options that come after those of the Procfile.
    """
    from demo.stack import free_port, web_command

    port = free_port()
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    static = tempfile.TemporaryDirectory(prefix="bench-static-")
    os.environ["STATIC_ROOT"] = static.name
    subprocess.run(collect, cwd=ROOT, check=True)
    command = [sys.executable, *web_command(port, "--log-level", "critical", *more)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + READY_SECONDS
        while not _answers(port):
            assert process.poll() is None, "the web server did not start"
            assert time.monotonic() < until, "the web server does not answer"
            time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()
        static.cleanup()


def _answers(port: int) -> bool:
    headers = {"Host": HOST, "X-Forwarded-Proto": "https"}
    try:
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/nothing", headers=headers), timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def processor(pid: int) -> float:
    """Return the seconds of processor time that the process and its children have used."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            own = int(stat.parent.name)
            fields = stat.read_text().rpartition(")")[2].split()
            if pid in (own, int(fields[1])):
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def percentiles(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1_000:,.1f}, p99 {cuts[98] * 1_000:,.1f} ms"


def verdict(name: str, found: float, goal: float, *, least: bool = True, unit: str = "") -> None:
    met = "met" if (found >= goal if least else found <= goal) else "missed"
    print(f"{name} {found:.2f}{unit} (goal at {'least' if least else 'most'} {goal:g}: {met})", flush=True)


def void(why: str) -> NoReturn:
    """Report that the figures say nothing, and fail the run."""
    print(f"VOID: {why}", flush=True)
    sys.exit(1)


def machine() -> str:
    """Return one line about the machine of the measurement."""
    import django

    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{names[0] if names else platform.machine()}, {os.cpu_count()} cores, load {load}; {platform.system()}, "
        f"Python {platform.python_version()}, Django {django.__version__}, SQLite {sqlite3.sqlite_version}"
    )
