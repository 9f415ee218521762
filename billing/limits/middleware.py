"""Limits for every page, and their headers for every answer. The API counts for itself, once it knows who asks."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from rest_framework.views import APIView

from billing import errors
from billing.durations import to_wait
from billing.limits import requests


class RateLimited:
    """It stands before the check of forms, so that what that refuses is counted too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        requests.tell(request, response)
        return response

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        of_api = getattr(view, "cls", None)
        if isinstance(of_api, type) and issubclass(of_api, APIView):
            return None
        try:
            requests.count(request, request.user)
        except errors.TooManyRequests as refusal:
            page = render_to_string("billing/too_many_requests.html", {"wait": to_wait(refusal.retry_after_seconds)})
            return HttpResponse(page, status=429)
        return None
