"""A month that is not paid, and how it is recovered: the Office enters another card, and staff charge it."""

from playwright.sync_api import Browser, Page, expect

from tests.browser import site as sites
from tests.browser import steps

A_MONTH_SECONDS = 32 * 86_400
NEW_CARD = 2
"""Its place in the list: after the one on file, and after the card that has no money."""
PROBLEM = "A problem with the payment"


def test_a_month_that_failed_is_recovered(staff: Page, browser: Browser, site: sites.Site) -> None:
    name = steps.add_office(staff)
    steps.subscribe(staff, steps.PRACTICE)
    site.at_stripe("charges", outcome="decline", code="insufficient_funds", next=9, customer=site.customer(name))
    site.at_stripe("clock", advance=A_MONTH_SECONDS)
    steps.comes_to_say(staff, "not enough money on visa …4242")
    expect(staff.locator("#sentence")).to_contain_text("Owes 199.00 USD")
    site.no_more_trouble_at_stripe()

    steps.begin(staff, "Link to add a card", menu="Payment methods")
    steps.because(staff, PROBLEM)
    steps.press(staff, "Make the link")
    enter_a_card(browser, staff.get_by_label("The link").input_value())

    steps.open_office(staff, name)
    steps.comes_to_say(staff, "mastercard …4444", where="#methods")
    staff.get_by_role("link", name="Pay now 199.00 USD").click()
    staff.get_by_label("Payment method").select_option(index=NEW_CARD)
    steps.because(staff, PROBLEM)
    steps.press(staff, "Pay now")
    steps.says(staff, "Pay now: done.")

    steps.open_office(staff, name)
    steps.comes_to_say(staff, "Active on Practice, 199.00 USD a month")


def enter_a_card(browser: Browser, link: str) -> None:
    """Do what the Office does: open the link in a browser of its own, which nobody watches, as it leads to Stripe."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(link)
        page.get_by_label("Test card").select_option(label="Mastercard ···· 4444")
        page.get_by_role("button", name="Save the card").click()
        expect(page.get_by_text("You are back from Stripe")).to_be_visible()
