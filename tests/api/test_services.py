"""Services: which addresses and Offices open to them, from where and until when, and what the database keeps of it."""

import hashlib
import time
from datetime import timedelta
from typing import Any, cast

import pytest
from django.apps import apps
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished
from django.db import close_old_connections, connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from billing import clock, errors
from billing.access import grants, scopes, services, tokens
from billing.access.network import address_of, network_of
from billing.access.roles import Power
from billing.api.urls import urlpatterns
from billing.audit import actor
from billing.models import AuditEntry, ServiceIdentity, ServiceSecret
from tests.api.services import a_service, an_administrator, asking
from tests.api.test_api import path
from tests.conftest import a_member, an_office
from tests.operations.test_registry import addresses
from tests.other_connections import ON_SERVER, locked_by_another

pytestmark = pytest.mark.usefixtures("one_connection")

OPEN = {
    *("offices", "office", "entitlement", "plans", "subscription", "payments", "adjustments", "payment-methods"),
    *("invoices", "invoice", "invoice-lines", "invoice-pdf", "invoice-page", "upcoming-invoice"),
    *("statement", "cycles", "standing"),
}
"""The addresses that a service with every scope may read. Whoever adds one here has thought about it."""
ID = "3b0c7d1e-5a0f-4c55-9a53-0f1d2c3b4a59"
OPEN_TO_ALL = ("sign-in", "schema", "docs", "problems")


def every_address():
    return [one for one in addresses(urlpatterns) if one.name not in OPEN_TO_ALL]


def there(name):
    """The address, of an Office that does not exist."""
    _, api = cast(Any, get_resolver()).namespace_dict["api"]
    [(_, parameters)], *_ = api.reverse_dict[name]
    return reverse(f"api:{name}", kwargs=dict.fromkeys(parameters, ID))


def refusals(service):
    return list(AuditEntry.objects.get_for_object(service).filter(kind="refusal").values_list("what", flat=True))


def test_it_asks_for_an_entitlement_and_the_trail_calls_it_by_its_name(office):
    service, token = a_service()

    answer = asking(token).get(path(office, "entitlement/"))

    assert (answer.status_code, answer.json()["access"]) == (200, "none")
    service.refresh_from_db()
    assert clock.wall() - service.last_used_at < timedelta(minutes=1)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("address", every_address(), ids=lambda one: one.name)
def test_only_what_a_scope_names_is_open_to_a_service_that_has_them_all(db, address, method):
    service, token = a_service()

    answer = asking(token).generic(method, there(address.name))

    if method == "GET" and address.name in OPEN:
        assert answer.status_code in (200, 404), answer.content
        assert not refusals(service)
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert refusals(service) == [f"asked for {method} {address.name}, for which it has no scope"]


@pytest.mark.parametrize("scope", scopes.SCOPES)
def test_each_scope_opens_its_own_addresses_and_no_other(db, scope):
    _, token = a_service(scopes=[scope])

    for name in OPEN:
        answer = asking(token).get(there(name))
        is_open = name in scopes.SCOPES[scope].addresses
        assert (answer.status_code != 403) is is_open, name
        if not is_open:
            needs = scopes.needed(name, "GET")
            assert f"needs the scope {needs}" in answer.json()["detail"]


def test_every_scope_names_addresses_that_exist_and_none_is_named_twice():
    named = [address for scope in scopes.SCOPES.values() for address in scope.addresses]
    assert sorted(named) == sorted(OPEN)


def test_it_sees_the_offices_that_are_named_and_no_other(office):
    other = an_office("Another Practice")
    service, token = a_service(office)
    client = asking(token)

    assert client.get(path(office, "entitlement/")).status_code == 200
    assert client.get(path(other, "entitlement/")).status_code == 404
    assert [one["name"] for one in client.get("/api/v1/offices/").json()["results"]] == [office.name]
    for one, seen in ((office, True), (other, False)):
        assert grants.may(actor.identity(service), Power.LOOK, one) is seen


def test_it_never_acts_for_the_vendor_as_our_own_services_do(office):
    by = actor.identity(a_service()[0])

    assert not grants.may(by, "manage_billing", office)
    with pytest.raises(errors.StaffOnly):
        grants.require_vendor(by, "view_billing", to="do this")
    with pytest.raises(errors.NotPermitted):
        services.give_secret(by.identity, by=by)


