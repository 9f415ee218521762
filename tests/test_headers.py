"""What a browser may load and run: a walk over every address of the site, for a visitor and for the vendor's staff."""

import os
import re
import subprocess
import sys
import uuid
from typing import Any

import pytest
from django.conf import settings as ours
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from config.headers import PERMISSIONS
from tests.config.test_settings import GOOD
from tests.conftest import ADMINISTRATOR, a_person, an_office

VALUES = {"uuid": str(uuid.UUID(int=1)), "int": "1", "str": "1", "slug": "one", "path": "1"}
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>\s*\S"  # a script in the page
    r"|<[a-z][^>]*\son[a-z]+\s*=\s*[\"']"  # an attribute that is one
    r"|href=[\"']javascript:",
    re.IGNORECASE,
)
STYLED = re.compile(r"<style|<[a-z][^>]*\sstyle\s*=", re.IGNORECASE)


def addresses(entries: Any = None, before: str = "/") -> set[str]:
    """Return an address for each pattern of the site, with ids that are made up."""
    found = set()
    for entry in get_resolver().url_patterns if entries is None else entries:
        if isinstance(entry, URLResolver):
            found |= addresses(entry.url_patterns, before + filled(str(entry.pattern)))
        elif isinstance(entry, URLPattern):
            found.add(before + filled(str(entry.pattern)))
    return found


def filled(pattern: str) -> str:
    route = re.sub(r"<(?:(\w+):)?\w+>", lambda one: VALUES.get(one[1] or "str", "1"), pattern)
    return re.sub(r"\(\?P<\w+>[^)]*\)", "1", route).replace("^", "").replace("$", "").replace(r"\Z", "")


EXCEPT = {
    "/admin/": ("'self' 'unsafe-eval'", "'self' 'unsafe-inline'"),
    "/demo/": ("'none'", "'self' 'unsafe-inline'"),  # it shows e-mails, and is not there in production
}
"""What may run and how a page may look where it is not only our own files."""
WALK = sorted(addresses())


def directives(answer: Any) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


@pytest.fixture
def clients(db, no_limit_is_reached):
    an_office()
    staff = Client(raise_request_exception=False)
    staff.force_login(a_person("ada@vendor.example", group=ADMINISTRATOR))
    return [Client(raise_request_exception=False), staff]


def test_every_answer_limits_what_its_page_may_load_and_none_has_a_script_inside(clients):
    pages = 0
    for client in clients:
        for address in WALK:
            answer = client.get(address)
            told = directives(answer)
            scripts, styles = EXCEPT.get(f"/{address.split('/')[1]}/", ("'self'", "'self'"))
            assert told["default-src"] == "'none'", address
            assert told["frame-ancestors"] == told["base-uri"] == "'none'", address
            assert told.get("script-src", told["default-src"]) == scripts, address
            assert told["style-src"] == styles, address
            assert told["form-action"] == f"'self' {ours.STRIPE_API_BASE}", address
            assert answer["Permissions-Policy"] == PERMISSIONS, address
            assert answer["X-Content-Type-Options"] == "nosniff", address
            if "text/html" in answer.get("Content-Type", "") and answer.status_code != 500:
                pages += 1
                body = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
                assert not INLINE.search(body), (address, INLINE.search(body))
                is_djangos = answer.status_code == 404  # with DEBUG, its own page
                assert "unsafe-inline" in styles or is_djangos or not STYLED.search(body), (
                    address,
                    STYLED.search(body),
                )
    assert len(WALK) > 150
    assert pages > 50


@pytest.mark.parametrize(
    "page",
    ["<script>alert(1)</script>", '<a onclick="x()">', "<a href='javascript:x()'>", '<img src=x onerror = "x()">'],
)
def test_the_walk_would_find_a_script_inside(page):
    assert INLINE.search(page)


@pytest.mark.parametrize(
    "page", ['<script src="/static/a.js"></script>', '<script type="application/json">{"a": 1}</script>']
)
def test_files_and_data_are_no_scripts_inside(page):
    assert not INLINE.search(page)


def test_a_provider_for_signing_in_may_be_led_on_to(settings, client, db):
    settings.OIDC = type(settings.OIDC)(**{**vars_of(settings.OIDC), "issuer": "https://id.vendor.example"})

    assert directives(client.get("/account/login/"))["form-action"] == "'self' https:"


def vars_of(provider: Any) -> dict[str, Any]:
    return {name: getattr(provider, name) for name in provider.__dataclass_fields__}


def test_with_debug_off_a_browser_comes_back_over_tls_only():
    program = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "over_tls = Client().get('/nothing-here', secure=True, headers={'host': 'billing.vendor.example'})\n"
        "plain = Client().get('/done/', headers={'host': 'billing.vendor.example'})\n"
        "from django.conf import settings\n"
        "print(over_tls.headers.get('Strict-Transport-Security'), plain.status_code, plain.headers.get('Location'))\n"
        "print(settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY)\n"
    )
    given = {"PATH": os.environ["PATH"], **GOOD, "DJANGO_SETTINGS_MODULE": "config.settings"}
    ended = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)

    assert ended.stdout.splitlines() == [
        "max-age=31536000; includeSubDomains; preload 301 https://billing.vendor.example/done/",
        "True True True",
    ], ended.stderr[-2000:]
