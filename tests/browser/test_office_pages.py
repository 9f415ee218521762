"""The pages for Offices can be read and used by everybody: axe, a phone, no script, and the keyboard alone.

Each page is watched, so each test also says that the console is quiet, and that nothing is asked of another place.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from demo.seed_names import OWNER
from tests.browser import practices, steps
from tests.browser import site as sites
from tests.browser.practices import Practices
from tests.browser.test_keyboard import step_to_field, step_to_name
from tests.browser.test_pages import found
from tests.browser.watch import Watch

FORBIDDEN = 403
NARROW = "() => document.documentElement.scrollWidth <= window.innerWidth"
CUT = """() => [...document.querySelectorAll('main *')].filter(one => {
  const at = one.getBoundingClientRect()
  return at.width && (at.right > window.innerWidth + 1 || at.left < -1)
}).map(one => one.outerHTML.slice(0, 120))"""
SEATS, MORE_SEATS = "3 seats, 147.00 USD a month", "5 seats, 245.00 USD a month"
PAYS = ("pays by keyboard", "pays without a script")
"""Offices that owe, and pay in a test."""
ROLES = ("owner", "viewer")


@pytest.fixture(scope="module")
def offices(site: sites.Site) -> Iterator[Practices]:
    yield practices.made(site, owing=PAYS)
    site.no_more_trouble_at_stripe()


@pytest.fixture
def opened_by(opened: Callable[..., Page], offices: Practices) -> Callable[..., Page]:
    """Return a function that opens a page for the owner or the viewer."""
    return lambda role, **given: opened(getattr(offices, role), **given)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("what", practices.STATES)
def test_each_state_can_be_read_and_fits(
    opened_by: Callable[..., Page], offices: Practices, what: str, role: str
) -> None:
    page = opened_by(role)
    offices.open(page, what)
    steps.comes_to_say(page, practices.STATES[what], where="#state")

    assert not found(page, f"{what}, {role}")
    assert fits(page)
    page.set_viewport_size(sites.PHONE)
    assert fits(page)


def test_each_page_of_an_act_can_be_read_and_fits(opened_by: Callable[..., Page], offices: Practices) -> None:
    page = opened_by("owner")
    problems: list[str] = []

    def look(says: str) -> None:
        problems.extend(found(page, says))
        for viewport in (sites.PHONE, sites.WIDE):
            page.set_viewport_size(viewport)
            problems.extend(f"{says} is cut: {one}" for one in page.evaluate(CUT))

    page.goto("/billing/")
    look("the list of Offices")
    for link, heading in {
        "Show the next invoice": "The next invoice",
        "Cancel the subscription": "Cancel the subscription",
        "Members of this Office": "Members",
        "Change plan or seats": "Change plan or seats",
    }.items():
        offices.open(page, "active")
        follow(page, link, heading)
        look(link)
    steps.press(page, "Show what it costs")
    steps.says(page, "already has this plan")
    look("a form that is refused")
    page.get_by_label("Seats").fill("5")
    steps.press(page, "Show what it costs")
    steps.says(page, "Before and after")
    look("the preview of a change")
    offices.open(page, "canceled")
    follow(page, "Take the cancellation back", "Take the cancellation back")
    look("taking the cancellation back")
    offices.open(page, "canceled")
    follow(page, "Members of this Office", "Members")
    follow(page, f"Remove {offices.viewer}", "Remove")
    look("removing a member")
    offices.open(page, "past due")
    steps.comes_to_say(page, "past due", where="#state")
    follow(page, "Pay 147.00 USD", "Pay invoice")
    look("paying an invoice")

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("what", practices.STATES)
def test_a_viewer_sees_no_button_and_is_told_so(opened_by: Callable[..., Page], offices: Practices, what: str) -> None:
    page = opened_by("viewer")
    offices.open(page, what)

    expect(page.locator("main button, main form")).to_have_count(0)
    expect(page.get_by_text("change nothing")).to_be_visible()
    answer = page.goto(f"{page.url}change/")
    assert answer
    assert answer.status == FORBIDDEN
    assert not found(page, "the page for who may not")


def test_an_owner_signs_in_and_changes_seats_by_keyboard_alone(
    opened: Callable[..., Page], site: sites.Site, offices: Practices
) -> None:
    offices.add("by keyboard", "seats-monthly", practices.TEAM)
    page = opened(None)
    page.goto("/billing/")
    step_to_field(page, "login")
    page.keyboard.type(offices.owner)
    step_to_field(page, "password")
    page.keyboard.type(site.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your Offices")
    step_to_name(page, offices.name("by keyboard"))
    page.keyboard.press("Enter")
    steps.says(page, SEATS)

    press_by_keyboard(page, "Change plan or seats", then="Change plan or seats")
    step_to_field(page, "quantity")
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    press_by_keyboard(page, "Show what it costs", then="Change plan or seats")
    steps.says(page, "Before and after")
    press_by_keyboard(page, "Confirm and charge 98.00 USD", then="Billing")
    steps.says(page, "The subscription is changed.")
    steps.says(page, MORE_SEATS)

    press_by_keyboard(page, "Cancel the subscription", then="Cancel the subscription")
    press_by_keyboard(page, "Cancel the subscription", then="Billing")
    steps.says(page, "The subscription is canceled.")
    steps.says(page, "its last day is")
    press_by_keyboard(page, "Take the cancellation back", then="Take the cancellation back")
    press_by_keyboard(page, "Let it renew", then="Billing")
    steps.says(page, "The cancellation is taken back.")
    expect(page.get_by_text("its last day is")).to_have_count(0)


def test_an_owner_pays_what_is_owed_by_keyboard_alone(
    opened_by: Callable[..., Page], site: sites.Site, offices: Practices
) -> None:
    page = opened_by("owner")
    offices.open(page, PAYS[0])
    steps.comes_to_say(page, "past due", where="#state")
    site.no_more_trouble_at_stripe()

    press_by_keyboard(page, "Pay 147.00 USD", then="Pay invoice")
    press_by_keyboard(page, "Pay 147.00 USD", then="Billing")

    steps.says(page, "The invoice is paid.")
    steps.comes_to_say(page, "active", where="#state")


def test_the_first_step_leads_past_the_head_of_the_page(opened_by: Callable[..., Page], offices: Practices) -> None:
    page = opened_by("owner")
    offices.open(page, "active")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Go to the content")).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.locator("#content")).to_be_focused()


def test_without_a_script_an_owner_signs_in_and_does_it_all(
    opened: Callable[..., Page], site: sites.Site, offices: Practices
) -> None:
    offices.add("without a script", "seats-monthly", practices.TEAM)
    page = opened(None, java_script_enabled=False)
    site.sign_in(page, offices.owner)
    offices.open(page, "without a script")
    steps.says(page, SEATS)

    page.get_by_role("link", name="Change plan or seats").click()
    page.get_by_label("Seats").fill("5")
    steps.press(page, "Show what it costs")
    steps.press(page, "Confirm and charge 98.00 USD")
    steps.says(page, MORE_SEATS)
    page.get_by_role("link", name="Cancel the subscription").click()
    steps.press(page, "Cancel the subscription")
    steps.says(page, "its last day is")
    page.get_by_role("link", name="Take the cancellation back").click()
    steps.press(page, "Let it renew")
    steps.says(page, "The cancellation is taken back.")

    offices.open(page, PAYS[1])
    steps.comes_to_say(page, "past due", where="#state")
    site.no_more_trouble_at_stripe()
    follow(page, "Pay 147.00 USD", "Pay invoice")
    steps.press(page, "Pay 147.00 USD")
    steps.says(page, "The invoice is paid.")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_form_leads_to_the_card_form_at_stripe_and_back(
    opened: Callable[..., Page], site: sites.Site, offices: Practices, *, script: bool
) -> None:
    what = f"card {'with' if script else 'and no'} script"
    offices.add(what, "practice-monthly", practices.VISA)
    page = opened(offices.owner, leads_to=site.stack.stripe, java_script_enabled=script)
    offices.open(page, what)
    steps.press(page, "Change the card")
    page.get_by_label("Test card").select_option(label="Mastercard ···· 4444")
    assert page.url.startswith(site.stack.stripe)
    steps.press(page, "Save the card")
    steps.says(page, "You are back from Stripe")

    offices.open(page, what)

    steps.comes_to_say(page, "mastercard …4444")


def test_chromium_lets_no_form_lead_where_the_policy_names_nobody(
    browser: Browser, site: sites.Site, sessions: Callable[[str], object]
) -> None:
    """This is the proof that the test above it sees what the policy forbids: the local Stripe is not named in it.

    The answer of the form is made here, because a server that has no time for Stripe would lead back, not on.
    """
    with browser.new_context(base_url=site.address, storage_state=sessions(OWNER)) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.set_default_timeout(sites.PATIENCE_MS)
        watch = Watch(page, site.address)
        page.goto("/billing/")
        office = page.url
        page.route(office, lambda route: without_stripe(route, site))
        page.route(f"{office}card/", lambda route: route.fulfill(status=302, headers={"location": site.stack.stripe}))
        page.goto(office)
        with page.expect_console_message(lambda said: "form-action" in said.text):
            page.get_by_role("button", name="Change the card").click(no_wait_after=True)

        assert page.url == office
        assert any("form-action" in one for one in watch.happened)


def without_stripe(route: Route, site: sites.Site) -> None:
    answer = route.fetch()
    policy = answer.headers["content-security-policy"]
    assert site.stack.stripe in policy
    headers = {**answer.headers, "content-security-policy": policy.replace(site.stack.stripe, "https://*.stripe.com")}
    route.fulfill(response=answer, headers=headers)


def test_the_watch_tells_of_a_request_elsewhere_and_of_what_the_policy_stops(
    browser: Browser, site: sites.Site, sessions: Callable[[str], object]
) -> None:
    with browser.new_context(base_url=site.address, storage_state=sessions(OWNER)) as context:  # type: ignore[arg-type]
        page = context.new_page()
        watch = Watch(page, site.address)
        page.goto("/billing/")
        assert watch.happened == []
        with page.expect_console_message(lambda said: "content security policy: img-src" in said.text):
            page.evaluate("() => { document.body.append(new Image()); document.images[0].src = 'http://127.0.0.1:1/' }")
        stopped = len(watch.happened)
        page.goto(f"{site.stack.stripe}/_sandbox/health")

        assert stopped
        assert f"a request elsewhere: {site.stack.stripe}/_sandbox/health" in watch.happened[stopped:]


def follow(page: Page, link: str, heading: str) -> None:
    page.get_by_role("link", name=link).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)


def press_by_keyboard(page: Page, name: str, *, then: str) -> None:
    """Step to a link or a button of a page that was just opened, and press it. Then another page is there."""
    step_to_name(page, name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(then)


def fits(page: Page) -> bool:
    return bool(page.evaluate(NARROW)) and page.evaluate(CUT) == []
