"""Let pages of other origins read the API, if `CORS_ALLOWED_ORIGINS` names them. Nothing outside the API is let.

Cookies are never taken from another origin: a page must send a token. No answer has Access-Control-Allow-Credentials.
Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

API = "/api/"
METHODS = "GET, HEAD, POST, PUT, OPTIONS"
ASKED_WITH = "Authorization, Content-Type, Idempotency-Key, If-None-Match"
SHOWN = "ETag, Idempotent-Replayed, Location, Retry-After, X-Request-ID"
REMEMBERED_SECONDS = "600"

Answer = Callable[[HttpRequest], HttpResponse]


def shared(get_response: Answer) -> Answer:
    """Middleware that answers what a browser asks before a request, and says who may read the answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not settings.CORS_ALLOWED_ORIGINS or not request.path.startswith(API):
            return get_response(request)
        origin = request.headers.get("Origin", "")
        is_let = origin in settings.CORS_ALLOWED_ORIGINS
        asks_first = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = HttpResponse(status=204) if is_let and asks_first else get_response(request)
        patch_vary_headers(response, ["Origin"])
        if is_let:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Expose-Headers"] = SHOWN
        if is_let and asks_first:
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = ASKED_WITH
            response["Access-Control-Max-Age"] = REMEMBERED_SECONDS
        return response

    return answer
