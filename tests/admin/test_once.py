"""A form that is sent twice, as by a double click on Save, makes one row, and both times leads to its page."""

import re
import threading
from functools import partial

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from billing import sent_twice
from billing.models import Agreement, IdempotentRequest, Invitation, Office, Plan, ServiceIdentity
from demo.stack import free_port, web_command
from tests.admin.test_agreements import EXECUTED
from tests.admin.test_agreements import LIST as AGREEMENTS
from tests.admin.test_people import INVITE
from tests.admin.test_plans import ADD as ADD_PLAN
from tests.admin.test_plans import confirmed_form as plan_form
from tests.admin.test_services import ADD as ADD_SERVICE
from tests.admin.test_services import form as service_form
from tests.moving.test_frozen import answers
from tests.processes import until

ADD = reverse("admin:billing_office_add")
OFFICE = {
    "name": "New Practice",
    "billing_email": "b@new.example",
    "time_zone": "UTC",
    "locale": "en",
    "is_the_practices": "on",
}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
FORMS = [
    (ADD, lambda: OFFICE, Office),
    (ADD_PLAN, plan_form, Plan),
    (ADD_SERVICE, service_form, ServiceIdentity),
    (INVITE, lambda: {"email": "nora@vendor.example", "role": "operator"}, Invitation),
    (AGREEMENTS + "prepare-executed/", lambda: EXECUTED, Agreement),
]


@pytest.fixture
def staff(administrator) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(administrator.user)
    return client


def shown(client: Client, page: str) -> dict[str, str]:
    """Open the page, and return what its form sends unseen."""
    return {"csrfmiddlewaretoken": TOKEN.findall(client.get(page).content.decode())[-1]}


@pytest.mark.parametrize(("page", "given", "makes"), FORMS)
def test_a_page_that_is_sent_again_makes_nothing_more(stripe, staff, page, given, makes):
    before, sent = makes.objects.count(), given() | shown(staff, page)

    staff.post(page, sent)
    again = staff.post(page, sent)

    assert makes.objects.count() == before + 1
    assert again.status_code == 302
    assert sent_twice.MADE in staff.get(again["Location"]).content.decode()


@pytest.mark.parametrize(("page", "given", "makes"), FORMS[:1])
def test_what_is_sent_from_another_page_or_changed_is_another_row(stripe, staff, page, given, makes):
    before, sent = makes.objects.count(), given() | shown(staff, page)

    staff.post(page, sent)
    staff.post(page, sent | {"name": "Another Practice", "billing_email": "b@another.example"})
    for knows_of in ("", str(Office.objects.get(name="New Practice").pk)):  # the first one is hinted at
        staff.post(page, sent | shown(staff, page) | {"knows_of": knows_of})

    assert makes.objects.count() == before + 3


def test_a_page_that_was_refused_can_be_corrected(stripe, staff):
    sent = OFFICE | shown(staff, ADD)

    refused = staff.post(ADD, sent | {"name": ""})
    made = staff.post(ADD, sent)

    assert refused.status_code == 200
    assert made.status_code == 302
    assert Office.objects.count() == IdempotentRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
def test_two_clicks_at_the_same_moment_make_one_office_and_lead_to_its_page(stripe, staff, started):
    port = free_port()
    started(*web_command(port, "--workers", "1"))
    until(partial(answers, port))
    sent = OFFICE | shown(staff, ADD)
    cookies = {name: staff.cookies[name].value for name in (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)}
    together, led_to = threading.Barrier(2), []

    def click() -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", cookies=cookies, trust_env=False, timeout=60) as browser:
            together.wait()
            led_to.append(browser.post(ADD, data=sent))

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    page = reverse("admin:billing_office_change", args=[Office.objects.get().pk])
    assert [one.status_code for one in led_to] == [302, 302]
    assert page in {one.headers["Location"] for one in led_to}
