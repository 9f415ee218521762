"""Chromium in front of the demo. ``make test-browser`` runs these tests, and no other target does.

A test takes ``staff``: a page on which an operator is signed in and that is watched. ``opened`` makes another one, for
another person, in dark, or as wide as a phone.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

collect_ignore_glob = [] if os.environ.get("BROWSER_TESTS") else ["test_*.py"]

if os.environ.get("BROWSER_TESTS"):
    from playwright.sync_api import Browser, Page, StorageState, expect

    from tests.browser import site as sites
    from tests.browser.watch import Watch

    expect.set_options(timeout=sites.PATIENCE_MS)

    @pytest.fixture(scope="session")
    def site() -> Iterator[sites.Site]:
        with sites.running() as site:
            yield site

    @pytest.fixture(scope="session")
    def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
        return {**browser_type_launch_args, "executable_path": sites.chromium(), "args": sites.ARGUMENTS}

    @pytest.fixture(scope="session")
    def sessions(browser: Browser, site: sites.Site) -> Callable[[str], StorageState]:
        """Return a function that signs a person in once, and returns the cookies of the session."""
        kept: dict[str, StorageState] = {}

        def session(email: str) -> StorageState:
            if email not in kept:
                kept[email] = site.signed_in(browser, email)
            return kept[email]

        return session

    @pytest.fixture
    def opened(
        browser: Browser, site: sites.Site, sessions: Callable[[str], StorageState]
    ) -> Iterator[Callable[..., Page]]:
        """Return a function that opens a watched page for a person, or for nobody. All are asked at the end."""
        watches: list[Watch] = []

        def new(
            email: str | None = sites.STAFF,
            *,
            scheme: Any = "light",
            viewport: Any = sites.WIDE,
            leads_to: str = "",
            **given: Any,
        ) -> Page:
            """``leads_to`` may be asked too, such as the local Stripe. ``given`` is what else Chromium is told."""
            context = browser.new_context(
                base_url=site.address,
                color_scheme=scheme,
                viewport=viewport,
                storage_state=sessions(email) if email else None,
                **given,
            )
            page = context.new_page()
            page.set_default_timeout(sites.PATIENCE_MS)
            watches.append(Watch(page, site.address, leads_to))
            return page

        yield new
        for context in browser.contexts:
            context.close()
        for watch in watches:
            watch.assert_quiet()

    @pytest.fixture
    def staff(opened: Callable[..., Page]) -> Page:
        return opened()
