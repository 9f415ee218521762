"""The webhook address: verify, one INSERT, answer. No network call. A request that is not Stripe's leaves nothing."""

import json
import logging
import time
from typing import Any

from django.conf import settings
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from djstripe.models import WebhookEndpoint

from billing import clock, measures, time_limits
from billing.database_trouble import is_logged
from billing.models import ReceivedEvent
from billing.stripe_api import signature
from billing.webhooks import refused_signatures
from billing.webhooks.hints import hint_of

log = logging.getLogger(__name__)

MOST_BYTES = 1_000_000

FIELDS = [field for field in ReceivedEvent._meta.concrete_fields if not field.primary_key]
INSERT = (
    f"INSERT INTO {ReceivedEvent._meta.db_table} ({', '.join(field.column for field in FIELDS)}) "  # noqa: S608
    f"VALUES ({', '.join(['%s'] * len(FIELDS))}) ON CONFLICT DO NOTHING"
)
_known: set[Any] = set()


@csrf_exempt
@require_POST
def receive(request: HttpRequest, uuid: Any) -> HttpResponse:
    """Store the event's hint, and answer Stripe. Repeating is safe: an event is stored once.

    200: the event is stored, or it is not one that we use. On a libSQL server a power cut can still lose it; the next
    comparison brings it back (billing/reconciliation/missed_events.py). 4xx: it is not Stripe's, or not for us.
    503, within two seconds: the database did not take it, and Stripe must send it again.
    Source: https://docs.stripe.com/webhooks
    """
    began = time.perf_counter()
    answer = _received(request, uuid)
    measures.observe(measures.WEBHOOKS, time.perf_counter() - began, answer.status_code)
    return answer


def _received(request: HttpRequest, uuid: Any) -> HttpResponse:
    length = _declared_length(request)
    if length > MOST_BYTES:
        return _answer("The body is larger than 1 MB.", 413)
    if "Transfer-Encoding" in request.headers:  # a server that is not ours left it so, and nothing of it can be read
        return _answer("The body was not read: it has no length.", 411)
    try:
        body = request.read(MOST_BYTES + 1)
    except (OSError, RawPostDataException):
        return _answer("The body could not be read.", 400)
    if len(body) < length:
        return _answer("The body is not whole.", 400)
    if len(body) > MOST_BYTES:
        return _answer("The body is larger than 1 MB.", 413)
    header = request.headers.get("Stripe-Signature", "")
    if not signature.is_valid(body, header, secrets=settings.STRIPE_WEBHOOK_SECRETS, now=clock.wall()):
        log.warning("webhook refused: no valid signature")
        if signature.has_its_form(header):
            refused_signatures.count(uuid)
        measures.count(measures.REFUSED_WEBHOOKS, "signature")
        return is_logged(_answer("The signature is missing, wrong, or more than five minutes old.", 400))
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return _answer("The body is not JSON.", 400)
    if not isinstance(event, dict) or event.get("object") != "event":
        return _answer("This is not an event that we use.", 200)
    if event.get("livemode", settings.STRIPE_LIVE_MODE) != settings.STRIPE_LIVE_MODE or event.get("account"):
        measures.count(measures.REFUSED_WEBHOOKS, "mode")
        return _answer("This event is of another mode or account.", 400)
    hint = hint_of(event)
    if not hint.stripe_id:
        return _answer("This is not an event that we use.", 200)
    try:
        if not _has_endpoint(uuid):
            return _answer("There is no webhook endpoint at this address.", 404)
        _insert(hint)
    except AnyDatabaseError:
        measures.count(measures.REFUSED_WEBHOOKS, "database")
        log.exception("webhook not stored: the database did not take it")
        return is_logged(_answer("The event was not stored. Send it again.", 503))
    return _answer("received", 200)


def _has_endpoint(uuid: Any) -> bool:
    """Return whether there is an endpoint with this id. A yes is remembered, because endpoints are never deleted."""
    if uuid not in _known:
        with time_limits.impatient() as using:
            if WebhookEndpoint.objects.using(using).filter(djstripe_uuid=uuid).exists():
                _known.add(uuid)
    return uuid in _known


def _insert(hint: ReceivedEvent) -> None:
    """Insert the row, unless the event has one already.

    This is one statement that commits by itself. ``bulk_create`` opens a transaction first and compiles its SQL inside
    it. On SQLite all other writers wait for that.
    """
    values = [field.get_db_prep_save(getattr(hint, field.attname), connection) for field in FIELDS]
    time_limits.execute_impatiently(INSERT, values)


def _declared_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
