"""What must not happen while a page is used: an error, a report of the content security policy, a request elsewhere."""

from playwright.sync_api import ConsoleMessage, Page, Request

REPORTS = """
document.addEventListener('securitypolicyviolation', event => {
  console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`)
})
"""
REFUSED = "the server responded with a status of 4"
"""Chromium says so of each page with 403 or 404. A test that opens one looks at its status itself."""


class Watch:
    """It looks at a page from its making on, and ``assert_quiet`` says what happened."""

    def __init__(self, page: Page, *addresses: str) -> None:
        self.addresses = tuple(filter(None, addresses))
        self.happened: list[str] = []
        self.bytes = self.requests = 0
        page.add_init_script(REPORTS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.happened.append(f"an error in a script: {error}"))
        page.on("request", self._asked)

    def assert_quiet(self) -> None:
        assert not self.happened, "\n".join(self.happened)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and REFUSED not in message.text:
            self.happened.append(f"{message.location.get('url')}: {message.text}")

    def _asked(self, request: Request) -> None:
        self.requests += 1
        if not request.url.startswith((*self.addresses, "data:", "blob:")):
            self.happened.append(f"a request elsewhere: {request.url}")
