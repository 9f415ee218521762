"""The two addresses for machines: /readyz for load balancers, /healthz for monitors. Neither writes anything.

/readyz says whether this process can answer reads. A load balancer that asks /healthz would take every web server out
when Stripe or the worker is away, and with them the answer that the vendor's product needs at each login.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from billing import time_limits
from billing.database_trouble import is_logged
from billing.monitoring import checks
from billing.monitoring.bearer import has_token
from billing.monitoring.checks import Result
from billing.monitoring.outcome import Seen

READY = "/readyz"
NOT_WELL = 503

Answer = Callable[[HttpRequest], HttpResponse]


def readiness(get_response: Answer) -> Answer:
    """Middleware that answers /readyz before anything asks for HTTPS, the name of the host or a session."""

    def answer(request: HttpRequest) -> HttpResponse:
        return _ready(request) if request.path == READY else get_response(request)

    return answer


def _ready(request: HttpRequest) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return _text("Only GET is possible here.", 405)
    try:
        with time_limits.impatient() as using:
            found = checks.DATABASE.run(Seen(using=using))
    except AnyDatabaseError:
        found = None
    if found is None or found.level == checks.Level.RED:
        return _text("The database does not answer.", NOT_WELL)
    return _text("ready", 200)


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if no check is red, otherwise 503, with the codes of what is red.

    With ``Authorization: Bearer HEALTH_TOKEN`` the answer also has each check and the figures.
    """
    may_see = has_token(request, settings.HEALTH_TOKEN)
    try:
        with time_limits.impatient() as using:
            seen = Seen(using=using)
            found = list(checks.run(seen, probed=not may_see))
            details = _details(seen, found) if may_see else {}
    except AnyDatabaseError:
        return is_logged(JsonResponse({"ok": False, "codes": [checks.DATABASE.name]}, status=NOT_WELL))
    codes = [one.code for one in found if not one.is_well]
    return is_logged(JsonResponse({"ok": not codes, "codes": codes, **details}, status=NOT_WELL if codes else 200))


def _details(seen: Seen, found: list[Result]) -> dict[str, Any]:
    can_read = all(one.is_well for one in found if one.check in checks.NEEDED)
    return {"checks": [one.shown() for one in found], "figures": seen.figures if can_read else {}}


def _text(says: str, status: int) -> HttpResponse:
    return HttpResponse(f"{says}\n", status=status, content_type="text/plain; charset=utf-8")
