"""The command ``python -m tests.browser.pictures``. It takes the pictures of README.md into docs/pictures/.

``make pictures`` calls it. They show a demo with a past. BROWSER_DEMO and BROWSER_PASSWORD name one that runs already.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from demo import stack as stacks  # noqa: E402
from demo.seed_names import PAST_DAYS  # noqa: E402
from tests.browser import site as sites  # noqa: E402
from tests.processes import OF_TESTS, without  # noqa: E402

FOLDER = stacks.ROOT / "docs" / "pictures"
SIZE = {"width": 1200, "height": 760}


def overview(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_text("Billed each month").first.evaluate("one => one.scrollIntoView({block: 'start'})")
    page.mouse.wheel(0, -90)


def office(page: Page) -> None:
    page.goto("/admin/billing/office/?q=harbor")
    page.get_by_role("link", name="Harbor Pediatrics").first.click()


def worklist(page: Page) -> None:
    page.goto("/admin/billing/followup/")


def preview(page: Page) -> None:
    """Show what two more seats cost, before it is confirmed."""
    office(page)
    page.goto(page.url.replace("/change/", "/change-plan/"))
    page.locator("[name=quantity]").fill("8")
    page.locator("[name=why]").select_option("office_asked")
    page.get_by_role("button", name="Show what it costs").click()


PICTURES: dict[str, Callable[[Page], None]] = {
    "overview": overview,
    "office": office,
    "worklist": worklist,
    "preview": preview,
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with running() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=sites.chromium(), args=sites.ARGUMENTS)
        session = site.signed_in(browser, sites.STAFF)
        with browser.new_context(base_url=site.address, viewport=SIZE, storage_state=session) as context:  # type: ignore[arg-type]
            page = context.new_page()
            page.set_default_timeout(sites.PATIENCE_MS)
            for name, go in PICTURES.items():
                go(page)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=FOLDER / f"{name}.png")


@contextlib.contextmanager
def running() -> Iterator[sites.Site]:
    """Return the demo that BROWSER_DEMO names, or run one with a past inside the block."""
    if os.environ.get("BROWSER_DEMO"):
        with sites.running() as site:
            yield site
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        without(*OF_TESTS),
        stacks.running(
            Path(folder),
            web_port=stacks.free_port(),
            stripe_port=stacks.free_port(),
            past=timedelta(days=PAST_DAYS),
        ) as stack,
    ):
        stack.make_past(print)
        stack.seed()
        yield sites.Site(stack)


if __name__ == "__main__":
    main()
