"""The page of an Office: its parts, who sees and may do what, and how many statements it takes."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import clock
from billing.audit import actor, reads, trail
from billing.findings import report
from billing.models import AuditEntry, Invoice, Office, OfficeNote
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription, ResumeRenewal
from billing.operations.subscriptions.change import ChangeSubscription
from tests.admin.test_offices import page, signed_in
from tests.append_only import rewrite
from tests.conftest import a_member, a_person, an_office, subscribed_office
from tests.random_text import without_random

MOST_STATEMENTS = 15
"""With the entry of who looked, of an Office that has no notes and no findings: each of these is one more."""


def shown(person, office, at="change/"):
    answer = signed_in(person).get(page(at, office))
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def part(html, name):
    """Return the text of the part of the page with this id."""
    return text_of(re.search(rf'id="{name}".*?</(?:section|details)>', html, re.S)[0])


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


def test_it_says_first_what_state_the_office_is_in_and_offers_what_fits(stripe, operator, team):
    stripe.deliver_and_apply()
    html = shown(operator.user, team)

    said = part(html, "sentence")
    assert "Active on Team, 3 seats, 147.00 USD a month; next charge on " in said
    assert "visa …4242 until " in said
    assert said.endswith("Change plan or seats")
    assert page("change-plan/", team) in html


def test_an_office_whose_subscription_was_canceled_says_when_and_why_and_shows_no_plan(stripe, operator, team):
    perform(CancelSubscription(at_period_end=False), team, by=operator, reason="closing")
    stripe.deliver_and_apply()

    said = part(shown(operator.user, team), "sentence")

    assert "It has no subscription: Team, 3 seats ended on " in said
    assert f"{operator.user.email} canceled it on " in said
    assert "closing" in said
    assert "Start a subscription" in said


def test_who_canceled_and_let_it_go_on_did_not_end_it(stripe, operator, team):
    perform(CancelSubscription(), team, by=operator, reason="closing")
    perform(ResumeRenewal(), Office.objects.get(), by=operator, reason="they stay")
    stripe.deliver_and_apply()
    stripe.delete(f"subscriptions/{team.payment_provider_subscription_id}")
    stripe.deliver_and_apply()

    said = part(shown(operator.user, team), "sentence")

    assert "It has no subscription: Team, 3 seats ended on " in said
    assert "canceled it on" not in said
    assert "Nobody canceled it here: it ended at Stripe" in said


def test_the_auditor_sees_the_sentence_and_no_button_and_nothing_to_save(stripe, auditor, team):
    html = shown(auditor.user, team)

    assert "Active on Team" in part(html, "sentence")
    assert page("change-plan/", team) not in html
    assert 'name="_save"' not in html
    assert 'id="own-values"' not in html


def test_the_offices_own_values_are_saved_by_a_form_of_their_own_and_the_page_comes_back(db, operator, office):
    client = signed_in(operator.user)
    assert 'name="_save"' not in shown(operator.user, office)
    html = shown(operator.user, office, "change/?edit=1")
    assert 'name="_save"' in html
    form = {"name": office.name, "billing_email": office.billing_email, "time_zone": "Europe/Berlin", "locale": "en"}

    answer = client.post(page("change/?edit=1", office), {**form, "_save": ""})

    assert (answer.status_code, answer["Location"]) == (302, page("change/", office))
    assert Office.objects.get(pk=office.pk).time_zone == "Europe/Berlin"


def test_what_was_refused_is_said_in_the_form(db, operator, office):
    form = {"name": "", "billing_email": office.billing_email, "time_zone": "UTC", "locale": "en"}

    html = signed_in(operator.user).post(page("change/", office), form).content.decode()

    assert "This field is required" in part(html, "own-values")


def test_a_long_name_is_there_whole(db, operator):
    name = "Maple Street Family Practice and Urgent Care of Greater Northern Harbor County"

    assert f">{name}<" in shown(operator.user, an_office(name))


def test_the_timeline_has_the_newest_15_lines_and_a_link_to_more(stripe, auditor, office):
    several_acts(office, 20)

    html = shown(auditor.user, office)
    told = part(html, "what-happened")

    assert re.findall(r"act \d+", told) == [f"act {number}" for number in reversed(range(5, 20))]
    assert page("timeline/", office) in html
    assert "More of the timeline" in told


def test_each_note_can_be_read_page_by_page(db, operator, office):
    with trail.acting(actor.job("tests"), reason="tests"):
        for n in range(30):
            OfficeNote.objects.create(office=office, author=operator.user, text=f"note {n:02}")
    html = shown(operator.user, office)
    assert re.findall(r"note \d\d", part(html, "notes")) == [f"note {n}" for n in range(29, 24, -1)]
    assert page("notes/", office) in html

    first = shown(operator.user, office, "notes/")
    older = re.search(r"\?before=([\d-]+)", first)[1]
    rest = shown(operator.user, office, f"notes/?before={older}")

    read = re.findall(r"note \d\d", first) + re.findall(r"note \d\d", rest)
    assert read == [f"note {n:02}" for n in range(29, -1, -1)]
    assert "Older" not in rest


def test_notes_are_shown_with_who_wrote_them_and_another_is_written_on_the_page(stripe, operator, office):
    html = shown(operator.user, office)
    assert "There is no note yet." in part(html, "notes")
    action = re.search(r'action="([^"]+/note/)"', html)[1]

    signed_in(operator.user).post(action, {"kind": "call", "text": "will pay on Friday"})

    assert OfficeNote.objects.get().text == "will pay on Friday"
    told = part(shown(operator.user, office), "notes")
    assert "will pay on Friday" in told
    assert f"Call by {operator.user.email}" in told


def test_members_are_shown_with_their_role_while_they_have_it(db, operator, office):
    a_member(office, "owner")
    a_member(office, "viewer")
    office.memberships.filter(role="viewer").update(ended_at=clock.wall() - timedelta(days=1))

    told = part(shown(operator.user, office), "members")

    assert "owner@maple.example , owner" in told
    assert "viewer@maple.example" not in told


def test_an_open_finding_is_told_beside_the_sentence(stripe, operator, office):
    report("drift", "x", office=office, detail="Its status differed.")

    said = part(shown(operator.user, office), "sentence")

    assert "Drift : Its status differed." in said


def test_tables_have_a_few_rows_and_links_to_all_also_for_who_sees_masked_texts(stripe, operator, team):
    several_invoices(team, 8)
    support = a_person("support@vendor.example", group="support")

    html = shown(support, team)

    assert re.findall(r"M-\d", part(html, "invoices")) == [f"M-{number}" for number in range(5)]
    links = set(re.findall(r'href="([^"]+\?office__id__exact=\d+)"', html))
    assert len(links) == 4
    assert {signed_in(support).get(one).status_code for one in links} == {200}
    assert "4242" not in without_random(html)


@trail.acting(actor.job("tests"))
def several_invoices(office, number_of_them):
    for number in range(number_of_them):
        Invoice.objects.create(
            office=office,
            stripe_id=f"in_{number}",
            ticket=1,
            number=f"M-{number}",
            status="paid",
            currency="usd",
            subtotal=100,
            total=100,
            amount_paid=100,
            amount_remaining=0,
            created_at=clock.wall() - timedelta(days=40 + number),
        )


def test_the_page_takes_few_statements_with_the_entry_of_who_looked(stripe, operator, office):
    a_member(office, "owner")
    subscribed_office(office, by=operator, plan="seats-monthly", quantity=6)
    perform(ChangeSubscription(quantity=9), office, by=operator, reason="office_asked")
    stripe.deliver_and_apply()
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    client = signed_in(operator.user)  # reads the trail too
    client.get(page("change/", office))

    for _ in range(2):
        reads.forget()
        rewrite(AuditEntry.objects.filter(kind="read"), window_key=None)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page("change/", office)).status_code == 200
        assert len(asked) <= MOST_STATEMENTS, "\n".join(one["sql"][:150] for one in asked.captured_queries)
        several_acts(office, 30)  # more rows take no more statements


@trail.acting(actor.job("tests"))
def several_acts(office, number_of_them):
    for number in range(number_of_them):
        AuditEntry.objects.log_create(
            office, force_log=True, action=3, kind="act", what=f"act {number}", request_id=str(number)
        )
