"""Support sees no e-mail address, no last digits of a card and no id at Stripe, and cannot guess them."""

import json
import re
from typing import Any

import pytest
from django.contrib import admin
from django.http import HttpResponse
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from billing.access.masking import masked, masked_data, middleware
from billing.admin.masking import MASKED, OPEN, MaskedAdmin
from billing.findings import report
from billing.models import Office
from tests.api.test_api import path
from tests.api.test_api import signed_in as with_token
from tests.conftest import OPERATOR, LocalStripe, a_member, a_person, an_office, subscribed_office
from tests.random_text import without_random

SECRETS = ("maple.example", "operator@vendor.example", "4242")


@pytest.fixture
def lived(stripe: LocalStripe, operator: Any, office: Office) -> Office:
    """An Office with a card, a payment, members and a finding that names an address and an id."""
    a_member(office, "owner")
    office = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    says = f"{office.payment_provider_customer_id} has billing@maple.example"
    report("contact_differs", "x", office=office, detail=says)
    return Office.objects.get(pk=office.pk)


@pytest.fixture
def support(db: None) -> Client:
    client = Client()
    client.force_login(a_person("support@vendor.example", group="support"))
    return client


def pages(client: Client) -> dict[str, str]:
    """Each page of the admin that the person may open: lists, records, and what can be opened from them."""
    found: dict[str, str] = {}
    waiting = ["/admin/"]
    while waiting:
        at = waiting.pop()
        answer = client.get(at)
        found[at] = answer.content.decode() if answer.status_code == 200 else ""
        for link in re.findall(r'href="(/admin/billing/[\w/-]+/)"', found[at]):
            if link not in found and link not in waiting:
                waiting.append(link)
    return found


def test_no_page_of_the_admin_shows_support_a_detail(lived, support):
    customer = lived.payment_provider_customer_id
    seen = pages(support)

    assert len(seen) > 25
    assert {one for one in seen if one.startswith("/admin/billing/office/")}
    for at, page in seen.items():
        shown = page.replace("support@vendor.example", "")
        assert not [one for one in ("maple.example", "operator@vendor.example", customer) if one in shown], at
        assert not [one for one in ("4242", customer[-4:]) if one in without_random(shown)], at
    assert "…@…" in seen["/admin/billing/user/"]


def test_random_text_hides_no_detail():
    """Else the test above could not fail: what is short, or stands in a sentence, is left."""
    for detail in (
        "visa …4242",
        "cus_…1b2c",
        "<b>4242</b>",
        "billing@maple.example",
        "last4=4242",
        "/4242/",
        "card 4242.",
    ):
        assert without_random(detail) == detail
    for chance in (
        "f90ddeadff0493728c0b37f09cf6ea93e",
        "01234242-4242-4242-8242-424242424242",
        "aB3-_x4242aB3xyzaB3xyz==",
    ):
        assert without_random(f'"{chance}"') == '""'


def test_an_operator_sees_them(lived, operator):
    client = Client()
    client.force_login(operator.user)
    seen = "".join(pages(client).values())

    assert not [one for one in SECRETS if one not in seen]


def test_who_is_also_an_operator_sees_them(lived):
    client = Client()
    client.force_login(a_person("both@vendor.example", group=f"support {OPERATOR}"))

    assert "billing@maple.example" in client.get(f"/admin/billing/office/{lived.pk}/change/").content.decode()


READ = ["", "subscription/", "payment-methods/", "payments/", "invoices/", "statement/", "standing/", "adjustments/"]


@pytest.mark.parametrize("rest", READ)
def test_the_api_hides_the_same(lived, operator, rest):
    hidden = with_token(a_person("support@vendor.example", group="support")).get(path(lived, rest))
    whole = with_token(operator.user).get(path(lived, rest))

    assert (hidden.status_code, whole.status_code) == (200, 200)
    assert not [one for one in SECRETS if one in without_random(hidden.content.decode())]
    assert set(hidden.json()) == set(whole.json())


@pytest.mark.parametrize("kind", ["application/problem+json", "application/problem+json; charset=utf-8"])
def test_what_is_refused_hides_the_same(rf, db, operator, kind):
    says = json.dumps({"detail": "cus_QwErTy1234abcd of billing@maple.example pays with visa …4242"})
    request = rf.get("/api/v1/")
    answer: Any = middleware(lambda _: HttpResponse(says, content_type=kind))

    request.user = a_person("support@vendor.example", group="support")
    assert json.loads(answer(request).content) == {"detail": "cus_… of …@… pays with visa …"}
    request.user = operator.user
    assert answer(request).content.decode() == says


