"""Run some of Django's own tests on each form of the embedded file and on a libSQL server: ``make django-suite``.

Prints for each app and form how many passed, failed, ended in an error and were skipped, and each test that did not
pass, with the reason that ``reasons.txt`` gives. It fails where a test has no reason, and where a reason is of no use
any more.
"""

import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import django

from tests.libsql_server import Server

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("stock SQLite", "embedded", "encrypted", "libSQL server")
APPS = (
    "transactions queries backends migrations schema bulk_create expressions lookup model_fields delete "
    "get_or_create aggregation introspection select_for_update constraints"
).split()
REASONS = Path(__file__).with_name("reasons.txt")


@dataclass
class Result:
    """What came of one app on one form."""

    ran: int = 0
    skipped: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    """By the test's name: "failed" or "error"."""

    @property
    def in_words(self) -> str:
        kinds = Counter(self.bad.values())
        passed = self.ran - self.skipped - len(self.bad)
        return f"{passed} / {kinds['failed']} / {kinds['error']} / {self.skipped}"


def main() -> int:
    forms = sys.argv[1:] or list(FORMS)
    with tempfile.TemporaryDirectory() as folder:
        suite = _suite(Path(folder))
        seen = {form: {app: _run(suite, form, app) for app in APPS} for form in forms}
    print(f"\nDjango {django.__version__}: passed / failed / errors / skipped\n")
    print("| app | " + " | ".join(forms) + " |")
    print("|---|" + "---|" * len(forms))
    for app in APPS:
        print(f"| {app} | " + " | ".join(seen[form][app].in_words for form in forms) + " |")
    return _explained(seen)


def _suite(folder: Path) -> Path:
    """Fetch Django's tests, of the version that is installed, and return their folder."""
    name = f"django=={django.__version__}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-binary", "django", "--dest", str(folder), name], check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / f"django-{django.__version__}" / "tests"


def _run(suite: Path, form: str, app: str) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "SUITE_FORM": form, "SUITE_FOLDER": folder}
        servers = []
        if form == "libSQL server":
            for name in ("default", "other"):
                (Path(folder) / name).mkdir()
                servers.append(Server(Path(folder) / name))
                servers[-1].start()
                variables[f"SUITE_URL_{name.upper()}"] = servers[-1].url
        command = [sys.executable, "runtests.py", "--settings=tests.django_suite.settings", "--parallel=1", app]
        try:
            ended = subprocess.run(command, cwd=suite, env=variables, capture_output=True, text=True, check=False)
        finally:
            for server in servers:
                server.kill()
    result = _read(ended.stderr)
    print(f"{form}, {app}: {result.in_words}", flush=True)
    if not result.ran:
        print(ended.stderr[-3000:])
    return result


def _read(output: str) -> Result:
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    skipped = re.search(r"skipped=(\d+)", output)
    bad = {
        where: {"FAIL": "failed", "ERROR": "error"}[kind]
        for kind, where in re.findall(r"^(FAIL|ERROR): \S+ \(([\w.]+)\)", output, re.MULTILINE)
    }
    return Result(int(ran[1]) if ran else 0, int(skipped[1]) if skipped else 0, bad)


def _explained(seen: dict[str, dict[str, Result]]) -> int:
    """Print each test that did not pass with its reason. Returns how many have none, or one that is not needed."""
    reasons = dict(_reasons())
    wrong, used = 0, set()
    for form, results in seen.items():
        for app in APPS:
            for test, kind in results[app].bad.items():
                found = f"{form}: {test}" if f"{form}: {test}" in reasons else ""
                used.add(found)
                wrong += not found
                print(f"{form}: {test} {kind}: {reasons[found] if found else 'NO REASON IS GIVEN'}")
    for start in reasons.keys() - used:
        if start.split(":")[0] in seen:
            print(f"{start}: it passes, so its reason is of no use")
            wrong += 1
    return min(wrong, 1)


def _reasons() -> list[tuple[str, str]]:
    """Read lines of "form: test = reason"."""
    lines = [line for line in REASONS.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return [(start.strip(), reason.strip()) for start, _, reason in (line.partition(" = ") for line in lines)]


if __name__ == "__main__":
    sys.exit(main())
