"""The operator's page names what a restricted key of Stripe needs: what the outbound list has, and nothing more."""

import re
from pathlib import Path

from billing.stripe_api.outbound_list import ALLOWED

PAGE = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
CALLED = {
    "billing_portal": "customer portal",
    "checkout": "checkout sessions",
    "invoiceitems": "invoice items",
    "radar": "early fraud warnings",
}
"""The resources of which the page has another word than the address."""


def named(level: str) -> set[str]:
    """Return what the page says that the key must be allowed to write or read."""
    [found] = re.findall(rf"^- \*\*{level}:\*\* (.*?)\.$", PAGE, re.MULTILINE | re.DOTALL)
    return {re.sub(r" \(.*?\)", "", one).strip() for one in " ".join(found.split()).split(",")}


def resources(*methods: str) -> set[str]:
    found = {path.split("/")[2] for method in methods for path in ALLOWED.get(method, {})}
    return {CALLED.get(one, one.replace("_", " ")) for one in found}


def test_what_is_changed_must_be_writable():
    assert named("Write") == resources("post", "delete")


def test_what_is_only_read_must_be_readable():
    assert named("Read") == resources("get") - resources("post", "delete")
