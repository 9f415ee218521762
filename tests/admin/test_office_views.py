"""The list of Offices in the words of who bills them: views at the top, and who has access."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from billing import clock, coming
from billing.admin import at_stripe
from billing.admin.filters.offices import with_access
from billing.entitlement import Access, entitlement
from billing.models import Finding, Office, User
from tests import test_present_subscription as several
from tests.conftest import OPERATOR, a_person
from tests.reports.made import owed
from tests.test_entitlement import NOW, POLICY, TABLE, office

DAY = timedelta(days=1)


def shown(query):
    client = Client()
    operator = User.objects.filter(email="operator@vendor.example").first()
    client.force_login(operator or a_person("operator@vendor.example", group=OPERATOR))
    answer = client.get(f"/admin/billing/office/{query}")
    assert answer.status_code == 200
    return [one.name for one in answer.context["cl"].result_list]


def made(name, **columns):
    return Office(name=name, billing_email="billing@oak.example", **columns)


def test_who_owes_most_comes_first(db):
    _, little, much, in_euro, _, archived = Office.objects.bulk_create(
        [
            made("Paid"),
            made("Owes little", balance_due=5),
            made("Owes much", balance_due=50),
            made("Owes in another currency"),
            made("Credit", balance_due=0),
            made("Archived", balance_due=70, archived_at=clock.wall()),
        ]
    )
    for one in (little, much, archived):
        owed(one, clock.wall(), one.balance_due)
    owed(in_euro, clock.wall(), 9_000, currency="eur")

    assert shown("?view=owing") == ["Owes much", "Owes little", "Owes in another currency"]


def test_trials_that_end_within_a_week(db):
    now = clock.billing()
    trial = {"subscription_status": "trialing"}
    Office.objects.bulk_create(
        [
            made("In six days", trial_end=now + 6 * DAY, **trial),
            made("Tomorrow", trial_end=now + DAY, **trial),
            made("In eight days", trial_end=now + 8 * DAY, **trial),
            made("Was canceled", trial_end=now + DAY, cancel_at=now + DAY, **trial),
            made("Was yesterday", trial_end=now - DAY, **trial),
            made("Active by now", trial_end=now + DAY, subscription_status="active"),
        ]
    )

    assert shown("?view=trial-ends") == ["Tomorrow", "In six days"]


@pytest.mark.parametrize(
    ("expires", "charged_in", "is_shown"),
    [
        ("2029-12", 20, True),  # expired already
        ("2030-01", 10, False),  # valid until the end of January, and charged on 25 January
        ("2030-01", 20, True),  # charged on 4 February
        ("2030-02", 20, False),
        ("2030-12", 350, False),  # once a year: charged on 31 December
        ("2030-11", 350, False),  # not within a month
        ("", 20, False),  # a bank account has no end
    ],
)
def test_cards_that_expire_before_the_next_charge(db, settings, expires, charged_in, is_shown):
    at = datetime(2030, 1, 15, tzinfo=UTC)
    row = made("Oak", subscription_status="active", payment_method_expires=expires)
    row.current_period_end = at + charged_in * DAY
    Office.objects.bulk_create([row])

    assert Office.objects.filter(coming.card_expires(at)).exists() is is_shown


def test_what_has_no_subscription_and_what_ends(db):
    now = clock.billing()
    Office.objects.bulk_create(
        [
            made("New"),
            made("Archived", archived_at=now),
            made("Ends", subscription_status="active", cancel_at=now + DAY),
            made("Goes on", subscription_status="active"),
        ]
    )

    assert shown("?view=no-subscription") == ["New"]
    assert shown("?view=ends") == ["Ends"]
    assert shown("?view=no-such-view") == ["Archived", "Ends", "Goes on", "New"]


@pytest.mark.parametrize(("status", "moments"), [(row[0], row[1]) for row in TABLE])
def test_the_filter_of_access_says_what_the_rule_says(db, status, moments):
    row = office(status, **moments)
    row.billing_email = "billing@oak.example"
    Office.objects.bulk_create([row])
    has_access = entitlement(row, POLICY, at=NOW).access is Access.FULL

    assert Office.objects.filter(with_access(NOW, POLICY)).exists() is has_access


@pytest.mark.parametrize(
    ("live", "is_served"),
    [
        ((several.OUT_OF_GRACE, several.IN_GRACE), True),
        ((several.UNPAID, several.PAYS), True),
        ((several.PAYS, several.UNPAID), True),
        ((several.OUT_OF_GRACE, several.UNPAID), False),
    ],
)
@pytest.mark.parametrize("is_open", [True, False])
def test_the_filter_of_access_asks_each_live_subscription(db, live, is_served, is_open):
    """The finding that tells of the second one may be closed: a person decided so."""
    row = several.office(*live)
    row.name, row.billing_email = "Oak", "billing@oak.example"
    oak = Office.objects.bulk_create([row])[0]
    closed = None if is_open else clock.wall()
    Finding.objects.create(
        kind="second_live_subscription", subject=str(oak.public_id), office=oak, detail="two", resolved_at=closed
    )

    assert Office.objects.filter(with_access(several.NOW, several.POLICY)).exists() is is_served


def test_access_can_be_asked_for(db):
    now = clock.billing()
    Office.objects.bulk_create(
        [made("Served", subscription_status="active", current_period_end=now + DAY), made("Not served")]
    )

    assert shown("?access=full") == ["Served"]
    assert shown("?access=none") == ["Not served"]


@pytest.mark.parametrize("query", ["?view=owing", "?access=full", "?subscription_status__exact=active"])
def test_a_role_that_sees_texts_masked_can_use_views_and_filters(db, query):
    client = Client()
    client.force_login(a_person("support@vendor.example", group="support"))

    assert client.get(f"/admin/billing/office/{query}").status_code == 200


@pytest.mark.parametrize(
    ("live", "page"),
    [
        (False, "https://dashboard.stripe.com/test/customers/cus_Oak0001"),
        (True, "https://dashboard.stripe.com/customers/cus_Oak0001"),
    ],
)
def test_an_office_has_a_link_to_its_customer_at_stripe(db, settings, live, page):
    settings.STRIPE_API_BASE, settings.STRIPE_LIVE_MODE = "", live
    oak = Office.objects.bulk_create([made("Oak", payment_provider_customer_id="cus_Oak0001")])[0]

    assert at_stripe.page_of(oak) == page


def test_a_local_stripe_has_no_dashboard(db, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:12111"

    assert at_stripe.page_of(made("Oak", payment_provider_customer_id="cus_Oak0001")) == ""


@pytest.mark.parametrize(("role", "has_link"), [("operator", True), ("support", False)])
def test_the_link_is_for_who_may_see_ids_at_stripe(db, settings, role, has_link):
    settings.STRIPE_API_BASE = ""
    oak = Office.objects.bulk_create([made("Oak", payment_provider_customer_id="cus_Oak0001")])[0]
    client = Client()
    client.force_login(a_person(f"{role}@vendor.example", group=role))
    text = client.get(f"/admin/billing/office/{oak.pk}/change/").content.decode()

    assert ("https://dashboard.stripe.com/test/customers/cus_Oak0001" in text) is has_link
