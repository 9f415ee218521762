"""The table of controls: each standard and implementation specification of 45 CFR 164.308, 164.312 and 164.316.

It says what this software does, where that is in the code, and which tests show it. docs/hipaa.md shows it.
"""

from billing.evidence import administrative, documentation, technical

CONTROLS = (*administrative.CONTROLS, *technical.CONTROLS, *documentation.CONTROLS)


def as_table() -> str:
    """Return the table as docs/hipaa.md shows it."""
    rows = [
        f"| {one.citation} | {one.title} ({one.kind.value}) | {one.answer.value} | {one.what} | {_listed(one.code)} | "
        f"{_listed(one.tests)} |"
        for one in CONTROLS
    ]
    return "\n".join(["| 45 CFR | It asks for | Whose | What | Where | Shown by |", "|---|---|---|---|---|---|", *rows])


def _listed(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split()) or "–"
