"""Each page of the admin can be read by everybody, in light and in dark: axe finds nothing serious or critical."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser import site as sites

SEVERE = {"serious", "critical"}
ALWAYS = {"landmark-one-main", "region", "bypass", "page-has-heading-one"}
"""Found moderate by axe, and still none of them may be there."""
COLOURS = {"runOnly": ["color-contrast"]}
TURNED_DARK = """() => {
  document.documentElement.classList.add('dark')
  document.getAnimations().forEach(one => one.finish())
}"""
OK, FORBIDDEN = 200, 403
LISTS = sites.lists()


def found(page: Page, address: str) -> list[str]:
    """Return what axe finds on the page, one line for each element. In dark only the colours are different."""
    in_light = problems(page, address, {})
    page.emulate_media(color_scheme="dark")
    page.evaluate(TURNED_DARK)
    in_dark = problems(page, f"{address} in dark", COLOURS)
    page.emulate_media(color_scheme="light")
    return in_light + in_dark


def problems(page: Page, address: str, options: dict[str, Any]) -> list[str]:
    violations = Axe().run(page, options={"resultTypes": ["violations"], **options}).response["violations"]
    return [
        f"{address}: {one['id']} ({one['impact']}): {node['target']} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in violations
        if one["impact"] in SEVERE or one["id"] in ALWAYS
        for node in one["nodes"]
    ]


def pages_of(model: str, page: Page) -> Iterator[str]:
    """Go to the list, the page for a new row, that of the first row, and each act on it. Return each address."""
    answer = page.goto(LISTS[model])
    if not answer or answer.status != OK:
        return
    yield LISTS[model]
    row = sites.first_row(page)
    add = reverse(f"admin:billing_{model}_add")
    if page.locator(f"a.addlink[href^='{add}']").count():
        page.goto(add)
        yield add
    if row:
        page.goto(row)
        yield row
        for act in sites.acts(page):
            answer = page.goto(act)
            if answer and answer.status == OK:
                yield act


@pytest.mark.parametrize("model", LISTS)
def test_each_page_can_be_read(opened: Callable[..., Page], model: str) -> None:
    seen: set[str] = set()
    wrong: list[str] = []
    for email in sites.STAFFS:
        page = opened(email)
        for address in pages_of(model, page):
            if address not in seen:
                seen.add(address)
                wrong += found(page, address)

    assert seen
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("address", ["/admin/", "/account/", "/account/2fa/", "/account/sessions/"])
def test_each_other_page_can_be_read(opened: Callable[..., Page], address: str) -> None:
    page = opened()
    page.goto(address)

    assert not found(page, address)


def test_the_api_document_can_be_read(opened: Callable[..., Page]) -> None:
    page, address = opened(email=None), "/api/v1/docs/"
    page.goto(address)
    for what in ("Get a token for the header", "List the plan prices", "Cancel the subscription so that"):
        operation = page.locator(".opblock", has_text=what)
        operation.locator(".opblock-summary-control").click()
        operation.locator(".responses-table").wait_for()
    first = page.locator(".opblock.is-open").first
    first.get_by_role("button", name="Try it out").click()
    first.get_by_role("tab", name="Schema").first.click()

    assert not problems(page, address, {})


def test_the_page_for_who_may_not_can_be_read(opened: Callable[..., Page]) -> None:
    page = opened(sites.SECOND)
    answer = page.goto(reverse("admin:billing_office_add"))

    assert answer
    assert answer.status == FORBIDDEN
    assert not found(page, "the page for who may not")


def test_the_page_of_signing_in_can_be_read(opened: Callable[..., Page]) -> None:
    page = opened(None)
    page.goto("/account/login/")

    assert not found(page, "/account/login/")


@pytest.mark.parametrize("scheme", sites.SCHEMES)
def test_what_a_menu_shows_can_be_read(opened: Callable[..., Page], scheme: str) -> None:
    page = opened(scheme=scheme)
    page.goto(LISTS["office"])
    page.goto(sites.first_row(page) or "")
    page.locator("#actions button").first.click()
    page.locator("#actions a:visible").first.wait_for()

    assert not problems(page, f"a menu in {scheme}", {})


@pytest.mark.parametrize("email", [sites.STAFF, sites.SECOND])
def test_no_name_is_cut(opened: Callable[..., Page], email: str) -> None:
    page = opened(email)
    page.goto(LISTS["office"])
    page.goto(sites.first_row(page) or "")

    shown = page.locator("#header-inner h1 :is(a, span):visible, [aria-controls=account-menu] span:visible, main h1")
    assert shown.count() > 1
    assert (
        shown.evaluate_all("all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)") == []
    )
