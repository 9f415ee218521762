"""Each page of the admin can be read by everybody, in light and in dark: axe finds nothing serious or critical."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser import site as sites

SEVERE = {"serious", "critical"}
ALWAYS = {"landmark-one-main", "region", "bypass", "page-has-heading-one"}
"""Found moderate by axe, and still none of them may be there."""
OK, FORBIDDEN = 200, 403
LISTS = sites.lists()


def found(page: Page, address: str) -> list[str]:
    """Return what axe finds on the page, one line for each element."""
    violations = Axe().run(page).response["violations"]
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


@pytest.mark.parametrize("scheme", sites.SCHEMES)
@pytest.mark.parametrize("model", LISTS)
def test_each_page_can_be_read(opened: Callable[..., Page], model: str, scheme: str) -> None:
    seen: set[str] = set()
    problems: list[str] = []
    for email in sites.STAFFS:
        page = opened(email, scheme=scheme)
        for address in pages_of(model, page):
            if address not in seen:
                seen.add(address)
                problems += found(page, address)

    assert seen
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("scheme", sites.SCHEMES)
@pytest.mark.parametrize("address", ["/admin/", "/account/", "/account/2fa/", "/account/sessions/"])
def test_each_other_page_can_be_read(opened: Callable[..., Page], address: str, scheme: str) -> None:
    page = opened(scheme=scheme)
    page.goto(address)

    assert not found(page, address)


@pytest.mark.parametrize("scheme", sites.SCHEMES)
def test_the_page_for_who_may_not_can_be_read(opened: Callable[..., Page], scheme: str) -> None:
    page = opened(sites.SECOND, scheme=scheme)
    answer = page.goto(reverse("admin:billing_office_add"))

    assert answer
    assert answer.status == FORBIDDEN
    assert not found(page, "the page for who may not")


@pytest.mark.parametrize("scheme", sites.SCHEMES)
def test_the_page_of_signing_in_can_be_read(opened: Callable[..., Page], scheme: str) -> None:
    page = opened(None, scheme=scheme)
    page.goto("/account/login/")

    assert not found(page, "/account/login/")


def test_what_a_menu_shows_can_be_read(opened: Callable[..., Page]) -> None:
    for scheme in sites.SCHEMES:
        page = opened(scheme=scheme)
        page.goto(LISTS["office"])
        page.goto(sites.first_row(page) or "")
        page.locator("#actions button").first.click()
        page.locator("#actions a:visible").first.wait_for()

        assert not found(page, f"a menu in {scheme}")
