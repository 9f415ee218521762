"""The command ``python -m tests.browser.screenshots``. It writes a picture of each page into var/screenshots/.

There is a folder for light, for dark, and for the width of a phone. ``make screenshots`` calls it.
"""

import os
import re
import shutil
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Browser, Page, StorageState, sync_playwright  # noqa: E402

from demo.stack import ROOT  # noqa: E402
from tests.browser import practices, steps  # noqa: E402
from tests.browser import site as sites  # noqa: E402
from tests.browser.test_pages import LISTS, pages_of  # noqa: E402

FOLDER = ROOT / "var" / "screenshots"
LOOKS: dict[str, tuple[Any, Any]] = {
    "light": ("light", sites.WIDE),
    "dark": ("dark", sites.WIDE),
    "phone": ("light", sites.PHONE),
}
WAYS = (
    ("active", "Show the next invoice"),
    ("active", "Change plan or seats"),
    ("active", "Cancel the subscription"),
    ("active", "Members of this Office"),
    ("canceled", "Take the cancellation back"),
    ("past due", "Pay 147.00 USD"),
)
"""Links on the page of an Office, each with the state in which it is there."""
OTHERS = ("/admin/", "/account/", "/account/2fa/", "/account/sessions/", "/api/v1/docs/")


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    with sites.running() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sites.chromium(), args=sites.ARGUMENTS)
        sessions = {email: site.signed_in(browser, email) for email in sites.STAFFS}
        offices = practices.made(site)
        for look in LOOKS:
            taken = sum(take(browser, site, session, look) for session in sessions.values())
            taken += sum(take_billing(browser, offices, role, look) for role in ("owner", "viewer"))
            print(f"{FOLDER / look}: {taken} pages")  # noqa: T201


def take(browser: Browser, site: sites.Site, session: StorageState, look: str) -> int:
    """Take those pages that nobody took before. Return how many."""
    scheme, viewport = LOOKS[look]
    with browser.new_context(
        base_url=site.address,
        color_scheme=scheme,
        viewport=viewport,
        storage_state=session,
    ) as context:
        page = context.new_page()
        page.set_default_timeout(sites.PATIENCE_MS)
        taken = 0
        for address in OTHERS:
            page.goto(address)
            taken += picture(page, look, address)
        for model in LISTS:
            for address in pages_of(model, page):
                taken += picture(page, look, address)
        return taken


def take_billing(browser: Browser, offices: practices.Practices, role: str, look: str) -> int:
    """Take what an Office's own people see, in each state that their Office can be in. Return how many."""
    scheme, viewport = LOOKS[look]
    session = offices.site.signed_in(browser, getattr(offices, role))
    with browser.new_context(
        base_url=offices.site.address,
        color_scheme=scheme,
        viewport=viewport,
        storage_state=session,
    ) as context:
        page = context.new_page()
        page.set_default_timeout(sites.PATIENCE_MS)
        taken = 0
        for what, state in practices.STATES.items():
            offices.open(page, what)
            steps.comes_to_say(page, state, where="#state")
            taken += picture(page, look, f"billing {role} {what}")
        if role == "owner":
            for what, link in WAYS:
                offices.open(page, what)
                page.get_by_role("link", name=link).first.click()
                page.wait_for_load_state()
                taken += picture(page, look, f"billing {link}")
        return taken


def picture(page: Page, look: str, address: str) -> bool:
    name = re.sub(r"\W+", "_", re.sub(r"/\d+/", "/", address)).strip("_") or "first"
    file = FOLDER / look / f"{name}.png"
    if file.exists():
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file, full_page=True)
    return True


if __name__ == "__main__":
    main()