def ended(service):
    ServiceIdentity.objects.filter(pk=service.pk).update(ended_at=clock.wall())


def expired(service):
    ServiceIdentity.objects.filter(pk=service.pk).update(expires_at=clock.wall())


def replaced(service):
    ServiceSecret.objects.filter(service=service).update(ends_at=clock.wall())


def elsewhere(service):
    ServiceIdentity.objects.filter(pk=service.pk).update(networks=["203.0.113.0/24", "2001:db8::/48"])


@pytest.mark.parametrize(
    ("happened", "says"),
    [
        (ended, "after the service had been ended"),
        (expired, "after the service had expired"),
        (replaced, "after it had been replaced"),
        (elsewhere, "used from 127.0.0.1, which is in none of its networks"),
    ],
)
def test_a_right_token_that_is_refused_is_on_record_once(office, happened, says):
    service, token = a_service()
    happened(service)

    answers = [asking(token).get(path(office, "entitlement/")) for _ in range(3)]

    assert [one.status_code for one in answers] == [401] * 3
    assert says not in answers[0].json()["detail"]
    [what] = refusals(service)
    assert says in what


@pytest.mark.parametrize(
    ("come", "let_in"), [("203.0.113.7", True), ("::ffff:203.0.113.7", True), ("203.0.114.7", False), ("", False)]
)
def test_it_may_ask_from_its_networks_only(office, come, let_in):
    _, token = a_service(networks=["203.0.113.0/24"])

    answer = asking(token, REMOTE_ADDR=come).get(path(office, "entitlement/"))

    assert answer.status_code == (200 if let_in else 401)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "203.0.113.7", "127.0.0.1"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "[2001:db8::7]", "2001:db8::7"),
        (1, None, "127.0.0.1"),
        (1, "nonsense", None),
    ],
)
def test_the_address_is_the_one_that_the_trusted_proxies_saw(rf, settings, proxies, forwarded, found):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", headers={"X-Forwarded-For": forwarded} if forwarded else {})

    assert str(address_of(request)) == str(found)


def test_the_64_of_an_ipv6_address_is_one_visitor(rf):
    assert network_of(rf.get("/", REMOTE_ADDR="2001:db8::1:2:3:4")) == "2001:db8::/64"


@pytest.mark.parametrize(
    "token", ["", "obs", "obs_", "obs__", "obs_0123456789ab_", "obs_0123456789ab_x", "Token x", "ö", "x" * 5_000]
)
def test_a_wrong_token_is_401_and_asks_for_a_right_one(office, token):
    a_service()
    answer = asking(token).get(path(office, "entitlement/"))
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_the_secret_of_one_service_does_not_open_with_the_prefix_of_another(office):
    by = an_administrator()
    _, one = a_service(by=by)
    _, other = a_service(by=by, name="Another program")
    mixed = "_".join([*one.split("_", 2)[:2], other.split("_", 2)[2]])

    assert asking(mixed).get(path(office, "entitlement/")).status_code == 401


def test_a_persons_token_as_a_bearer_opens_what_the_person_may_see(office, outsider):
    _, of_owner = tokens.make(a_member(office, "owner"))
    _, of_outsider = tokens.make(outsider.user)
    assert asking(of_owner).get(path(office, "entitlement/")).status_code == 200
    assert asking(of_outsider).get(path(office, "entitlement/")).status_code == 404
    assert asking(f"obs_{of_owner}").get(path(office, "entitlement/")).status_code == 401


def test_while_a_secret_is_replaced_both_are_valid_and_then_one(office):
    by = an_administrator()
    service, old = a_service(by=by)
    new = services.rotate(service, by=by, reason="every quarter", overlap_hours=24)

    def works(token):
        return asking(token).get(path(office, "entitlement/")).status_code == 200

    assert (works(old), works(new)) == (True, True)
    with pytest.raises(errors.SecretsOverlap):
        services.rotate(service, by=by, reason="too early", overlap_hours=24)
    services.end_old_secret(service, by=by, reason="the program uses the new one")
    assert (works(old), works(new)) == (False, True)
    lost = services.rotate(service, by=by, reason="it was lost", overlap_hours=0)
    assert (works(new), works(lost)) == (False, True)


