"""A long run of the state machine and the histories, with a new seed: ``make soak``. docs/soak.md keeps its result."""

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[1]
REPORT = ROOT / "docs" / "soak.md"
STEP = "step: "
SELDOM = 100
"""A kind of step that happens in fewer than one of this many lives is too rare. Then the soak fails."""


@dataclass(frozen=True)
class Part:
    """One long test. ``variables`` of the environment set its length; the variable ``seed`` sets where it begins."""

    title: str
    test: str
    seed: str
    variables: tuple[str, ...]
    again: str
    """The variables that repeat one seed."""


@dataclass(frozen=True)
class Result:
    """The result of a part."""

    part: Part
    seed: int
    code: int
    runs: list[ElementTree.Element]
    counted: Counter[str]
    seconds: float

    @property
    def failed(self) -> list[ElementTree.Element]:
        return [run for run in self.runs if run.find("failure") is not None or run.find("error") is not None]

    @property
    def rare(self) -> list[str]:
        """Return the kinds of step that were too rare."""
        steps = [name for name in self.counted if name.startswith(STEP)]
        return [name for name in steps if self.counted[name] * SELDOM < self.counted["lives"]]

    @property
    def passed(self) -> bool:
        return self.code == 0 and bool(self.runs) and not self.failed and not self.rare


PARTS = (
    Part(
        "Random sequences of operations",
        "tests/test_state_machine.py",
        "STATE_MACHINE_SEED",
        ("STATE_MACHINE_RUNS", "STATE_MACHINE_EXAMPLES", "STATE_MACHINE_STEPS"),
        "STATE_MACHINE_RUNS=1",
    ),
    Part(
        "Random histories in random orders",
        "tests/test_histories.py",
        "HISTORIES_SEED",
        ("HISTORIES", "HISTORIES_ORDERS", "HISTORIES_TOGETHER"),
        "HISTORIES=1",
    ),
)


def main() -> int:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    print(f"SEED={seed}", flush=True)  # noqa: T201
    commit = _commit()
    results = [_run(part, seed) for part in PARTS]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(_report(seed, commit, results))
    return 0 if all(result.passed for result in results) else 1


def _run(part: Part, seed: int) -> Result:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.xml"
        command = [sys.executable, "-m", "pytest", "-n", os.environ.get("CORES", "2"), f"--junitxml={file}", part.test]
        code = subprocess.run(command, cwd=ROOT, env={**os.environ, part.seed: str(seed)}, check=False).returncode
        runs = list(ElementTree.parse(file).iter("testcase")) if file.exists() else []  # noqa: S314  our own
    counted: Counter[str] = Counter()
    for run in runs:
        for one in run.iter("property"):
            if one.get("name") == "counted":
                counted.update(json.loads(one.get("value") or "{}"))
    return Result(part, seed, code, runs, counted, time.monotonic() - began)


def _report(seed: int, commit: str, results: list[Result]) -> str:
    passed = all(result.passed for result in results)
    lines = [
        "# The last soak",
        "",
        f"Written by `make soak`. The same again: `{_same_again(seed)}`.",
        "",
        "| | |",
        "|---|---|",
        f"| Result | {'passed' if passed else '**failed**'} |",
        f"| Date | {datetime.now(UTC):%Y-%m-%d %H:%M} UTC |",
        f"| Commit | {commit} |",
        f"| Took | {sum(result.seconds for result in results) / 60:.0f} minutes on {os.cpu_count()} cores, "
        f"Python {platform.python_version()} |",
        "",
    ]
    for result in results:
        lines += _section(result)
    return "\n".join(lines)


def _same_again(seed: int) -> str:
    """Return the command with how much was run, because that need not be what `make soak` runs today."""
    amounts = [f"{name}={os.environ[name]}" for part in PARTS for name in part.variables if name in os.environ]
    return " ".join([f"SEED={seed}", *amounts, ".venv/bin/python -m tests.soak"])


def _section(result: Result) -> list[str]:
    part = result.part
    asked = ", ".join(f"{name}={os.environ.get(name, '')}" for name in part.variables)
    told = "passed" if result.passed else f"**failed**: {len(result.failed)} of {len(result.runs)} tests"
    lines = [
        f"## {part.title}",
        "",
        f"`{part.test}` with {asked}, {result.seconds / 60:.0f} minutes: {told} (exit {result.code}).",
        "",
        f"One seed again: `{part.seed}={result.seed} {part.again} .venv/bin/pytest -n 0 "
        f"{part.test}`, with the other variables as above.",
        "",
    ]
    lines += [f"**Too rare:** {name}: {result.counted[name]} times." for name in result.rare]
    for run in result.failed:
        trouble = run.find("failure") if run.find("failure") is not None else run.find("error")
        said = (trouble.get("message") or "")[:2000] if trouble is not None else ""
        lines += [f"### {run.get('name')}", "", "```", said, "```", ""]
    counts = [f"| {name} | {result.counted[name]} |" for name in sorted(result.counted)]
    return [*lines, "| What happened | Times |", "|---|---:|", *counts, ""]


def _commit() -> str:
    """Return the tested commit, and say if files differ from it."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.check_output([*git, "rev-parse", "--short=12", "HEAD"], text=True).strip()
        status = subprocess.check_output([*git, "status", "--porcelain", "--untracked-files=no"], text=True)
    except (OSError, subprocess.CalledProcessError):
        return "none: not a checkout"
    changed = [line for line in status.splitlines() if not line.endswith(str(REPORT.relative_to(ROOT)))]
    return f"{head}, with changes that are not committed" if changed else head


if __name__ == "__main__":
    sys.exit(main())
