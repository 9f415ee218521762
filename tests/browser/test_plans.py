"""A plan is made by an administrator, and then an operator sells it."""

import uuid
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.browser import steps


def test_a_plan_is_made_and_sold(opened: Callable[..., Page]) -> None:
    administrator, operator = opened(sites.SECOND), opened(sites.STAFF)
    code = f"plan-{uuid.uuid4().hex[:6]}"
    name = code.capitalize()
    administrator.goto(sites.lists()["plan"])
    administrator.locator("a.addlink").click()
    administrator.get_by_label("Name", exact=True).fill(name)
    administrator.get_by_label("Code of the plan").fill(code)
    administrator.get_by_label("Price", exact=True).fill("99.00")
    administrator.get_by_label("Currency").select_option("usd")
    administrator.get_by_label("Code of the price").fill(f"{code}-monthly")
    steps.because(administrator, "Other")
    administrator.get_by_label("Note").fill("a plan for small practices")
    steps.press(administrator, "Show what is sold")
    steps.says(administrator, "Is this what you want to sell?")
    expect(administrator.locator("#act")).to_contain_text("99.00 USD")
    steps.press(administrator, "Confirm")
    steps.says(administrator, "for sale")

    steps.add_office(operator)
    steps.subscribe(operator, f"{name}: 99.00 USD a month")
    expect(operator.locator("#sentence")).to_contain_text(f"Active on {name}, 99.00 USD a month")
