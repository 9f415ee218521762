"""Offices in each state in which their people can find them, with one owner and one viewer for all of them."""

import json
import subprocess
import sys
import uuid
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from demo import stack as stacks
from tests.browser import site as sites

A_MONTH_SECONDS = 32 * 86_400
DECLINES = 9
"""More than there are attempts until the tests are over."""
LONG_TRIAL = 90
STATES = {
    "active": "active",
    "past due": "past due",
    "no card": "trialing",
    "canceled": "active, ends",
    "ended": "canceled",
}
"""What the page calls the state of each Office, in its badge. A canceled one is active until its period ends."""
VISA = {"payment_method": "pm_card_visa"}
TEAM = {**VISA, "quantity": 3}


@dataclass(frozen=True)
class Practices:
    """``suffix`` makes all names new, because a demo can be used more than once."""

    site: sites.Site
    suffix: str

    @property
    def owner(self) -> str:
        return f"owner-{self.suffix}@practice.example"

    @property
    def viewer(self) -> str:
        return f"viewer-{self.suffix}@practice.example"

    def name(self, what: str) -> str:
        return f"{what.capitalize()} Practice {self.suffix}"

    def add(self, what: str, price: str, start: dict[str, Any], cancel: dict[str, Any] | None = None) -> str:
        """Add an Office with both people, and return its name."""
        self.add_all([(what, price, start, cancel)])
        return self.name(what)

    def add_all(self, offices: list[tuple[str, str, dict[str, Any], dict[str, Any] | None]]) -> None:
        wanted = [
            {"name": self.name(what), "price": price, "start": start, "cancel": cancel}
            for what, price, start, cancel in offices
        ]
        given = json.dumps({"owner": self.owner, "viewer": self.viewer, "offices": wanted})
        command = [sys.executable, "-m", "tests.browser.add_offices", given]
        subprocess.run(command, cwd=stacks.ROOT, env=self.site.stack.environment, check=True)

    def open(self, page: Page, what: str) -> None:
        """Show the page of an Office to whoever is signed in: from the list of all of theirs."""
        page.goto("/billing/")
        page.get_by_role("link", name=self.name(what), exact=True).click()
        page.locator("#state").wait_for()


def made(site: sites.Site, owing: tuple[str, ...] = ()) -> Practices:
    """Add an Office in each state. ``owing``: others that are past due, too.

    A month passes before those are added that must not renew or end by it.
    """
    practices = Practices(site, uuid.uuid4().hex[:6])
    due = ("past due", *owing)
    practices.add_all([(one, "seats-monthly", TEAM, None) for one in due])
    for one in due:
        customer = site.customer(practices.name(one))
        site.at_stripe("charges", outcome="decline", code="insufficient_funds", next=DECLINES, customer=customer)
    site.at_stripe("clock", advance=A_MONTH_SECONDS)
    practices.add_all(
        [
            ("active", "seats-monthly", TEAM, None),
            ("no card", "practice-monthly", {"trial_days": LONG_TRIAL}, None),
            ("canceled", "seats-monthly", TEAM, {"at_period_end": True}),
            ("ended", "practice-monthly", VISA, {"at_period_end": False}),
        ]
    )
    return practices
