"""What people see where no page answers: what happened, what to do next, the number of the request, and a way back."""

import re

from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.views import defaults

from billing import error_pages
from billing.access.request_context import REQUEST_ID
from tests.admin.test_offices import signed_in

REFERENCE = r'<span class="secret">([0-9a-f]{32})</span>'


def helps(answer) -> bool:
    text = answer.content.decode()
    reference = re.search(REFERENCE, text)
    return "· Office Billing</title>" in text and 'class="button" href="/"' in text and bool(reference)


def test_an_unknown_address_is_told_and_leads_back(operator):
    answer = signed_in(operator.user).get("/nowhere/")

    assert answer.status_code == 404
    assert helps(answer)
    assert answer["X-Request-ID"] in answer.content.decode()


def test_who_may_not_see_a_page_is_told_who_can_help(auditor, office):
    answer = signed_in(auditor.user).get(f"/admin/billing/office/{office.pk}/cancel/")

    assert answer.status_code == 403
    assert helps(answer)
    assert "Ask an administrator" in answer.content.decode()


def test_a_form_that_is_too_old_says_so(operator):
    client = Client(enforce_csrf_checks=True)
    client.force_login(operator.user)

    answer = client.post("/admin/billing/office/add/", {"name": "New Practice"})

    assert answer.status_code == 403
    assert helps(answer)
    assert "This form is too old" in answer.content.decode()


def test_a_request_that_cannot_be_read_is_told_without_the_database():
    answer = Client().get("/admin/billing/office/?q=%00")  # the test may not use the database

    assert answer.status_code == 400
    assert helps(answer)


def test_an_error_of_ours_is_told_without_the_database():
    request = RequestFactory().get("/admin/")
    setattr(request, REQUEST_ID, "5e" * 16)
    try:
        raise RuntimeError("nothing that people see")
    except RuntimeError:
        answer = error_pages.failed(request)

    assert answer.status_code == 500
    assert helps(answer)
    assert "nothing that people see" not in answer.content.decode()


def test_the_page_of_who_may_not_is_made_without_a_person():
    answer = defaults.permission_denied(RequestFactory().get("/admin/"), PermissionDenied())

    assert "You are not allowed" in answer.content.decode()
