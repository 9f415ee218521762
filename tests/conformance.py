"""Compares everything that the local Stripes of a run showed with the schema. Any difference fails the run.

Each local Stripe runs with ``--strict``: a wrong answer or event is a 500 at once, so that the test that asked fails.
This module makes sure that no fault was missed, and adds up the counts of all test processes.
"""

from collections import Counter
from typing import Any

import httpx
import pytest

SHOWN: dict[str, Counter[str]] = {"checked": Counter(), "events": Counter()}


def note(http: httpx.Client) -> None:
    """Count what this server has checked, and fail if something deviated."""
    seen = http.get("/_sandbox/conformance").raise_for_status().json()
    for name, counts in SHOWN.items():
        counts.update(seen[name])
    faults = "\n".join(seen["faults"])
    assert not faults, f"the local Stripe deviated from its schema:\n{faults}"


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["shown"] = {name: dict(counts) for name, counts in SHOWN.items()}


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for name, counts in getattr(node, "workeroutput", {}).get("shown", {}).items():
        SHOWN[name].update(counts)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not any(SHOWN.values()):
        return
    total = {name: sum(counts.values()) for name, counts in SHOWN.items()}
    terminalreporter.section("shapes of the local Stripe")
    terminalreporter.write_line(
        f"{total['checked']} objects of answers and {total['events']} of events were validated:"
    )
    kinds = sorted(SHOWN["checked"].keys() | SHOWN["events"].keys())
    for kind in kinds:
        terminalreporter.write_line(f"  {kind:32}{SHOWN['checked'][kind]:8}{SHOWN['events'][kind]:8}")
