"""Lockout and wrong tokens over two web processes: what one counts, the other knows."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest
from django.conf import global_settings

from billing.access import tokens
from billing.audit import trail
from billing.models import AuditEntry, RefusalCount
from demo.stack import free_port
from tests.conftest import PASSWORD
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
STAFF = "operator@vendor.example"
HERE, THERE = "203.0.113.7", "198.51.100.9"
WRONG = "sign-in: wrong address or password"
NOW_LOCKED = f"{WRONG}. From this network none is looked at for a while"
NOT_LOOKED_AT = "sign-in: not looked at, after too many wrong tries"


@pytest.fixture
def sites(stripe, operator, started, monkeypatch, settings):
    """Two web servers behind a proxy that we play."""
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # as theirs
    operator.user.set_password(PASSWORD)
    with trail.acting(operator):
        operator.user.save()
    monkeypatch.setenv("TRUSTED_PROXIES", "1")
    monkeypatch.setenv("RATE_LIMITS", "sign-in=1000/minute,wrong-tokens=3/minute")
    ports = [free_port(), free_port()]
    for port in ports:
        started("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}")
    for port in ports:
        until(partial(_answers, port))
    return [f"http://127.0.0.1:{port}" for port in ports]


def _answers(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code in (200, 503)
    except httpx.TransportError:
        return False


def token(site, password, *, network=HERE):
    given = {"email": STAFF, "password": password}
    headers = {"X-Forwarded-For": network}
    return httpx.post(f"{site}/api/v1/auth/token/", json=given, headers=headers, trust_env=False, timeout=30)


def test_what_one_process_counted_locks_at_the_other(sites):
    one, other = sites
    table = [
        *[(site, "wrong", HERE, 401) for site in (one, other, one, other)],
        (one, "wrong", HERE, 429),
        (other, PASSWORD, HERE, 429),
        (other, PASSWORD, THERE, 200),
        (one, "wrong", THERE, 401),
        (one, PASSWORD, HERE, 429),
    ]

    answers = [token(site, password, network=network) for site, password, network, _ in table]

    assert [one.status_code for one in answers] == [expected for *_, expected in table]
    assert all(800 < int(one.headers["Retry-After"]) <= 900 for one in answers if one.status_code == 429)
    said = AuditEntry.objects.filter(kind="refusal").order_by("pk").values_list("what", flat=True)
    assert list(said) == [WRONG, NOW_LOCKED, NOT_LOOKED_AT, WRONG]
    assert sorted(RefusalCount.objects.values_list("times", flat=True)) == [0, 0, 1, 3]
    assert AuditEntry.objects.filter(what__startswith="signed in for an API token").count() == 1


def test_many_at_once_are_soon_locked_too(sites):
    with ThreadPoolExecutor(8) as pool:
        codes = Counter(one.status_code for one in pool.map(lambda n: token(sites[n % 2], "wrong"), range(40)))

    assert set(codes) == {401, 429}
    assert codes[401] <= 4 + 8  # those that were on their way when the fifth was counted
    assert token(sites[0], PASSWORD).status_code == token(sites[1], PASSWORD).status_code == 429


def test_wrong_tokens_are_counted_over_both_processes(sites, operator):
    def asked(site, held, network=HERE):
        headers = {"X-Forwarded-For": network, "Authorization": f"Token {held}"}
        return httpx.get(f"{site}/api/v1/offices/", headers=headers, trust_env=False, timeout=30).status_code

    operator.user.refresh_from_db()
    _, right = tokens.make(operator.user)

    assert [asked(sites[n % 2], "0" * 64) for n in range(5)] == [401, 401, 401, 429, 429]
    assert [asked(site, right) for site in sites] == [200, 200]
    assert asked(sites[0], "0" * 64, THERE) == 401
