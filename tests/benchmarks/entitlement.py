"""Compares the entitlement endpoint with a bare Django view: ``python -m tests.benchmarks.entitlement``.

The bare view has the same middleware, token authentication and queries, and answers a fixed JSON. Both are called in
this process, in turns, without a client or a server. Each request is counted by its limit, which none reaches.
"""

import os
import re
import statistics
import time
from functools import partial
from typing import Any

from config.rate_limits import DEFAULTS
from tests.benchmarks import stage

OFFICES = 1_000
ROUNDS = 2_000
WARM_UP = 200
GOAL = 2.0
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")


def main() -> None:
    os.environ["RATE_LIMITS"] = ",".join(f"{name}=1000000/second" for name in DEFAULTS)
    with stage.database():
        print(stage.machine())
        print(f"{OFFICES} Offices, {ROUNDS} calls of each, in turns; the goal is a ratio of at most {GOAL}")
        for who, authorization, office in cast():
            compare(who, authorization, office)


def cast() -> list[tuple[str, str, Any]]:
    """Return who, the header and the Office.

    They are the vendor's product as a service that sees all, as one that sees the Office by name, as a person with a
    role that sees all, and an owner with a grant.
    """
    from datetime import timedelta

    from allauth.mfa.models import Authenticator
    from django.contrib.auth.models import Group

    from billing import clock
    from billing.access import grants, services, tokens
    from billing.audit import actor, trail
    from billing.models import Membership, Office, ServiceIdentity, User

    now = clock.wall()
    Office.objects.bulk_create(
        Office(
            name=f"Practice {number}",
            billing_email="billing@practice.example",
            subscription_status="active",
            current_period_end=now + timedelta(days=20),
            confirmed_at=now,
        )
        for number in range(OFFICES)
    )
    office = Office.objects.all()[OFFICES // 2]
    with trail.acting(actor.job("benchmark")):
        administrator = User.objects.create_user("administrator@vendor.example", is_staff=True)
        administrator.groups.add(Group.objects.get(name="administrator"))
        given = {"scopes": ["entitlement:read"], "networks": ["127.0.0.0/8"], "expires_at": now + timedelta(days=20)}
        sees_all = ServiceIdentity.objects.create(name="service", all_offices=True, **given)
        sees_one = ServiceIdentity.objects.create(name="service of named Offices", **given)
        sees_one.offices.set(Office.objects.all()[: OFFICES // 2 + 1])
        by = actor.person(administrator)
        bearers = [(one.name, f"Bearer {services.give_secret(one, by=by)}", office) for one in (sees_all, sees_one)]
        product = User.objects.create_user("product@vendor.example", is_staff=True)
        product.groups.add(Group.objects.get(name="auditor"))
        Authenticator.objects.create(user=product, type=Authenticator.Type.TOTP, data={})  # staff must have one
        owner = User.objects.create_user("owner@practice.example")
        grants.write_grants(Membership.objects.create(user=owner, office=office, role="owner"))
    people = [(who, tokens.make(who)[1]) for who in (product, owner)]
    return bearers + [(who.email.partition("@")[0], f"Token {token}", office) for who, token in people]


def compare(who: str, authorization: str, office: Any) -> None:
    """Print both medians and their ratio."""
    ours, bare = f"/api/v1/offices/{office.public_id}/entitlement/", f"/bare/{office.public_id}/"
    ask, requested = handler_and_requests(authorization)
    statements = {path: statements_of(ask, requested, path) for path in (ours, bare)}
    assert statements[ours] == statements[bare], "the bare view must ask the database the same"
    spent: dict[str, list[float]] = {ours: [], bare: []}
    for number in range(WARM_UP + ROUNDS):
        for path in (ours, bare) if number % 2 else (bare, ours):
            request = requested(path)
            began = time.perf_counter()
            response = ask(request)
            took = time.perf_counter() - began
            assert response.status_code == 200, response.status_code
            if number >= WARM_UP:
                spent[path].append(took)
    own, least = (statistics.median(spent[path]) * 1_000 for path in (ours, bare))
    met = "met" if own / least <= GOAL else "missed"
    print(
        f"{who}: entitlement {own:.3f} ms, bare view {least:.3f} ms, ratio {own / least:.2f} ({met}); "
        f"{len(statements[ours])} queries each"
    )


def handler_and_requests(authorization: str) -> tuple[Any, Any]:
    """Return the function that answers a request, with all middleware, and the function that makes a request."""
    from django.conf import settings
    from django.core.handlers.base import BaseHandler
    from django.http import HttpRequest, JsonResponse
    from django.shortcuts import get_object_or_404
    from django.test import RequestFactory
    from django.urls import path
    from rest_framework.request import Request

    from billing.access import grants
    from billing.access.roles import Power
    from billing.api.authentication import ServiceTokens, Tokens
    from config.urls import urlpatterns

    kind = ServiceTokens if authorization.startswith("Bearer") else Tokens

    def bare(request: HttpRequest, public_id: Any) -> JsonResponse:
        user, _ = kind().authenticate(Request(request))
        seen = grants.offices_where(user, Power.LOOK).select_related("current_plan")
        get_object_or_404(seen, public_id=public_id)
        return JsonResponse({"access": "full", "reason": "active", "until": None})

    settings.ROOT_URLCONF = (*urlpatterns, path("bare/<uuid:public_id>/", bare))
    handler = BaseHandler()
    handler.load_middleware()
    factory = RequestFactory(headers={"Authorization": authorization, "Host": settings.ALLOWED_HOSTS[0]})
    return handler.get_response, partial(factory.get, secure=True)


def statements_of(ask: Any, requested: Any, where: str) -> list[str]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ask(requested(where))
    with CaptureQueriesContext(connection) as seen:
        ask(requested(where))
    return [MOMENT.sub("?", one["sql"]) for one in seen.captured_queries]


if __name__ == "__main__":
    main()
