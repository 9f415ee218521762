"""Headers of every answer that limit what a page may load, run and do. HSTS and the like are Django's own settings.

Outside the admin nothing runs or looks like anything that is not one of our own files. The admin's framework evaluates
the expressions of its own attributes, and sets styles inside pages, so it may do that there, and nowhere else.
Source: https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

NOTHING_ELSE = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
OWN_FILES = "script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'"
IN_ADMIN = (
    "script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'"
)
STRIPE = "https://*.stripe.com"
SHOWN_MAIL = "style-src 'self' 'unsafe-inline'; frame-src 'self'"
"""The demo's page of e-mails, which have their styles inside."""
PERMISSIONS = ", ".join(
    [
        "publickey-credentials-get=(self)",  # passkeys
        "publickey-credentials-create=(self)",
        *(
            f"{one}=()"
            for one in (
                "accelerometer autoplay camera display-capture encrypted-media fullscreen geolocation gyroscope "
                "magnetometer microphone midi payment picture-in-picture screen-wake-lock usb xr-spatial-tracking"
            ).split()
        ),
    ]
)

Answer = Callable[[HttpRequest], HttpResponse]


def limited(get_response: Answer) -> Answer:
    """Middleware that adds these headers to every answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Content-Security-Policy"] = policy(request.path)
        response.headers["Permissions-Policy"] = PERMISSIONS
        return response

    return answer


def policy(path: str) -> str:
    """Return the content security policy of a page."""
    # Signing in may lead on to a page at Stripe that was asked for, or to the organization's sign-in, at a host that
    # only that provider knows. A browser follows a form no further than this.
    forms = f"form-action 'self' {'https:' if settings.OIDC.issuer else settings.STRIPE_API_BASE or STRIPE}"
    if path.startswith("/admin/"):
        return f"{NOTHING_ELSE}; {IN_ADMIN}; {forms}"
    if settings.KEPT_MAIL and path.startswith("/demo/mail/"):
        return f"{NOTHING_ELSE}; {SHOWN_MAIL}; {forms}"
    return f"{NOTHING_ELSE}; {OWN_FILES}; {forms}"
