"""What people without the power to see details get to see: no e-mail address, no last digits of a card, no Stripe id.

Each answer to such a person goes through here, from the admin and the API alike, so a new page cannot forget it. Our
texts write the end of a card and of an id after an ellipsis, so one rule finds both.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from billing import errors
from billing.access import roles
from billing.access.roles import Power
from billing.models import User

ADDRESS = re.compile(
    r"(?:[\w.!#$%&*+/=?^`{|}~'-]|&(?:#x27|#39|amp|quot);){1,100}(?:@|%40)(?:[\w-]+(?:\.[\w-]+)+|localhost\b)"
)
"""In a text, and in HTML, where a quote and an ampersand are written as entities."""
END = re.compile(r"…[0-9A-Za-z]{4}\b")
LAST_DIGITS = ("last4", "card_last4")
"""The fields of the API that are the last digits of a card and nothing else."""
ELLIPSIS = "…"


def masked(text: str, *, but: str = "") -> str:
    """Return the text without addresses, ends of cards and ids, except for the address ``but``: the reader's own."""
    text = ADDRESS.sub(lambda found: found[0] if found[0].lower() == but.lower() else "…@…", text)
    return END.sub(ELLIPSIS, errors.STRIPE_ID.sub(r"\1_…", text))


def masked_data(data: Any, *, but: str = "") -> Any:
    """Return what JSON holds with each text in it masked."""
    if isinstance(data, dict):
        return {
            name: ELLIPSIS if value and name in LAST_DIGITS else masked_data(value, but=but)
            for name, value in data.items()
        }
    if isinstance(data, list):
        return [masked_data(one, but=but) for one in data]
    return masked(data, but=but) if isinstance(data, str) else data


def is_masked_for(user: Any) -> bool:
    """Return whether this person sees masked texts: staff without a role that shows details.

    An Office's own people see their own Office's details, and no other Office.
    """
    return isinstance(user, User) and user.is_staff and not roles.has(user, Power.DETAILS)


def middleware(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    def masking(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        user = request.user
        if isinstance(user, User) and user.is_staff:
            _mask(response, user)
        return response

    return masking


def _mask(response: Any, user: User) -> None:
    """Mask the body. Whether the person sees details is asked only if there are any: most answers of the API have none.

    A body that is streamed is a file of styles or scripts, or an export, which hides by itself what is to be hidden.
    """
    if getattr(response, "streaming", False) or not response.content:
        return
    kind, given = response.headers.get("Content-Type", "").partition(";")[0], response.content.decode()
    if kind == "application/json" or kind.endswith("+json"):
        data = json.loads(given)
        hidden = masked_data(data, but=user.email)
        if hidden != data and is_masked_for(user):
            response.content = json.dumps(hidden, ensure_ascii=False, separators=(",", ":")).encode()
    elif kind.startswith("text/"):
        text = masked(given, but=user.email)
        if text != given and is_masked_for(user):
            response.content = text.encode()
