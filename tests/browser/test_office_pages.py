"""The pages for Offices can be read and used by everybody: axe, a phone, no script, and the keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.seed_names import OWNER, VIEWER
from tests.browser import site as sites
from tests.browser.test_keyboard import step_to_name
from tests.browser.test_pages import found

WAYS = ("Show the next invoice", "Change plan or seats", "Cancel the subscription", "Members of this Office")
NARROW = "() => document.documentElement.scrollWidth <= window.innerWidth"


@pytest.mark.parametrize("viewport", [sites.WIDE, sites.PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", sites.SCHEMES)
def test_each_page_can_be_read_and_fits(opened: Callable[..., Page], scheme: str, viewport: dict[str, int]) -> None:
    page = opened(OWNER, scheme=scheme, viewport=viewport)
    page.goto("/billing/")
    office = page.url
    problems = found(page, "the Office")
    assert page.evaluate(NARROW)
    for way in WAYS:
        page.goto(office)
        page.get_by_role("link", name=way).click()
        problems += found(page, way)
        assert page.evaluate(NARROW), way

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("scheme", sites.SCHEMES)
def test_a_viewer_sees_no_button_and_is_told_so(opened: Callable[..., Page], scheme: str) -> None:
    page = opened(VIEWER, scheme=scheme)
    page.goto("/billing/")

    expect(page.locator("main button, main form")).to_have_count(0)
    expect(page.get_by_text("change nothing")).to_be_visible()
    assert not found(page, "as a viewer")


def test_the_seats_are_changed_by_keyboard_alone_up_to_the_preview(opened: Callable[..., Page]) -> None:
    page = opened(OWNER)
    page.goto("/billing/")
    step_to_name(page, "Change plan or seats")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Change plan or seats")
    page.keyboard.press("Tab")
    step_to_name(page, "Show what it costs")
    page.keyboard.press("Enter")

    expect(page.get_by_text("already has this plan")).to_be_visible()


def test_without_a_script_a_form_leads_to_the_card_form_at_stripe(
    browser: Browser, site: sites.Site, sessions: Callable[[str], object]
) -> None:
    with browser.new_context(
        base_url=site.address,
        java_script_enabled=False,
        storage_state=sessions(OWNER),  # type: ignore[arg-type]
    ) as context:
        page = context.new_page()
        page.set_default_timeout(sites.PATIENCE_MS)
        page.goto("/billing/")
        page.get_by_role("button", name="Change the card").click()
        page.wait_for_url(lambda url: not url.startswith(site.address))
