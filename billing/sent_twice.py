"""A form that is sent twice, as by a double click, does once what it asks for.

A page is known by its CSRF token, which Django masks anew each time that it shows a form. Who sends the same page again
with the same values gets to see what the first one made.
Source: https://docs.djangoproject.com/en/5.2/ref/csrf/
"""

import hashlib
from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CSRF_TOKEN_LENGTH
from django.shortcuts import redirect

from billing.models import IdempotentRequest, Operation, User
from billing.operations.engine import idempotency

MADE = "This was sent twice. The second time did nothing: here is what became of the first."
BEING_MADE = "This was sent twice. The first one is still being done: look here again in a moment."


def done_once(request: HttpRequest, meanwhile: str, do: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the answer to a form of another page. ``do`` makes it, and redirects if something was done.

    Whoever sends the page again is redirected to the same address, or to ``meanwhile`` while the first is being done.
    """
    if not is_known(request):
        return do()
    row, ours = claimed(request)
    if not ours:
        return shown(request, row, meanwhile)
    try:
        with idempotency.carrying_out(row):
            response = do()
    except BaseException:
        idempotency.give_up(row)
        raise
    idempotency.refresh(row)
    if response.status_code == 302:
        idempotency.keep(row, 302, response["Location"])
    else:
        idempotency.give_up(row)
    return response


def is_known(request: HttpRequest) -> bool:
    """Return whether it is a form with the token of a page."""
    return request.method == "POST" and len(request.POST.get("csrfmiddlewaretoken", "")) == CSRF_TOKEN_LENGTH


def claimed(request: HttpRequest) -> tuple[IdempotentRequest, bool]:
    """Return the row of this page with these values, and whether it is ours to carry out."""
    sent = hashlib.sha256(repr([request.path, sorted(request.POST.lists())]).encode()).hexdigest()
    return idempotency.claim(cast(User, request.user), f"page:{sent}", sent)


def shown(request: HttpRequest, row: IdempotentRequest, meanwhile: str) -> HttpResponse:
    """Return the answer to a page that was sent again."""
    if row.is_answered:
        messages.info(request, MADE)
        return redirect(row.answer)
    if row.operation and row.operation.status not in Operation.UNSETTLED:
        messages.warning(request, row.operation.error_message or MADE)
        return redirect(meanwhile)
    messages.warning(request, BEING_MADE)
    return redirect(meanwhile)
