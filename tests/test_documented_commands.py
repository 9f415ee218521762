"""Each command that README and docs show exists, with the arguments and flags that they show."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import CommandError, get_commands, load_command_class

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / ".env.example", *sorted((ROOT / "docs").glob("*.md"))]
WRITTEN = re.compile(r"manage\.py\s+([a-z_]+(?:[ \t]+(?:'[^'`\n]*'|\"(?:\\.|[^\"\\`\n])*\"|[^\s`'\";|)#&,]+))*)")
INLINE = re.compile(r"`[^`]+`")
LEFT_OUT = "…"
"""Stands for an argument of the reader's own."""
FOR_A_MENTION = {
    "effective_access": ["OFFICE"],
    "remove_second_factor": ["person@vendor.example"],
    "create_administrator": ["you@vendor.example"],
    "export_audit": ["trail.zip", "--reason", "why"],
    "evidence_pack": ["review.zip", "--reason", "why"],
    "journal": ["2026-10", "--reason", "why"],
    "restore": ["/srv/backups/copy.age"],
    "after_restore": ["--reason", "why"],
    "move_database": ["--to", "libsql:///srv/billing.db"],
}
"""What a command needs, if a sentence only mentions it by its name."""


def shown() -> list[tuple[str, str]]:
    """Return each command with its arguments, and the document that shows it."""
    return sorted(
        {
            (" ".join(line.split()).rstrip(".:"), file.relative_to(ROOT).as_posix())
            for file in DOCUMENTS
            for line in WRITTEN.findall(_joined(file.read_text()))
        }
    )


def _joined(text: str) -> str:
    """Return the text with each command in one line: of an inline code, and after a backslash."""
    text = re.sub(r"\\\n\s*", "", text).replace("```", "")
    return "\n\n".join(INLINE.sub(lambda found: " ".join(found[0].split()), one) for one in text.split("\n\n"))


def arguments_of(line: str) -> tuple[str, list[str]]:
    """Return the command, and its arguments without words of a sentence after them."""
    name, *rest = shlex.split(line)
    if not rest or not any(one.startswith("-") for one in rest):
        return name, rest if _takes_words(name, rest) else []
    return name, [one if one != LEFT_OUT else "why" for one in rest]


def _takes_words(name: str, rest: list[str]) -> bool:
    return bool(rest) and name in FOR_A_MENTION and len(rest) == len(FOR_A_MENTION[name])


def parsed(name: str, rest: list[str]) -> None:
    """Let the command read its arguments, as far as it does before it begins. Raises: CommandError."""
    command = load_command_class(get_commands()[name], name)
    parser = command.create_parser("manage.py", name)
    parser.parse_args(rest or FOR_A_MENTION.get(name, []))


@pytest.mark.parametrize(("line", "document"), shown())
def test_each_command_of_a_document_exists_with_its_flags(line, document):
    name, rest = arguments_of(line)

    assert name in get_commands(), document
    parsed(name, rest)


def test_a_command_or_a_flag_that_is_not_there_is_found():
    for line in ("reconcile --everything", "export_audit trail.zip --because why", "worker --twice"):
        name, rest = arguments_of(line)
        with pytest.raises(CommandError):
            parsed(name, rest)
    assert {"worker --once", "reconcile --full", "verify_audit"} <= {line for line, _ in shown()}


def test_each_command_of_ours_is_in_a_document():
    refused = {"auditlogflush", "auditlogmigratejson", "dumpdata", "flush", "loaddata"}
    ours = {name for name, app in get_commands().items() if app == "billing"} - refused

    assert ours - {arguments_of(line)[0] for line, _ in shown()} == set()
