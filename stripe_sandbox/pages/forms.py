"""What the hosted pages share: choosing a test card, doing what a form asks for, telling what went wrong."""

import re
from collections.abc import Callable
from html import escape
from urllib.parse import parse_qsl

from starlette.requests import Request

from stripe_sandbox.cards import CARDS
from stripe_sandbox.errors import StripeError
from stripe_sandbox.pages.html import Safe
from stripe_sandbox.store import Store

OURS = re.compile(r"/(pay|portal|invoices)/\w+")


def acted(store: Store, action: Callable[[], object]) -> str:
    """What the form asked for has happened; or nothing has, and the text says why. A decline stays recorded."""
    try:
        with store.request_undone_on_error():
            action()
    except StripeError as error:
        return error.body["error"]["message"]
    finally:
        store.persist()
    return ""


async def form_of(request: Request) -> dict[str, str]:
    """What a form of a page sent; bytes that are no text are shown as such."""
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def card_field(*, optional: bool = False) -> Safe:
    """The choice of a test card."""
    none = '<option value="">None</option>' if optional else ""
    options = "".join(
        f'<option value="{escape(name)}">{_label(name)} ···· {escape(card.last4)}</option>'
        for name, card in CARDS.items()
        if not name.startswith("pm_card_visa_")
    )
    return Safe(f'<label for="card">Test card</label><select id="card" name="card">{none}{options}</select>')


def error_box(problem: str) -> str:
    return f'<p class="error" role="alert">{escape(problem)}</p>' if problem else ""


def local_path(path: str) -> str:
    """The path, if it is that of one of these pages; else empty: nobody is sent elsewhere by a link."""
    return path if OURS.fullmatch(path) else ""


def _label(name: str) -> str:
    """pm_card_chargeDeclinedLostCard → Charge declined lost card"""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removeprefix("pm_card_"))
    return escape(words[0].upper() + words[1:].lower())
