"""Print what the gate for typed text finds: ``python -m tests.text [tuned] [untouched] [--misses]``.

The texts to be refused have a kind each. What counts is that a text is refused, whatever is found in it.
"""

import sys
from collections import Counter
from pathlib import Path

from billing.text import gate
from billing.text.gate import Typed

HERE = Path(__file__).parent
FIELDS = {
    "office_name": Typed.BUSINESS_NAME,
    "billing_email": Typed.EMAIL,
    "contact": Typed.BUSINESS_NAME,
    "plan_name": Typed.PLAN_NAME,
    "price_name": Typed.PLAN_NAME,
    "discount_code": Typed.CODE,
    "note": Typed.NOTE,
    "reason": Typed.REASON,
    "legal_basis": Typed.LEGAL_BASIS,
    "user_name": Typed.PERSON_NAME,
}


def rows(name: str) -> list[list[str]]:
    """Return the lines of a corpus, split at the tabs. Escapes such as \\u200b are written out in the file."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [[_unescaped(part) for part in line.split("\t")] for line in lines if line.strip() and line[0] != "#"]


def _unescaped(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("unicode_escape") if "\\" in text else text


def misses(half: str) -> list[list[str]]:
    """Return the rows of kind, field and text that should be refused and are not."""
    return [row for row in rows(f"{half}_smuggled.txt") if not gate.refusal(row[2], FIELDS[row[1]])]


def alarms(half: str) -> list[list[str]]:
    """Return the rows of field, text and what was found that should be kept and are not."""
    judged = [[*row, gate.refusal(row[1], FIELDS[row[0]])] for row in rows(f"{half}_ordinary.txt")]
    return [row for row in judged if row[2]]


def main(halves: list[str]) -> None:
    for half in halves:
        if (HERE / f"{half}_smuggled.txt").exists():
            _print_recall(half)
        if (HERE / f"{half}_ordinary.txt").exists():
            _print_alarms(half)


def _print_recall(half: str) -> None:
    missed = misses(half)
    all_of, missed_of = Counter(row[0] for row in rows(f"{half}_smuggled.txt")), Counter(row[0] for row in missed)
    for kind, count in sorted(all_of.items()):
        print(f"{half}: {kind}: {count - missed_of[kind]} of {count} refused")
    print(f"{half}: recall {1 - len(missed) / all_of.total():.3f} of {all_of.total()}")
    for row in missed:
        print("  missed:", *map(ascii, row))


def _print_alarms(half: str) -> None:
    wrong, count = alarms(half), len(rows(f"{half}_ordinary.txt"))
    print(f"{half}: {len(wrong)} false alarms among {count} ordinary texts ({len(wrong) / count:.1%})")
    for what, number in Counter(row[2] for row in wrong).most_common():
        print(f"{half}: {what}: {number}")
    for row in wrong:
        print("  wrongly refused:", *map(ascii, row))


if __name__ == "__main__":
    main(sys.argv[1:] or ["tuned", "untouched"])