def test_an_ended_service_gets_no_new_secret(office):
    by = an_administrator()
    service, token = a_service(by=by)
    services.end(service, by=by, reason="replaced")

    assert asking(token).get(path(office, "entitlement/")).status_code == 401
    with pytest.raises(errors.ServiceEnded):
        services.rotate(service, by=by, reason="again", overlap_hours=0)


def test_each_act_is_in_the_trail_with_its_reason(db):
    by = an_administrator()
    service, _ = a_service(by=by)
    services.rotate(service, by=by, reason="every quarter", overlap_hours=24)
    services.end(service, by=by, reason="replaced by another")

    entries = AuditEntry.objects.filter(content_type__model__in=("serviceidentity", "servicesecret"))
    assert {one.actor_label for one in entries} == {by.label}
    reasons = {one.reason for one in entries}
    assert {"every quarter", "replaced by another"} <= reasons
    changed = [set(one.changes) for one in entries if one.action == AuditEntry.Action.UPDATE]
    assert {"ends_at"} in changed
    assert {"ended_at"} in changed


def test_only_an_administrator_may(db, operator, auditor):
    service, _ = a_service()
    for by in (operator, auditor):
        for act in (
            lambda: services.give_secret(service, by=by),  # noqa: B023
            lambda: services.end_old_secret(service, by=by, reason="no role for it"),  # noqa: B023
            lambda: services.end(service, by=by, reason="no role for it"),  # noqa: B023
        ):
            with pytest.raises(errors.NotPermitted):
                act()


def test_the_database_holds_a_digest_and_the_trail_not_even_that(db):
    service, token = a_service()
    secret = token.split("_", 2)[2]

    assert secret not in "".join(str(list(one._base_manager.values())) for one in apps.get_models())
    row = ServiceSecret.objects.get(service=service)
    assert row.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert all(row.digest not in str(one.changes) for one in AuditEntry.objects.all())


def test_the_last_use_is_written_at_most_every_ten_minutes(office):
    service, token = a_service()
    asking(token).get(path(office, "entitlement/"))
    recently = clock.wall() - timedelta(minutes=9)
    long_ago = clock.wall() - timedelta(minutes=11)

    for written, kept in ((recently, True), (long_ago, False)):
        ServiceIdentity.objects.update(last_used_at=written)
        services.tried.clear()
        asking(token).get(path(office, "entitlement/"))
        service.refresh_from_db()
        assert (service.last_used_at == written) is kept


def test_the_entitlement_takes_three_statements_and_no_write(subscribed, administrator, django_assert_max_num_queries):
    for service, token in (a_service(), a_service(subscribed, by=administrator, name="Of one Office")):
        client = asking(token)
        client.get(path(subscribed, "entitlement/"))
        with django_assert_max_num_queries(3) as seen:
            answer = client.get(path(subscribed, "entitlement/"))

        assert answer.status_code == 200
        assert answer.headers["RateLimit-Policy"] == '"services";q=6000;w=60'
        assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries), service


def test_the_last_use_is_written_after_the_answer_is_there(subscribed, rf):
    _, token = a_service()
    request = rf.get(path(subscribed, "entitlement/"), headers={"Authorization": f"Bearer {token}"})
    with CaptureQueriesContext(connection) as before:
        response = WSGIHandler().get_response(request)
    request_finished.disconnect(close_old_connections)
    try:
        with CaptureQueriesContext(connection) as after:
            response.close()
    finally:
        request_finished.connect(close_old_connections)

    assert response.status_code == 200
    assert all(query["sql"].startswith("SELECT") for query in before.captured_queries)
    [write] = after.captured_queries
    assert write["sql"].startswith("UPDATE")


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_with_the_database_locked_it_is_answered_and_its_last_use_is_left_out(caplog):
    office = an_office()
    service, token = a_service()
    client = asking(token)
    with locked_by_another("billing_serviceidentity", "billing_ratecount", "billing_job", mode="EXCLUSIVE"):
        for _ in range(5):
            began = time.monotonic()
            with CaptureQueriesContext(connections["default"]) as seen:
                answer = client.get(path(office, "entitlement/"))
            assert answer.status_code == 200
            assert time.monotonic() - began < 1.5
            assert len(seen) <= 3
            assert all(query["sql"].startswith("SELECT") for query in seen.captured_queries)
    assert f"last use of the service {service.name} not written" in caplog.text
    service.refresh_from_db()
    assert ON_SERVER or service.last_used_at is None  # a libSQL server may do later what nobody waits for any more
