"""Two web servers in the second step of replacing all keys: one was restarted, the other was not. Nothing is missed."""

import time
from functools import partial
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet
from django.conf import global_settings

from billing import sealing
from billing.audit import actor, trail, verify
from billing.models import AuditEntry, ReceivedEvent
from demo.stack import free_port
from tests.conftest import PASSWORD, a_member
from tests.processes import until
from tests.sign_in.browser import SECRET, totp
from tests.test_rotation import NEW_MARK, NEW_SEAL, OLD_MARK, OLD_SEAL, PUBLIC, both_sign

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
OLD_FERNET, NEW_FERNET = (Fernet.generate_key().decode() for _ in range(2))
NOT_YET = {
    "SECRET_KEY": "the old key of sessions",
    "SECRET_KEY_FALLBACKS": "the new key of sessions",
    "SECRETS_KEYS": f"{OLD_FERNET},{NEW_FERNET}",
    "STRIPE_WEBHOOK_SECRETS": "whsec_old",
    "AUDIT_SEAL_KEY": OLD_SEAL,
    "AUDIT_ENTRY_KEYS": f"{OLD_MARK},{NEW_MARK}",
    "AUDIT_SEAL_PUBLIC_KEYS": ",".join(PUBLIC),
}
RESTARTED = NOT_YET | {
    "SECRET_KEY": "the new key of sessions",
    "SECRET_KEY_FALLBACKS": "the old key of sessions",
    "SECRETS_KEYS": f"{NEW_FERNET},{OLD_FERNET}",
    "STRIPE_WEBHOOK_SECRETS": "whsec_old,whsec_new",
    "AUDIT_SEAL_KEY": NEW_SEAL,
    "AUDIT_ENTRY_KEYS": f"{NEW_MARK},{OLD_MARK}",
}


class Browser:
    """A person's browser, which keeps its cookies whichever server answers."""

    def __init__(self) -> None:
        self.http = httpx.Client(trust_env=False, timeout=30)

    def get(self, site: str, path: str) -> httpx.Response:
        return self.http.get(site + path)

    def post(self, site: str, path: str, **given: Any) -> httpx.Response:
        if "csrftoken" not in self.http.cookies:
            self.get(site, path)
        token = self.http.cookies["csrftoken"]
        return self.http.post(site + path, data={"csrfmiddlewaretoken": token, **given}, headers={"Referer": site})


@pytest.fixture
def sites(stripe, started, monkeypatch):
    found = []
    for variables in (NOT_YET, RESTARTED):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        found.append(port := free_port())
        started("manage.py", "runserver", "--noreload", f"127.0.0.1:{port}")
    for port in found:
        until(partial(_answers, port))
    return [f"http://127.0.0.1:{port}" for port in found]


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code in (200, 503)
    except httpx.TransportError:
        return False


def test_people_events_and_the_trail_go_on_at_both(sites, stripe, office, settings):
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS  # as theirs
    person = a_member(office, "owner")
    person.set_password(PASSWORD)
    with trail.acting(actor.person(person)):
        person.save()
    stripe.post("customers", name="Somebody")
    [delivery] = stripe.taken()
    not_yet, restarted = sites
    browser = Browser()

    browser.post(not_yet, "/account/login/", login=person.email, password=PASSWORD)
    seen = [browser.get(site, "/account/sessions/").status_code for site in (restarted, not_yet, restarted)]
    secret = SECRET.search(browser.get(restarted, "/account/2fa/app/").text)[1]
    enrolled = browser.post(restarted, "/account/2fa/app/", code=totp(secret))
    again = Browser()
    again.post(not_yet, "/account/login/", login=person.email, password=PASSWORD)
    asked = again.get(not_yet, "/account/sessions/").status_code
    again.post(not_yet, "/account/2fa/authenticate/", code=totp(secret, at=time.time() + 30))
    seen += [again.get(site, "/account/sessions/").status_code for site in (not_yet, restarted)]

    assert (seen, asked, enrolled.status_code) == ([200] * 5, 302, 302)
    path = "/" + delivery["url"].split("/", 3)[3]
    for number, site in enumerate(sites):
        body = delivery["body"].replace('"evt_', f'"evt_at{number}_', 1)
        headers = {"Stripe-Signature": both_sign(body), "Content-Type": "application/json"}
        assert httpx.post(site + path, content=body, headers=headers, trust_env=False).status_code == 200
    assert ReceivedEvent.objects.count() == 2
    settings.AUDIT_SEAL_KEY, settings.AUDIT_SEAL_PUBLIC_KEYS = NEW_SEAL, PUBLIC
    settings.AUDIT_ENTRY_KEYS = [NEW_MARK, OLD_MARK, *settings.AUDIT_ENTRY_KEYS]
    sealing.seal()
    assert verify.verify().faults == []
    marks = {one.partition(":")[0] for one in AuditEntry.objects.values_list("mac", flat=True)}
    assert len(marks) == 3  # of each server, and of this process
