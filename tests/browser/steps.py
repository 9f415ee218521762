"""What people do in the admin, step by step. Everything is found by the words on the page."""

import time
import uuid

from playwright.sync_api import Page, expect

from tests.browser import site as sites

SOON_SECONDS = 180
"""Within this time the worker has applied what happened at Stripe, on a machine that has much else to do."""
ASKED = "The Office asked for it"
GOOD_CARD = "Test card: Visa, accepted"
PRACTICE = "Practice: 199.00 USD a month"
TEAM = "Team: 49.00 USD per seat a month"


def new_name() -> str:
    return f"Practice {uuid.uuid4().hex[:6]}"


def address_of(name: str) -> str:
    return f"{name.replace(' ', '-').lower()}@practice.example"


def add_office(page: Page) -> str:
    """Add an Office with a name of its own, and return the name. The page then shows the Office."""
    name = new_name()
    page.goto(sites.lists()["office"])
    page.locator("a.addlink").click()
    page.get_by_label("Name*", exact=True).fill(name)
    page.get_by_label("Billing email").fill(address_of(name))
    page.get_by_label("The name and the address belong to the practice").check()
    page.get_by_role("button", name="Save", exact=True).click()
    says(page, f"{name} was added.")
    return name


def open_office(page: Page, name: str) -> None:
    """Look for the Office in the list, and open its page."""
    page.goto(sites.lists()["office"])
    page.locator("main").get_by_placeholder("Part of a name").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator("#sentence")).to_be_visible()


def subscribe(page: Page, plan: str, *, seats: int = 1) -> None:
    """Start the subscription of the Office that the page shows, with a card that pays."""
    begin(page, "Start a subscription")
    page.get_by_label("Plan", exact=True).select_option(label=plan)
    page.get_by_label("Seats").fill(str(seats))
    page.get_by_label("Payment method").select_option(label=GOOD_CARD)
    because(page, ASKED)
    press(page, "Show the first invoice")
    confirm(page, "Confirm and charge")
    says(page, "Start a subscription: done.")


def begin(page: Page, act: str, *, menu: str = "") -> None:
    """Open the page of an act, from the title bar of what it is about."""
    bar = page.locator("#actions")
    if menu:
        bar.get_by_role("button", name=menu, exact=True).click()
    bar.get_by_role("link", name=act, exact=True).click()
    expect(page.locator("#act h1")).to_contain_text(act)


def because(page: Page, reason: str) -> None:
    page.get_by_label("Reason", exact=True).select_option(label=reason)


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def confirm(page: Page, words: str) -> None:
    """Press the button of the second step, which may name an amount after these words."""
    page.get_by_role("button", name=words).click()


def says(page: Page, words: str) -> None:
    expect(page.get_by_text(words).first).to_be_visible()


def comes_to_say(page: Page, words: str, *, where: str = "main") -> None:
    """Load the page again until it says so: the worker applies what happened at Stripe."""
    until, place = time.monotonic() + SOON_SECONDS, page.locator(where)
    while not place.get_by_text(words).first.is_visible():
        assert time.monotonic() < until, f"{page.url} does not say “{words}”:\n{place.inner_text()}"
        page.wait_for_timeout(300)
        page.reload()
