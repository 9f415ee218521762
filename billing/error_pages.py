"""What is answered where no view answers: JSON for an address of the API, and a page for everything else."""

import sys
from collections.abc import Callable
from urllib.parse import unquote

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from billing import database_trouble, problem_details
from billing.access.request_context import REQUEST_ID

API = "/api/"
NUL = "\0"


def failed(request: HttpRequest) -> HttpResponse:
    """Return the answer to an error that nothing else has answered. Django's ``handler500``."""
    if isinstance(sys.exc_info()[1], database_trouble.TROUBLE):
        return _database_away(request)
    if not request.path.startswith(API):
        return _page("500.html", request, 500)
    detail = "An error happened on our side. It is in our log. If you asked for a change, check whether it was made."
    return _refusal("failed", detail, 500)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the answer to a request that cannot be read. Django's ``handler400``."""
    if not request.path.startswith(API):
        return _page("400.html", request, 400)
    return _refusal("parse_error", "The request cannot be read.", 400)


def refuse_nul(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a request with a NUL in its address: 400. A middleware.

    No text of ours has one, and PostgreSQL fails where it is asked for one. Forms and JSON are checked field by field.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if NUL in request.path or NUL in unquote(request.META.get("QUERY_STRING", "")):
            return bad_request(request, BadRequest("There is a NUL in the request."))
        return get_response(request)

    return middleware


@csrf_exempt
def unknown_address(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer each address under the API's that is none. Nothing is redirected: a POST would become a GET by it."""
    detail = "There is no such address. Each address begins with /api/v1/ and ends with a slash: see /api/v1/docs/."
    return _refusal("not_found", detail, 404)


def _database_away(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API):
        return _refusal(database_trouble.CODE, database_trouble.DETAIL, 503, **database_trouble.RETRY_AFTER)
    page = render_to_string("billing/database_away.html")  # without the request, which would ask the database
    return HttpResponse(page, status=503, headers=database_trouble.RETRY_AFTER)


def _page(template: str, request: HttpRequest, status: int) -> HttpResponse:
    """Render a page without the request: what signs people in may be what failed, and it would ask the database."""
    return HttpResponse(render_to_string(template, {"reference": getattr(request, REQUEST_ID, "")}), status=status)


def _refusal(code: str, detail: str, status: int, **headers: str) -> HttpResponse:
    body = problem_details.of(code, detail, status=status)
    return JsonResponse(body, status=status, headers=headers, content_type=problem_details.MEDIA_TYPE)
