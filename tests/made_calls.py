"""What came of the calls that Schemathesis made of the API's document, for the end of a run: by role and status."""

from collections import Counter, defaultdict
from typing import Any

import pytest

CALLS: dict[str, Counter[str]] = defaultdict(Counter)


def note(role: str, answers: dict[str, Counter[int]]) -> None:
    """Note the answers of each operation, by status."""
    CALLS[role]["operations"] += len(answers)
    CALLS[role]["operations with 2xx"] += sum(any(200 <= one < 300 for one in counts) for counts in answers.values())
    for counts in answers.values():
        CALLS[role].update({str(status): times for status, times in counts.items()})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["calls"] = {role: dict(counts) for role, counts in CALLS.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for role, counts in getattr(node, "workeroutput", {}).get("calls", {}).items():
        CALLS[role].update(counts)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not CALLS:
        return
    terminalreporter.section("calls made of the API's document")
    for role, counts in sorted(CALLS.items()):
        statuses = {name: times for name, times in sorted(counts.items()) if name.isdigit()}
        told = ", ".join(f"{name}: {times}" for name, times in statuses.items())
        terminalreporter.write_line(
            f"  {role:10}{sum(statuses.values()):6} calls of {counts['operations']} operations, "
            f"{counts['operations with 2xx']} of them answered 2xx ({told})"
        )
