"""Answers are compressed for clients that can read it.

Compression can tell an attacker what is secret in a page, if the page also repeats what the attacker sends (BREACH).
Two things stand against it. Django masks each CSRF token anew, so it never looks the same twice. And its middleware
adds up to 100 random bytes to each answer, so that lengths say little. A token or a link that is shown once is on a
page that repeats nothing.
Source: https://docs.djangoproject.com/en/5.2/ref/middleware/#module-django.middleware.gzip
"""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

AT_STRIPE = "/stripe/"
"""Where events arrive. The answers are short, and Stripe waits for them: nothing is gained there."""


class Compressed(GZipMiddleware):
    """It compresses pages, answers of the API and streams. Static files are compressed once, by WhiteNoise."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if request.path.startswith(AT_STRIPE):
            return response
        return super().process_response(request, response)
