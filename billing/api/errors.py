"""Refusals as HTTP answers. All have the same shape: ``{"code", "detail"}``.

Wrong input adds ``fields``. A declined payment adds ``decline_code`` and ``next_step``.
"""

import logging
from typing import Any

from rest_framework import exceptions, status
from rest_framework.authentication import get_authorization_header
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from billing import database_trouble, declines, errors
from billing.api import sent
from billing.errors import Category
from billing.limits import requests

log = logging.getLogger(__name__)

STATUS: dict[Category, int] = {
    Category.MALFORMED: status.HTTP_400_BAD_REQUEST,
    Category.PAYMENT: status.HTTP_402_PAYMENT_REQUIRED,
    Category.FORBIDDEN: status.HTTP_403_FORBIDDEN,
    Category.NOT_FOUND: status.HTTP_404_NOT_FOUND,
    Category.CONFLICT: status.HTTP_409_CONFLICT,
    Category.TOO_LARGE: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    Category.INVALID: status.HTTP_422_UNPROCESSABLE_ENTITY,
    Category.STRIPE_REFUSED: status.HTTP_502_BAD_GATEWAY,
    Category.WAITS: status.HTTP_202_ACCEPTED,
    Category.UNKNOWN: status.HTTP_503_SERVICE_UNAVAILABLE,
    Category.HELD: status.HTTP_503_SERVICE_UNAVAILABLE,
    Category.TOO_MANY: status.HTTP_429_TOO_MANY_REQUESTS,
}


def _with_subclasses(kind: type[errors.BillingError]) -> list[type[errors.BillingError]]:
    return [kind] + [one for child in kind.__subclasses__() for one in _with_subclasses(child)]


def problem(code: str, detail: str, decline_code: str = "") -> Response:
    """Return the answer to a refusal with this code, which was raised now or is stored with an operation."""
    known = (
        one for one in _with_subclasses(errors.BillingError) if one.code == code and one is not errors.BillingError
    )
    kind = next(known, errors.Defect)
    body = {"code": code, "detail": detail}
    if issubclass(kind, errors.CardDeclined):
        decline = declines.of(decline_code)
        body |= {"decline_code": decline.code, "next_step": decline.next_step}
    return Response(body, status=STATUS[kind.category])


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an error, as DRF's EXCEPTION_HANDLER. None: DRF raises the error again.

    What was refused before the view counted the request, such as a wrong token, is counted here. It is JSON, also where
    the view's own answers are a page or a document.
    """
    request = context["request"]
    request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
    if not requests.is_counted(request._request) and not isinstance(error, database_trouble.TROUBLE):
        try:
            if isinstance(error, exceptions.AuthenticationFailed) and get_authorization_header(request):
                requests.count_wrong_token(request._request)
            else:
                requests.count(request._request, request.user)
        except (errors.TooManyRequests, *database_trouble.TROUBLE) as instead:
            error = instead
    if isinstance(error, errors.SentForApproval):
        return sent.accepted(error.about)
    if isinstance(error, errors.BillingError):
        refusal = problem(error.code, str(error), getattr(error, "decline_code", ""))
        if isinstance(error, errors.RequestInProgress | errors.TooManyRequests):
            refusal["Retry-After"] = str(error.retry_after_seconds)
        return refusal
    if isinstance(error, database_trouble.TROUBLE):
        log.error("the database cannot be used", exc_info=error)
        body = {"code": database_trouble.CODE, "detail": database_trouble.DETAIL}
        away = Response(body, status=status.HTTP_503_SERVICE_UNAVAILABLE, headers=database_trouble.RETRY_AFTER)
        return database_trouble.is_logged(away)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {
            "code": "invalid",
            "detail": "Some fields are missing or wrong.",
            "fields": response.data,
        }
    elif isinstance(response.data, dict):
        code = getattr(error, "default_code", "not_found")
        response.data = {"code": code, "detail": str(response.data.get("detail", ""))}
    return response
