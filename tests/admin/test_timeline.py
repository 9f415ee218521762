"""An auditor reads what was done to an Office: a line for each operation and each act, in words."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import clock, errors
from billing.admin import timeline
from billing.audit import actor, trail
from billing.models import AuditEntry, Operation
from billing.operations.engine import settle
from billing.operations.engine.begin import perform
from billing.operations.money.credit import AdjustCredit
from billing.operations.offices.archive import ArchiveOffice, UnarchiveOffice
from billing.operations.offices.contact import ChangeContact
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.change import ChangeSubscription
from tests.conftest import a_member, a_person, an_office, subscribed_office


@pytest.fixture
def browser(auditor):
    client = Client()
    client.force_login(auditor.user)
    return client


def page(browser, office, query=""):
    answer = browser.get(f"/admin/billing/office/{office.pk}/timeline/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def lines(browser, office, query=""):
    """Return each line as people read it, without its time."""
    shown = re.findall(r"<summary.*?</time>(.*?)</summary>", page(browser, office, query), re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", one).split()).replace(" ,", ",").replace(" :", ":") for one in shown]


def noted(office, what, **given):
    with trail.acting(actor.job("tests"), office=office, **given):
        return trail.record_act(office, what, office=office)


def test_an_operation_is_one_line_in_words_with_what_it_changed_and_cost(stripe, browser, operator, office):
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=6)
    perform(ChangeSubscription(quantity=9), office, by=operator, reason="office_asked")

    told = lines(browser, office)

    assert re.fullmatch(
        r"operator@vendor.example changed the subscription, seats 6 → 9, charged [\d.]+ USD: The Office asked for it",
        told[0],
    )
    assert re.match(r"operator@vendor.example started a subscription, .*charged 294.00 USD: new", told[1])
    assert "plan none → Team" in told[1]
    assert len(told) == 3  # and that the Office was added
    assert "subscription item" in page(browser, office)


def test_it_does_not_read_what_the_operation_was_asked_with(stripe, browser, operator, office):
    subscribed_office(office, by=operator)
    perform(AdjustCredit(amount=2_500), office, by=operator, reason="goodwill")
    before = lines(browser, office)

    Operation.objects.update(request={})

    assert lines(browser, office) == before
    assert before[0] == "operator@vendor.example changed the credit, credit 0.00 USD → 25.00 USD: Goodwill"


def test_what_was_not_done_says_so(stripe, browser, operator, office):
    with pytest.raises(errors.CardDeclined):
        subscribed_office(office, by=operator, card="pm_card_chargeCustomerFail")
    with pytest.raises(errors.BillingError):
        perform(CancelSubscription(), office, by=operator, reason="closing")

    refused, declined, *_ = lines(browser, office)

    assert declined.startswith("operator@vendor.example asked for “Start a subscription”, and the payment was declined")
    assert refused.startswith("operator@vendor.example was refused “Cancel the subscription”: ")


def test_archiving_and_bringing_back_have_words_of_their_own(browser, operator, office):
    perform(ArchiveOffice(), office, by=operator, reason="the practice closed")
    perform(UnarchiveOffice(), office, by=operator, reason="it did not")

    assert lines(browser, office)[:2] == [
        "operator@vendor.example brought the Office back: it did not",
        "operator@vendor.example archived the Office: the practice closed",
    ]


def test_what_stripe_reported_together_is_one_line(stripe, browser, operator, office):
    subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    stripe.advance(days=32)
    stripe.deliver_and_apply()

    told = [one for one in lines(browser, office) if one.startswith("Stripe webhooks")]

    assert "charged 199.00 USD" in told[0]
    assert ": Stripe reported " in told[0]
    assert "changed " in told[0]
    assert len(told) == len({one.request_id for one in AuditEntry.objects.filter(actor_label="Stripe webhooks")})


def test_what_a_worker_carried_on_belongs_to_the_operation(stripe, browser, operator, office):
    subscribed_office(office, by=operator)
    stripe.fail_next("drop_after", method="POST", path_prefix="/v1/customers/")
    with pytest.raises(errors.StripeUnavailable):
        perform(ChangeContact(name="Maple Practice"), office, by=operator, reason="correction")
    assert "nobody knows yet" in lines(browser, office)[0]
    Operation.objects.update(lease_until=clock.wall())

    settle.resume_unsettled()

    told = lines(browser, office)
    assert told[0] == "operator@vendor.example changed the contact: A mistake is corrected"
    assert len(told) == 3


def test_how_members_signed_in_is_there_and_how_others_did_is_not(browser, operator, office):
    owner, other = a_member(office, "owner"), an_office("Another Practice")
    for person in (owner, operator.user):
        with trail.acting(actor.person(person)):
            trail.record_act(person, "signed in with a password")

    told = lines(browser, office)

    assert told[0] == "owner@maple.example signed in with a password"
    assert len([one for one in told if "signed in" in one]) == 1
    assert [one for one in lines(browser, other) if "signed in" in one] == []


def test_each_line_is_on_one_page_newest_first(browser, office):
    for number in range(60):
        noted(office, f"act {number}")

    first = page(browser, office)
    seen = lines(browser, office)
    while "?before=" in first:
        query = re.search(r'"(\?before=[\d-]+)"', first)[1]
        first = page(browser, office, query)
        seen += lines(browser, office, query)

    acts = [one for one in seen if "act " in one]
    assert acts == [f"tests act {number}" for number in reversed(range(60))]
    assert len(set(seen)) == len(seen)


def test_lines_of_the_same_moment_are_each_shown_once(office):
    at = clock.wall() + timedelta(hours=1)
    with trail.acting(actor.job("tests"), office=office):
        for number in range(60):
            AuditEntry.objects.log_create(
                office, force_log=True, action=3, kind="act", what=f"act {number}", timestamp=at, request_id=str(number)
            )

    shown = timeline.page(office, by=actor.job("tests"))
    found = [line.words for line in shown.lines]
    while shown.older:
        shown = timeline.page(office, by=actor.job("tests"), before=shown.older)
        found += [line.words for line in shown.lines]

    assert [one for one in found if one.startswith("act ")] == [f"act {number}" for number in reversed(range(60))]


@pytest.mark.parametrize("place", ["x", "-", "2026-1", "99999999999999999999-1", "20261129000000000000-x"])
def test_a_place_that_is_none_is_the_newest_page(browser, office, place):
    assert lines(browser, office, f"?before={place}") == lines(browser, office)


def test_several_things_of_one_request_are_several_lines(stripe, browser, operator, office):
    with trail.acting(actor.job("tests"), request_id="one-request"):
        subscribed_office(office, by=operator)
        perform(CancelSubscription(), office, by=operator, reason="closing")
        noted(office, "rang them up")

    told = lines(browser, office)

    assert [re.sub(r"[,:].*", "", one) for one in told[:3]] == [
        "tests rang them up",
        "operator@vendor.example cancelled the subscription",
        "operator@vendor.example started a subscription",
    ]


def test_what_others_wrote_with_the_same_request_id_is_a_line_of_its_own(browser, office):
    for who in ("first", "second", "first"):
        with trail.acting(actor.job(who), request_id="one-request"):
            trail.record_act(office, f"noted by the {who}", office=office)

    told = lines(browser, office)

    assert told[:3] == [
        "second noted by the second",
        "first noted by the first",
        "first noted by the first",
    ]


def test_a_request_with_very_many_entries_says_how_many_are_not_read(browser, office):
    with trail.acting(actor.job("tests"), office=office, request_id="one-request"):
        for number in range(timeline.MOST_TOGETHER + 7):
            trail.record_act(office, f"act {number}", office=office)

    with CaptureQueriesContext(connection) as seen:
        shown = timeline.page(office, by=actor.job("tests"))

    acts = [line for line in shown.lines if line.words.startswith("act ")]
    assert len(acts) == timeline.MOST_TOGETHER
    assert [line.beyond for line in acts[:2]] == [7, 0]
    assert acts[0].latest == AuditEntry.objects.latest("pk").timestamp
    assert len(seen) < 12
    assert "(and 7 more entries until " in lines(browser, office)[0]
    assert 'request=one-request">and 7 more</a>' in page(browser, office)


def test_the_number_of_statements_does_not_grow(stripe, browser, operator, office):
    subscribed_office(office, by=operator)
    perform(AdjustCredit(amount=100), office, by=operator, reason="goodwill")
    stripe.deliver_and_apply()

    def counted():
        page(browser, office)
        with CaptureQueriesContext(connection) as seen:
            shown = page(browser, office)
        return len(seen), shown.count("<summary")

    few, before = counted()
    for number in range(6):
        perform(AdjustCredit(amount=100 + number), office, by=operator, reason="goodwill")
        noted(office, f"act {number}")
        stripe.deliver_and_apply()
    many, after = counted()

    assert after > before + 10
    assert many == few


def test_times_are_in_the_offices_zone(browser, office):
    with trail.acting(actor.job("tests"), reason="tests"):
        office.time_zone = "Asia/Tokyo"
        office.save()

    shown = page(browser, office)

    assert "Asia/Tokyo" in shown
    local = AuditEntry.objects.latest("pk").timestamp + timedelta(hours=9)
    assert f"{local.day} {local:%b %Y, %H:%M}" in shown


def test_it_is_for_auditors_and_the_offices_page_links_to_it(browser, office):
    support = Client()
    support.force_login(a_person("support@vendor.example", group="support"))
    link = f"/admin/billing/office/{office.pk}/timeline/"

    assert link in browser.get(f"/admin/billing/office/{office.pk}/change/").content.decode()
    assert link not in support.get(f"/admin/billing/office/{office.pk}/change/").content.decode()
    assert support.get(link).status_code == 403
