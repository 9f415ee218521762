"""Money back: alone up to the limit, and by two people above it, each in a browser of their own."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser import steps

ABOVE_THE_LIMIT = 12
"""Seats at 49.00 USD: the first invoice is 588.00 USD, and one person may give back 500.00 USD."""


def test_a_small_refund_needs_one_person(staff: Page) -> None:
    steps.add_office(staff)
    steps.subscribe(staff, steps.PRACTICE)

    ask_for_a_refund(staff, "20.00")
    steps.confirm(staff, "Confirm and give back 20.00 USD")

    steps.says(staff, "Refund: done.")
    steps.says(staff, "179.00 USD")  # what can still be given back


def test_a_refund_above_the_limit_waits_for_a_second_person(opened: Callable[..., Page]) -> None:
    first, second = opened(sites.STAFF), opened(sites.FINANCE)
    name = steps.add_office(first)
    steps.subscribe(first, steps.TEAM, seats=ABOVE_THE_LIMIT)
    ask_for_a_refund(first, "588.00")
    steps.press(first, "Send for approval")
    steps.says(first, f"Sent for approval to: {sites.FINANCE}.")

    second.goto(sites.lists()["approvalrequest"])
    second.get_by_role("row").filter(has_text=name).get_by_role("link").first.click()
    steps.begin(second, "Approve")
    steps.press(second, "Show what it comes to")
    expect(second.locator("#act")).to_contain_text("588.00 USD")
    steps.confirm(second, "Confirm and give back 588.00 USD")
    steps.says(second, "Approve: done.")
    steps.says(second, "approved")

    steps.open_office(first, name)
    expect(first.locator("#payments tbody td").last).to_have_text("588.00 USD")  # given back


def ask_for_a_refund(page: Page, amount: str) -> None:
    steps.comes_to_say(page, "succeeded", where="#payments")
    page.locator("#payments tbody a").first.click()
    steps.begin(page, "Refund")
    page.get_by_label("Amount in USD").fill(amount)
    steps.because(page, "Goodwill")
    steps.press(page, "Show what goes back")
    expect(page.locator("#act")).to_contain_text(f"{amount} USD")
