"""The state machine at length, with a new seed: ``make soak``. What came of it is kept in docs/soak.md."""

import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "docs" / "soak.md"
TEST = "tests/test_state_machine.py"


def main() -> int:
    asked = {name: os.environ[f"STATE_MACHINE_{name}"] for name in ("RUNS", "EXAMPLES", "STEPS")}
    seed = int(os.environ.get("STATE_MACHINE_SEED") or random.SystemRandom().randrange(10**9))
    print(f"STATE_MACHINE_SEED={seed}, {asked}", flush=True)  # noqa: T201
    commit, began = _commit(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.xml"
        command = [sys.executable, "-m", "pytest", "-n", os.environ.get("CORES", "2"), f"--junitxml={result}", TEST]
        code = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "STATE_MACHINE_SEED": str(seed)}, check=False
        ).returncode
        runs = list(ElementTree.parse(result).iter("testcase")) if result.exists() else []  # noqa: S314  our own
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(_report(seed, asked, commit, runs, code, time.monotonic() - began))
    return code


def _report(
    seed: int, asked: dict[str, str], commit: str, runs: list[ElementTree.Element], code: int, seconds: float
) -> str:
    counted: Counter[str] = Counter()
    for run in runs:
        for one in run.iter("property"):
            if one.get("name") == "counted":
                counted.update(json.loads(one.get("value") or "{}"))
    failed = [run for run in runs if run.find("failure") is not None or run.find("error") is not None]
    passed = code == 0 and len(runs) == int(asked["RUNS"]) and not failed
    lines = [
        "# The last soak",
        "",
        "Written by `make soak`, which drives `tests/test_state_machine.py` at length.",
        "",
        "| | |",
        "|---|---|",
        f"| Result | {'passed' if passed else f'**failed**: {len(failed)} of {len(runs)} runs (exit {code})'} |",
        f"| Date | {datetime.now(UTC):%Y-%m-%d %H:%M} UTC |",
        f"| Commit | {commit} |",
        f"| Seeds | {seed} to {seed + int(asked['RUNS']) - 1} |",
        f"| Asked for | {asked['RUNS']} runs of {asked['EXAMPLES']} examples of at most {asked['STEPS']} steps |",
        f"| Done | {counted.pop('examples', 0)} examples, {counted.pop('steps', 0)} steps, rows held against "
        f"Stripe's {counted.pop('compared at rest', 0)} times |",
        f"| Took | {seconds / 60:.0f} minutes on {os.cpu_count()} cores, Python {platform.python_version()} |",
        "",
        f"One seed again: `STATE_MACHINE_SEED={seed} STATE_MACHINE_RUNS=1 STATE_MACHINE_EXAMPLES={asked['EXAMPLES']} "
        f"STATE_MACHINE_STEPS={asked['STEPS']} ENV_FILE=tests/test.env .venv/bin/python -m pytest -n 0 {TEST}`",
        "",
    ]
    for run in failed:
        trouble = run.find("failure") if run.find("failure") is not None else run.find("error")
        told = (trouble.get("message") or "")[:2000] if trouble is not None else ""
        lines += [f"## {run.get('name')}", "", "```", told, "```", ""]
    lines += ["| What happened | Times |", "|---|---:|", *(f"| {one} | {counted[one]} |" for one in sorted(counted))]
    return "\n".join(lines) + "\n"


def _commit() -> str:
    """What was tested; with a word where files differ from it."""
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
