"""The table of variables as people read it: .env.example, and docs/settings.md."""

import itertools
import textwrap
from typing import Any

from config.variables.table import SECTIONS
from config.variables.variable import Derived, Variable

WIDTH = 120
INTRODUCTION = (
    "Copy this file to .env. Keys are only there: never in the database, never in the repository. `make demo` does not "
    "need a .env. It makes its own secrets in var/demo/. This file is made of config/variables/, so change it there "
    "and run python -m config.variables.",
    "Each line is NAME=value, without blanks before the = and without quotes around the value. A comment has a line of "
    "its own. An empty value is the same as none: the default is used. Lists have commas between their parts. What is "
    "wrong stops the start. A line that begins with #NAME= shows the default, or an example.",
)
SETTINGS = """# The settings

Each is a variable of the environment, or a line in `.env`. `.env.example` says more about each. This page is made of
`config/variables/`: change it there, and run `python -m config.variables`. An empty value is the default. A value that
is wrong stops the start, and one error names all that are wrong. `ENV_FILE` names another file than `.env`.
"""


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {".env.example": example(), "docs/settings.md": page()}


def example() -> str:
    """Return .env.example."""
    parts = [_comment(text) for text in INTRODUCTION]
    for title, rows in SECTIONS.items():
        parts += [f"# === {title} ===", *(_lines(row) for row in rows)]
    return "\n\n".join(parts) + "\n"


def page() -> str:
    """Return docs/settings.md."""
    parts = [SETTINGS]
    for title, rows in SECTIONS.items():
        table = [f"## {title}\n", "| Variable | What it is for | It must be | Default |", "|---|---|---|---|"]
        table += [f"| `{row.name}` | {_first_sentence(row.help)} | {row.kind.says} | {_default(row)} |" for row in rows]
        parts.append("\n".join(table) + "\n")
    return "\n".join(parts)


def _lines(row: Variable[Any]) -> str:
    shown = row.default if isinstance(row.default, str) and row.default else row.example
    told = f"{row.help} Default: {row.default.says}." if isinstance(row.default, Derived) else row.help
    return f"{_comment(told)}\n{'' if row.is_needed else '#'}{row.name}={shown}"


def _comment(text: str) -> str:
    wrapped = (
        textwrap.wrap(line, WIDTH - 2, break_long_words=False, break_on_hyphens=False) for line in text.splitlines()
    )
    lines = itertools.chain.from_iterable(wrapped)
    return "\n".join(f"# {line}" for line in lines)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].partition("\n")[0].rstrip(".:")


def _default(row: Variable[Any]) -> str:
    if isinstance(row.default, Derived):
        return row.default.says
    return f"`{row.default}`" if row.default else "must be set" if row.is_needed else "–"
