"""An Office is added, subscribes, changes and ends, as an operator does it."""

from playwright.sync_api import Page, expect

from tests.browser import steps


def test_an_office_is_added_and_subscribes(staff: Page) -> None:
    steps.add_office(staff)
    steps.begin(staff, "Start a subscription")
    staff.get_by_label("Plan", exact=True).select_option(label=steps.TEAM)
    staff.get_by_label("Seats").fill("3")
    staff.get_by_label("Payment method").select_option(label=steps.GOOD_CARD)
    steps.because(staff, steps.ASKED)
    steps.press(staff, "Show the first invoice")

    expect(staff.locator("#act_preview")).to_contain_text("147.00 USD")

    steps.confirm(staff, "Confirm and charge 147.00 USD")
    steps.says(staff, "Start a subscription: done.")
    expect(staff.locator("#sentence")).to_contain_text("Active on Team, 3 seats, 147.00 USD a month")
    steps.comes_to_say(staff, "succeeded", where="#payments")
    expect(staff.locator("#invoices")).to_contain_text("paid")


def test_seats_and_then_the_plan_are_changed(staff: Page) -> None:
    steps.add_office(staff)
    steps.subscribe(staff, steps.TEAM, seats=2)

    steps.begin(staff, "Change plan or seats")
    staff.get_by_label("Seats").fill("5")
    steps.because(staff, steps.ASKED)
    steps.press(staff, "Show what it costs")
    expect(staff.locator("#act_preview")).to_contain_text("Remaining time: Team, 5 seats")
    steps.confirm(staff, "Confirm and charge")
    expect(staff.locator("#sentence")).to_contain_text("Active on Team, 5 seats, 245.00 USD a month")

    steps.begin(staff, "Change plan or seats")
    staff.get_by_label("Plan", exact=True).select_option(label=steps.PRACTICE)
    staff.get_by_label("Seats").fill("1")
    steps.because(staff, steps.ASKED)
    steps.press(staff, "Show what it costs")
    expect(staff.locator("#act_preview")).to_contain_text("the total is negative and is kept as credit")
    steps.confirm(staff, "Confirm")
    expect(staff.locator("#sentence")).to_contain_text("Active on Practice, 199.00 USD a month")


def test_a_declined_card_starts_nothing_and_the_page_says_so(staff: Page) -> None:
    steps.add_office(staff)
    steps.begin(staff, "Start a subscription")
    staff.get_by_label("Plan", exact=True).select_option(label=steps.PRACTICE)
    staff.get_by_label("Payment method").select_option(label="Test card: declined when charged")
    steps.because(staff, steps.ASKED)
    steps.press(staff, "Show the first invoice")
    steps.confirm(staff, "Confirm and charge 199.00 USD")

    expect(staff.locator("#act_errors")).to_contain_text("declined")
    staff.get_by_role("link", name="Back without a change").click()
    expect(staff.locator("#sentence")).to_contain_text("It has no subscription.")


def test_a_subscription_is_cancelled_and_the_cancellation_taken_back(staff: Page) -> None:
    steps.add_office(staff)
    steps.subscribe(staff, steps.PRACTICE)

    steps.begin(staff, "Cancel the subscription", menu="Subscription")
    steps.because(staff, "The practice is closing")
    steps.press(staff, "Cancel the subscription")
    steps.says(staff, "What this ends or gives up")
    steps.press(staff, "Cancel the subscription")
    steps.says(staff, "Cancel the subscription: done.")
    expect(staff.locator("#sentence")).to_contain_text("its last day is")

    steps.begin(staff, "Take the cancellation back")
    steps.because(staff, steps.ASKED)
    steps.press(staff, "Let it renew")
    expect(staff.locator("#sentence")).not_to_contain_text("its last day is")
