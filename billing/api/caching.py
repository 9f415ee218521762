"""What a client may keep. A read: all of it, to ask later whether it is still right. Any other answer: nothing.

`no-store` forbids keeping the body, so an `ETag` would be of no use with it. `private, no-cache` lets a client keep it,
and never use it unasked: each time the access is checked, what was read is recorded, and 304 saves the body alone.
Source: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2 and https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
"""

import hashlib
from typing import Any, cast

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

NO_STORE = {"Cache-Control": "no-store"}


def limited(response: HttpResponseBase, request: Request) -> HttpResponseBase:
    """Return the answer with its ``Cache-Control``, or 304 if the client has it. One that has this header stays."""
    if "Cache-Control" in response.headers:
        return response
    is_read = request.method in ("GET", "HEAD") and response.status_code == status.HTTP_200_OK
    if not is_read or not isinstance(response, Response):
        response.headers["Cache-Control"] = "no-store"
        return response
    return tagged(response.render(), request, of=response.content)


def tagged(response: Any, request: Request, *, of: bytes) -> HttpResponseBase:
    """Return the answer with the ETag of what is shown, or 304."""
    patch_cache_control(response, private=True, no_cache=True)
    response["ETag"] = quote_etag(hashlib.sha256(of).hexdigest())
    return cast(HttpResponseBase, get_conditional_response(request._request, response["ETag"], response=response))
