"""What the hosted pages share: choosing a test card, doing what a form asks for, showing what went wrong."""

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
    """Do what the form asked for. If it fails, take it back and return why. A decline stays recorded."""
    try:
        with store.request_undone_on_error():
            action()
    except StripeError as error:
        return error.body["error"]["message"]
    finally:
        store.persist()
    return ""


async def form_of(request: Request) -> dict[str, str]:
    """Return what a form of a page sent. Bytes that are not text are replaced."""
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


def card_field(*, optional: bool = False) -> Safe:
    """Return the choice of a test card."""
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
    """Return the path if it belongs to one of these pages, or an empty text. So no link sends anybody elsewhere."""
    return path if OURS.fullmatch(path) else ""


def _label(name: str) -> str:
    """Return the words in a card's id: pm_card_chargeDeclinedLostCard becomes "Charge declined lost card"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removeprefix("pm_card_"))
    return escape(words[0].upper() + words[1:].lower())
