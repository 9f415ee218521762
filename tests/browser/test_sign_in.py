"""Signing in with a second factor, as a person does it."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import site as sites
from tests.sign_in.browser import totp

STEP_SECONDS = 30


def test_who_has_set_up_an_app_signs_in_with_its_code(opened: Callable[..., Page], site: sites.Site) -> None:
    page = opened(None)
    site.sign_in(page, sites.FINANCE)
    page.goto("/account/2fa/app/")
    secret = re.sub(r"\s", "", page.locator(".secret").inner_text())
    page.locator("[name=code]").fill(totp(secret))
    page.get_by_role("button", name="Set up the app").click()
    expect(page.locator("h1")).not_to_have_text("Set up an authenticator app")

    again = opened(None)
    site.sign_in(again, sites.FINANCE)
    expect(again.locator("h1")).to_have_text("Second factor")
    again.locator("[name=code]").fill(totp(secret, at=time.time() + STEP_SECONDS))  # each code is taken once
    again.get_by_role("button", name="Sign in", exact=True).click()
    again.wait_for_url(f"{site.address}/admin/")

    expect(again).to_have_title("Overview · Office Billing")
