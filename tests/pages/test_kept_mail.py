"""The demo sends nothing. It keeps its e-mails, and shows them on a page that is only there then."""

import os
import re
import subprocess
import sys

import pytest
from django.test import Client

from billing.access import invitations
from billing.outbox import delivery
from tests.config.test_settings import GOOD

LOOK = "import django; django.setup(); from django.urls import resolve; print(resolve('/demo/mail/').url_name)"


@pytest.fixture
def kept(settings, tmp_path):
    settings.KEPT_MAIL = tmp_path / "mail"
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(settings.KEPT_MAIL)
    return settings.KEPT_MAIL


def test_what_would_have_been_sent_is_shown_newest_first_with_links_that_work(kept, administrator):
    assert "There is no e-mail yet" in Client().get("/demo/mail/").content.decode()
    for name in ("nora", "otto"):
        invitations.invite(f"{name}@vendor.example", "auditor", by=administrator)
    delivery.work_off()

    page = Client().get("/demo/mail/").content.decode()

    assert page.index("To otto@vendor.example") < page.index("To nora@vendor.example")
    address = re.search(r'<a href="https?://[^/"]+(/invitation/\?link=[^"]+)"', page)[1]
    assert "For otto@vendor.example" in Client().get(address).content.decode()


def test_what_is_in_an_e_mail_is_shown_as_text(kept):
    kept.mkdir()
    (kept / "a.log").write_bytes(b"Subject: <script>x</script>\nTo: x@y.example\n\n<script>alert(1)</script>\n")

    page = Client().get("/demo/mail/").content.decode()

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("changes", "there"),
    [
        ({"DEBUG": "true", "STRIPE_API_BASE": "http://127.0.0.1:12111", "EMAIL_HOST": ""}, True),
        ({}, False),
        ({"DEBUG": "true", "EMAIL_HOST": ""}, False),
        ({"DEBUG": "true", "STRIPE_API_BASE": "http://127.0.0.1:12111"}, False),
    ],
)
def test_the_page_is_there_only_with_debug_and_a_local_stripe_and_no_mail_server(changes, there):
    environment = {"PATH": os.environ["PATH"], **GOOD, **changes, "DJANGO_SETTINGS_MODULE": "config.settings"}

    ended = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=False)

    assert ("kept-mail" in ended.stdout, "Resolver404" in ended.stderr) == (there, not there), ended.stderr
