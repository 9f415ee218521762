"""What the local Stripes of the whole run showed, held against the schema: counted at its end, and any deviation fails.

Each runs with ``--strict``: an answer or an event that deviates is a 500 where it happens, so that the test fails that
asked. Here it is made sure that none was overlooked, and the counts of all test processes are put together.
"""

from collections import Counter
from typing import Any

import httpx
import pytest

SHOWN: dict[str, Counter[str]] = {"checked": Counter(), "events": Counter()}


def note(http: httpx.Client) -> None:
    """What this server has checked is counted; that something deviated fails."""
    seen = http.get("/_sandbox/conformance").raise_for_status().json()
    for name, counts in SHOWN.items():
        counts.update(seen[name])
    assert seen["faults"] == [], "the local Stripe deviated from its schema"


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
