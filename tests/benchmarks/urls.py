"""The product's addresses, and the two receivers that ours is compared with."""

import json

import stripe
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from config.urls import urlpatterns as product

BARE_TABLE = "CREATE TABLE bare_event (stripe_id varchar(255) PRIMARY KEY, type varchar(100), object_id varchar(255))"


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Verify, run one INSERT into a table without indexes, answer. This is the least that a receiver can do."""
    body = request.body.decode()
    try:
        stripe.WebhookSignature.verify_header(
            body, request.headers["Stripe-Signature"], settings.STRIPE_WEBHOOK_SECRETS[0], tolerance=300
        )
    except stripe.SignatureVerificationError:
        return HttpResponse(status=400)
    event = json.loads(body)
    values = [event["id"], event["type"], event["data"]["object"].get("id", "")]
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bare_event VALUES (%s, %s, %s)", values)
    return HttpResponse("received\n")


urlpatterns = [*product, path("bare/", bare), path("library/", include("djstripe.urls", namespace="library"))]
