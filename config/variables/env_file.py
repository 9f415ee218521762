"""The file .env, or the one that ENV_FILE names. A variable of the process's environment wins over it."""

import difflib
import io
import logging
import os
import re
from collections.abc import Collection
from pathlib import Path

from environ import Env

from config.environment import Problems

log = logging.getLogger(__name__)

LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=.*")  # what django-environ takes. It only logs the others, with values
SIMILAR = 0.85


def read(default: Path, known: Collection[str], problems: Problems) -> None:
    """Add what the file says to the environment. Bad lines are problems; a name that looks like a typo is logged.

    Source: https://django-environ.readthedocs.io/en/latest/api.html#environ.Env.read_env
    """
    named = os.environ.get("ENV_FILE", "").strip()
    file = Path(named) if named else default
    if not file.exists():
        if named:
            problems.add("ENV_FILE", "names a file that does not exist")
        return
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        problems.add("ENV_FILE" if named else ".env", "must be a text file in UTF-8 that can be read")
        return
    good = _good_lines(lines, problems)
    Env.read_env(io.StringIO("\n".join(lines[number - 1] for number in good)))
    for name in sorted(set(good.values()) - set(known)):
        if similar := difflib.get_close_matches(name.upper(), known, n=1, cutoff=SIMILAR):
            log.warning("%s in %s is not a variable of this software. Is %s meant?", name, file, similar[0])


def _good_lines(lines: list[str], problems: Problems) -> dict[int, str]:
    """Return the name in each line that has one, by the line's number."""
    found: dict[int, str] = {}
    for number, line in enumerate(lines, 1):
        matched = LINE.fullmatch(line)
        if not matched:
            if line.strip() and not line.lstrip().startswith("#"):
                problems.add(f"line {number} of the file", "must be NAME=value, without blanks before the =")
        elif matched[1] in found.values():
            problems.add(matched[1], f"is in the file twice, again in line {number}. Remove one of them")
        else:
            found[number] = matched[1]
    return found
