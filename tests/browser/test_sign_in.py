"""Signing in with a second factor, as a person does it."""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser import site as sites

STEP_SECONDS = 30


def code_of(secret: str, *, steps_ahead: int = 0) -> str:
    """Return what an authenticator app shows. Source: https://www.rfc-editor.org/rfc/rfc6238"""
    count = int(time.time()) // STEP_SECONDS + steps_ahead
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), count.to_bytes(8, "big"), hashlib.sha1)
    at = digest.digest()[-1] & 15
    number = int.from_bytes(digest.digest()[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def test_who_has_set_up_an_app_signs_in_with_its_code(opened: Callable[..., Page], site: sites.Site) -> None:
    page = opened(None)
    site.sign_in(page, sites.FINANCE)
    page.goto("/account/2fa/totp/activate/")
    secret = re.sub(r"\s", "", page.locator(".secret").inner_text())
    page.get_by_label("code").fill(code_of(secret))
    page.get_by_role("button", name="Set up the app").click()
    expect(page.locator("h1")).not_to_have_text("Set up an authenticator app")

    again = opened(None)
    site.sign_in(again, sites.FINANCE)
    expect(again.locator("h1")).to_have_text("Second factor")
    again.get_by_label("Code").fill(code_of(secret, steps_ahead=1))  # each code is taken once
    again.get_by_role("button", name="Sign in", exact=True).click()
    again.goto("/admin/")

    expect(again).to_have_title("Overview · Office Billing")
