"""The demo that the browser looks at, who signs in there, and which pages there are.

Set BROWSER_DEMO to the two ports of a `make demo` that runs already, such as 8000,12111: the web server's and the local
Stripe's. Without it a demo is started in a temporary folder, on free ports, and ends with the tests.
"""

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import Browser, Page, StorageState, ViewportSize

from demo import stack as stacks
from demo.seed_names import FINANCE, SECOND, STAFF
from tests.processes import OF_TESTS, without

ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
OFFICES = "admin:billing_office_changelist"
STAFFS = (STAFF, SECOND)
"""Who together may open each page: operator, finance and auditor; and the administrator."""
SCHEMES = ("light", "dark")
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 60_000
TO_FILES = re.compile(r"/(open_pdf|open_page|open-pdf|open-page|export)/")
"""Addresses that are no pages of ours: they lead to Stripe, or to a file."""

__all__ = ["FINANCE", "SECOND", "STAFF"]


@dataclass(frozen=True)
class Site:
    stack: stacks.Stack

    @property
    def address(self) -> str:
        return self.stack.site

    @property
    def password(self) -> str:
        return self.stack.environment["DEMO_PASSWORD"]

    def at_stripe(self, lever: str, **values: Any) -> None:
        """Ask the control plane of the local Stripe, such as to let time pass."""
        httpx.post(f"{self.stack.stripe}/_sandbox/{lever}", json=values, timeout=PATIENCE_MS / 1000).raise_for_status()

    def no_more_trouble_at_stripe(self) -> None:
        httpx.delete(f"{self.stack.stripe}/_sandbox/faults", timeout=PATIENCE_MS / 1000).raise_for_status()

    def customer(self, name: str) -> str:
        """Return the id of the customer with this name at Stripe."""
        key = self.stack.environment["STRIPE_SECRET_KEY"]
        newest = httpx.get(
            f"{self.stack.stripe}/v1/customers?limit=100",
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE_MS / 1000,
        )
        return next(one["id"] for one in newest.raise_for_status().json()["data"] if one["name"] == name)

    def sign_in(self, page: Page, email: str) -> None:
        page.goto(f"{self.address}/account/login/")
        page.get_by_label("Email").fill(email)
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/account/login/" not in url)

    def signed_in(self, browser: Browser, email: str) -> StorageState:
        """Return the cookies of a new session."""
        with browser.new_context() as context:
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            self.sign_in(page, email)
            return context.storage_state()


def chromium() -> str:
    """Return where Debian's Chromium is."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise SystemExit("There is no Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM.")
    return found


@contextlib.contextmanager
def running() -> Iterator[Site]:
    """Return the demo that BROWSER_DEMO names, or run one inside the block."""
    if ports := os.environ.get("BROWSER_DEMO"):
        web, stripe = map(int, ports.split(","))
        yield Site(stacks.Stack(stacks.ROOT / "var" / "demo", web_port=web, stripe_port=stripe))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        without(*OF_TESTS),
        stacks.running(Path(folder), web_port=stacks.free_port(), stripe_port=stacks.free_port()) as stack,
    ):
        site = Site(stack)
        site.at_stripe("settings", retry_seconds=1)  # an event that was not taken comes again while a test waits for it
        stack.seed()
        yield site


def lists() -> dict[str, str]:
    """Return the address of each list of the admin by the name of its rows."""
    names = sorted(str(model._meta.model_name) for model in admin.site._registry)
    return {name: reverse(f"admin:billing_{name}_changelist") for name in names}


def first_row(page: Page) -> str | None:
    """Return the address of the first row of the list that the page shows."""
    rows = page.locator("#result_list tbody a[href*='/change/']")
    return rows.first.get_attribute("href") if rows.count() else None


def acts(page: Page) -> list[str]:
    """Return the addresses of what can be done, from the title bar of the page about one row."""
    links = page.locator("#actions a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    return [one for one in links if one.startswith("/admin/") and not TO_FILES.search(one)]
