"""Refusals as HTTP answers. All are problem details of the same shape: ``billing.problem_details``.

Wrong input adds ``fields``. A declined payment adds ``decline_code`` and ``next_step``.
"""

import logging
from typing import Any

from rest_framework import exceptions, status
from rest_framework.authentication import get_authorization_header
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler

from billing import database_trouble, declines, errors, problem_details
from billing.api import sent
from billing.limits import requests

log = logging.getLogger(__name__)


def problem(code: str, detail: str, decline_code: str = "") -> Response:
    """Return the answer to a refusal with this code, which was raised now or is stored with an operation."""
    kind = problem_details.kind_of(code)
    more = {}
    if issubclass(kind, errors.CardDeclined):
        decline = declines.of(decline_code)
        more = {"decline_code": decline.code, "next_step": decline.next_step}
    return _refusal(code, detail, status=problem_details.STATUS[kind.category], **more)


def _refusal(code: str, detail: str, *, status: int, **more: Any) -> Response:
    body = problem_details.of(code, detail, status=status, **more)
    return Response(body, status=status, content_type=problem_details.MEDIA_TYPE)


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
        away = _refusal(database_trouble.CODE, database_trouble.DETAIL, status=status.HTTP_503_SERVICE_UNAVAILABLE)
        for name, value in database_trouble.RETRY_AFTER.items():
            away[name] = value
        return database_trouble.is_logged(away)
    response = exception_handler(error, context)
    if response is None:
        return None
    code, more = getattr(error, "default_code", "not_found"), {}
    detail = str(response.data.get("detail", "")) if isinstance(response.data, dict) else ""
    if isinstance(error, exceptions.ValidationError):
        code, detail, more = "invalid", "Some fields are missing or wrong.", {"fields": response.data}
    response.data = problem_details.of(code, detail, status=response.status_code, **more)
    response.content_type = problem_details.MEDIA_TYPE
    return response
