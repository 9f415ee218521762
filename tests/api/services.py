"""A service of the vendor, as the tests of several folders make one."""

from datetime import timedelta
from typing import Any

from rest_framework.test import APIClient

from billing import clock
from billing.access import services
from billing.access.scopes import SCOPES
from billing.audit import actor, trail
from billing.audit.actor import Actor
from billing.models import Office, ServiceIdentity
from tests.conftest import a_person


def an_administrator() -> Actor:
    return actor.person(a_person("admin@vendor.example", group="administrator"))


def a_service(
    *offices: Office, by: Actor | None = None, name: str = "Practice software", **given: Any
) -> tuple[ServiceIdentity, str]:
    """Return a service and its token. It sees all Offices if none is named, and has every scope if none is given."""
    by = by or an_administrator()
    given = {"scopes": list(SCOPES), "expires_at": clock.wall() + timedelta(days=30), **given}
    with trail.acting(by, reason="tests"):
        service = ServiceIdentity.objects.create(name=name, all_offices=not offices, **given)
        service.offices.set(offices)
        return service, services.give_secret(service, by=by)


def asking(token: str, **environment: Any) -> APIClient:
    client = APIClient(**environment)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client
