"""Runs benches and keeps what they print in docs/benchmarks.md: ``make bench``.

``make bench NAMES="looks receive"`` runs these two. Each bench has a section of its own, with the day and the commit,
which is replaced when the bench runs again. Where a bench fails, its section stays as it was, the others still run, and
the command fails at the end. The section of ``pages`` is also kept if only a goal was missed.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks import stage

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
BEGINS = """# What the benches printed

`make bench` runs all of them and writes this page: an hour or two on a quiet machine.
`make bench NAMES="looks receive"` runs some and replaces their sections. With `BENCH_POSTGRES_URL`, the address of a
server, most of them measure on PostgreSQL too.
[scale.md](scale.md) says what follows from the figures.
"""
BLANK_LINE = "\n\n"
SETTING = re.compile(r"(?:BENCH|WORKER|PAGES)_\w+|SCALE|ONLY")


def main() -> None:
    known = {path.stem: path for path in sorted(FOLDER.glob("*.py")) if '__name__ == "__main__"' in path.read_text()}
    known.pop(Path(__file__).stem)
    names = sys.argv[1:] or list(known)
    if wrong := [name for name in names if name not in known]:
        sys.exit(f"No bench is called {wrong[0]}. There are: {', '.join(known)}.")
    when, failed = f"{datetime.now(UTC):%d %B %Y}, commit {commit()}", []
    for name in names:
        print(f"== {name}", flush=True)
        printed, code = ran(name)
        failed += [name] if code else []
        if code in (0, stage.GOAL_MISSED):
            keep(name, section(known[name], when, printed))
    if failed:
        sys.exit(f"These failed or missed a goal: {', '.join(failed)}.")


def commit() -> str:
    git = shutil.which("git") or "git"
    described = subprocess.run([git, "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, check=True)
    return described.stdout.decode().strip()


def ran(name: str) -> tuple[str, int]:
    """Run the bench. Return what it printed, which is shown meanwhile, and its exit code."""
    command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
    lines = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    return "\n".join(lines).strip(), process.returncode


def section(path: Path, when: str, printed: str) -> str:
    says, _, rest = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")
    given = [
        name if "URL" in name else f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if SETTING.fullmatch(name)
    ]
    facts = f"{when}, with {', '.join(given)}" if given else when
    explained = textwrap.fill(f"{says} {rest.strip().partition(BLANK_LINE)[0]}", 120, break_on_hyphens=False)
    return f"## {path.stem}\n\n{explained}\n\n{facts}:\n\n```text\n{printed}\n```\n"


def keep(name: str, text: str) -> None:
    """Replace the section of this bench, and keep the others in the order of their names."""
    before = PAGE.read_text() if PAGE.exists() else ""
    sections = {one.partition("\n")[0]: f"## {one.strip()}\n" for one in re.split(r"^## ", before, flags=re.M)[1:]}
    sections[name] = text
    PAGE.write_text("\n".join([BEGINS, *(sections[one] for one in sorted(sections))]))


if __name__ == "__main__":
    main()