def test_an_owner_sees_the_details_of_their_own_office(lived):
    owner = with_token(lived.memberships.get().user)

    assert owner.get(path(lived)).json()["billing_email"] == "billing@maple.example"
    assert owner.get(path(lived, "payment-methods/")).json()["payment_methods"][0]["last4"] == "4242"


GUESSES = [
    "office/?billing_email__startswith=b",
    "office/?payment_method_last4__startswith=4",
    "office/?payment_provider_customer_id__startswith=cus",
    "user/?email__startswith=o",
    "user/?groups__user__email__startswith=o",
    "paymentmethod/?last4=4242",
    "payment/?card_last4=4242",
    "operation/?actor_label__startswith=o",
    "membership/?user__email__startswith=o",
    "receivedevent/?customer_id__startswith=cus",
    "finding/?detail__contains=billing",
    "subscription/?stripe_id__startswith=sub",
]


@pytest.mark.parametrize("guess", GUESSES)
def test_no_filter_tells_whether_a_guess_is_right(lived, support, guess):
    assert support.get(f"/admin/billing/{guess}").status_code in (400, 404)


def test_the_filters_that_a_list_offers_work(lived, support):
    for offered in ("office/?subscription_status=active&archived_at__isempty=1", "user/?is_staff__exact=1"):
        shown = support.get(f"/admin/billing/{offered}")
        assert shown.status_code == 200
        assert shown.context["cl"].result_count > 0


@pytest.mark.parametrize(
    ("model", "typed"),
    [("office", "billing@"), ("user", "owner@"), ("membership", "owner@"), ("operation", "operator@vendor")],
)
def test_no_search_tells_whether_a_guess_is_right(lived, support, operator, model, typed):
    other = Client()
    other.force_login(operator.user)

    assert support.get(f"/admin/billing/{model}/", {"q": typed}).context["cl"].result_count == 0
    assert other.get(f"/admin/billing/{model}/", {"q": typed}).context["cl"].result_count > 0
    assert support.get("/admin/billing/office/", {"q": "maple"}).context["cl"].result_count == 1


def test_the_choice_of_a_person_in_a_form_searches_no_addresses(lived, support):
    asked = {"app_label": "billing", "model_name": "membership", "field_name": "user", "term": "owner@maple"}

    assert support.get("/admin/autocomplete/", asked).json().get("results", []) == []


def test_no_list_is_sorted_by_what_is_masked(lived, support):
    an_office("Another")
    shown = support.get("/admin/billing/user/", {"o": "1"})

    shown = [one.pk for one in shown.context["cl"].queryset]
    assert shown == sorted(shown)  # as they were made


def test_bulk_acts_are_not_sorted_by_who_began_them(support):
    listed = support.get("/admin/billing/bulkact/").context["cl"]
    assert "what" in listed.sortable_by
    assert "actor" not in listed.sortable_by


def test_each_page_of_the_admin_keeps_to_this():
    for model, page in admin.site._registry.items():
        if model._meta.app_label == "billing":
            assert isinstance(page, MaskedAdmin), model
            addresses = [name for name in page.search_fields if "email" in name or "label" in name or "id" in name]
            assert not set(addresses) & set(OPEN), model
    assert {"email", "user", "actor_label"} <= set(MASKED)


ADDRESSES = st.emails()


@given(ADDRESSES)
@example("o'brien@maple.example")
@example("x&y@maple.example")
def test_any_address_is_masked_in_text_in_html_and_in_data(address):
    from django.utils.html import escape

    local, _, domain = address.rpartition("@")
    for text in (f"({address})", f"<td>{escape(address)}</td>", f"mail to {address}, please"):
        assert masked(text).count("…@…") == 1, text
        assert domain not in masked(text).replace("…@…", "")
        assert len(masked(text)) <= len(text) - len(local) - len(domain) + 3
    assert masked_data({"a": [{"b": address}]}) == {"a": [{"b": "…@…"}]}


def test_what_is_no_detail_stays():
    text = "Choose … 199.00 USD · 12 Nov 2026 … @click price-monthly 00000000-0000-4000-8000-000000000000"
    assert masked(text) == text
    assert masked("me@vendor.example you@vendor.example", but="me@vendor.example") == "me@vendor.example …@…"
    assert masked("visa …4242, cus_…a1b2, cus_QXg1o8vcGmoR32") == "visa …, cus_…, cus_…"
    assert masked_data({"last4": "4242", "card_last4": "", "amount": 4242}) == {
        "last4": "…",
        "card_last4": "",
        "amount": 4242,
    }
