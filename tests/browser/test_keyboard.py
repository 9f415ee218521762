"""The main path by keyboard alone: WCAG 2.1.1. No test here moves a mouse."""

from collections.abc import Callable

from django.urls import reverse
from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser import steps

MOST_STEPS = 120
FOCUSED = """() => {
  const at = document.activeElement
  return at === document.body ? '' : (at?.getAttribute('aria-label') || at?.innerText || '').trim()
}"""
"""Nothing while the whole page has the focus, whose text has every name in it."""
HREF = "() => document.activeElement?.getAttribute('href') || ''"


def step_to(page: Page, is_there: Callable[[], bool]) -> None:
    """Press Tab until the focus is there."""
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if is_there():
            return
    raise AssertionError(f"Tab does not reach it. The focus is on: {page.evaluate(FOCUSED)}")


def step_to_name(page: Page, name: str) -> None:
    step_to(page, lambda: name in page.evaluate(FOCUSED))


def step_to_field(page: Page, name: str) -> None:
    step_to(page, lambda: page.evaluate("() => document.activeElement?.name") == name)


def test_the_first_step_leads_past_the_menu(staff: Page) -> None:
    staff.goto("/admin/")
    staff.keyboard.press("Tab")
    assert staff.evaluate(FOCUSED) == "Go to the content"

    staff.keyboard.press("Enter")

    assert staff.evaluate("() => document.activeElement.id") == "page-content"


def test_an_operator_signs_in_finds_an_office_and_opens_an_act(opened: Callable[..., Page], site: sites.Site) -> None:
    page = opened(None)
    page.goto("/account/login/")
    step_to_field(page, "login")
    page.keyboard.type(sites.STAFF)
    step_to_field(page, "password")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")

    step_to(page, lambda: page.evaluate(HREF) == sites.lists()["office"])
    page.keyboard.press("Enter")
    expect(page).to_have_title("Offices · Office Billing")
    step_to(page, lambda: "/change/" in page.evaluate(HREF))
    name = page.evaluate(FOCUSED)
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"{name} · Office Billing")

    step_to(
        page,
        lambda: (
            page.evaluate("() => !!document.activeElement?.closest('#actions') && document.activeElement.tagName")
            == "BUTTON"
        ),
    )
    page.keyboard.press("Enter")
    page.locator("#actions [id^=menu-] a:visible").first.wait_for()
    assert page.evaluate("() => document.activeElement.ariaExpanded") == "true"
    page.keyboard.press("Tab")
    act = page.evaluate(FOCUSED)
    page.keyboard.press("Escape")
    assert page.evaluate("() => document.activeElement.ariaExpanded") == "false"
    expect(page.locator("#actions [id^=menu-] a:visible")).to_have_count(0)
    page.keyboard.press("Enter")
    page.locator("#actions [id^=menu-] a:visible").first.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page).to_have_title(f"{act}: {name} · Office Billing")


def test_the_account_menu_opens_changes_the_colours_and_closes(staff: Page) -> None:
    staff.goto("/admin/")
    step_to(
        staff, lambda: staff.evaluate("() => document.activeElement?.getAttribute('aria-controls')") == "account-menu"
    )
    staff.keyboard.press("Enter")
    staff.locator("#account-menu").wait_for()
    step_to(staff, lambda: staff.evaluate(FOCUSED).endswith("Dark"))
    staff.keyboard.press("Enter")
    expect(staff.locator("html")).to_have_class("dark")

    staff.keyboard.press("Escape")

    expect(staff.locator("#account-menu")).to_be_hidden()


def test_the_filters_open_take_the_focus_and_close(opened: Callable[..., Page]) -> None:
    page = opened(viewport={"width": 1200, "height": 900})  # wider, they are always open
    page.goto(sites.lists()["office"])
    step_to_name(page, "Filters")
    page.keyboard.press("Enter")
    page.locator("#changelist-filter").wait_for()
    page.wait_for_function("() => !!document.activeElement?.closest('#changelist-filter')")

    page.keyboard.press("Escape")

    expect(page.locator("#changelist-filter")).to_be_hidden()
    assert "Filters" in page.evaluate(FOCUSED)


def test_an_operator_signs_in_adds_an_office_and_subscribes_it(opened: Callable[..., Page], site: sites.Site) -> None:
    page = opened(None)
    page.goto("/account/login/")
    step_to_field(page, "login")
    page.keyboard.type(sites.STAFF)
    step_to_field(page, "password")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")

    step_to(page, lambda: page.evaluate(HREF) == sites.lists()["office"])
    page.keyboard.press("Enter")
    expect(page).to_have_title("Offices · Office Billing")
    step_to(page, lambda: page.evaluate(HREF).startswith(reverse("admin:billing_office_add")))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:billing_office_add')}*")
    step_to_field(page, "name")
    name = steps.new_name()
    page.keyboard.type(name)
    step_to_field(page, "billing_email")
    page.keyboard.type(steps.address_of(name))
    step_to_field(page, "is_the_practices")
    page.keyboard.press("Space")
    step_to_name(page, "Save")
    page.keyboard.press("Enter")
    steps.says(page, f"{name} was added.")

    step_to(page, lambda: page.evaluate(HREF).endswith("/subscribe/"))
    page.keyboard.press("Enter")
    expect(page).to_have_title(f"Start a subscription: {name} · Office Billing")
    for field, choice in (("price", steps.PRACTICE), ("payment_method", steps.GOOD_CARD), ("why", steps.ASKED)):
        step_to_field(page, field)
        page.keyboard.type(choice)
    step_to_name(page, "Show the first invoice")
    page.keyboard.press("Enter")
    expect(page.locator("#act_preview")).to_contain_text("199.00 USD")
    page.wait_for_load_state()
    step_to_name(page, "Confirm and charge 199.00 USD")
    page.keyboard.press("Enter")

    steps.says(page, "Start a subscription: done.")
    expect(page.locator("#sentence")).to_contain_text("Active on Practice, 199.00 USD a month")
