"""The worklist and the pages of bulk acts: what staff see and do there."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import clock, jobs
from billing.audit import reads
from billing.bulk import running
from billing.models import AuditEntry, BulkAct, BulkRow, FollowUp, Office, OfficeNote, Operation
from tests.admin.test_offices import page, signed_in
from tests.bulk.test_bulk_acts import owing
from tests.conftest import a_person, an_office
from tests.random_text import without_random
from tests.test_worklist import declined, followed
from tests.test_worklist import owing as owing_by_hand

WORKLIST, BEGIN = "/admin/billing/followup/", "/admin/billing/bulkact/begin/"
WHY = {"why": "agreed", "asked": "yes"}


@pytest.fixture
def client(operator):
    return signed_in(operator.user)


def shown(client, **query) -> str:
    return client.get(WORKLIST, query).content.decode()


def of(act: BulkAct) -> str:
    return reverse("admin:billing_bulkact_change", args=[act.pk])


def test_each_office_is_shown_with_what_is_due_why_and_what_is_next(client):
    office = owing_by_hand(
        "Maple Practice",
        days=20,
        payment_method_brand="visa",
        payment_method_last4="4242",
        subscription_status="active",
    )
    declined(office.invoices.get(), "insufficient_funds", at=clock.wall())

    seen = shown(client)

    for words in (
        "Maple Practice",
        "199.00 USD",
        "20 days, since",
        "there is not enough money",
        "Visa …4242",
        "Pay now",
    ):
        assert words in seen
    assert reverse("admin:billing_invoice_pay", args=[office.invoices.get().pk]) in seen


def test_a_page_that_is_open_says_nothing_of_other_whats(client):
    owing_by_hand("Maple Practice", days=20)

    assert "No trial ends soon" in shown(client, what="trial")
    assert "No card expires" in shown(client, what="card")
    assert "Maple Practice" in shown(client, what="nonsense", whose="nonsense", sort="nonsense", after="nonsense")


def test_who_sees_no_details_sees_no_end_of_a_card(operator):
    owing_by_hand("Maple Practice", days=20, payment_method_brand="visa", payment_method_last4="4242")
    support = signed_in(a_person("support@vendor.example", group="support"))

    seen = shown(support)

    assert "Maple Practice" in seen
    assert "4242" not in without_random(seen)
    assert "Pay now" not in seen
    assert "For the chosen Offices" not in seen


def test_looking_is_on_record_with_the_names_of_the_filters_and_nothing_else(client, operator):
    owing_by_hand("Maple Practice", days=20)
    reads.forget()

    shown(client, whose="mine")

    [entry] = AuditEntry.objects.filter(kind="read")
    assert "by mine, owes: 0 rows" in entry.what
    assert entry.actor == operator.user


def test_it_takes_as_many_statements_for_many_offices_as_for_one(client):
    def statements() -> int:
        with CaptureQueriesContext(connection) as seen:
            client.get(WORKLIST)
        return len(seen)

    owing_by_hand("First", days=1)
    client.get(WORKLIST)
    one = statements()
    for number in range(10):
        office = owing_by_hand(f"Office {number}", days=number)
        followed(office, assigned_to=a_person(f"p{number}@vendor.example", group="operator"))

    assert statements() == one


def test_a_call_is_noted_and_the_worklist_comes_back(client, operator, office):
    address = page("note/?kind=call&from=worklist", office)
    assert "checked" in client.get(address).content.decode()

    answer = client.post(address, {"kind": "call", "text": "They pay on Friday"})

    assert answer.headers["Location"] == WORKLIST
    note = OfficeNote.objects.get()
    assert (note.kind, note.text, note.author) == ("call", "They pay on Friday", operator.user)
    entry = AuditEntry.objects.get(content_type__model="officenote")
    assert (entry.actor, entry.office, "Friday" in str(entry.changes)) == (operator.user, office, False)


def test_a_note_about_a_patient_is_refused_and_kept_nowhere(client, office):
    answer = client.post(page("note/", office), {"kind": "note", "text": "SSN 123-45-6789"})

    assert "social security number" in answer.content.decode()
    assert not OfficeNote.objects.exists()


def test_an_office_is_taken_and_given_away(client, operator, office):
    other = a_person("other@vendor.example", group="operator")
    owner = a_person("support@vendor.example", group="support")
    client.post(page("assign/", office), {"to": str(operator.user.public_id)})
    assert FollowUp.objects.get().assigned_to == operator.user

    client.post(page("assign/", office), {"to": str(other.public_id)})
    client.post(page("assign/", office), {"to": str(owner.public_id)})  # cannot work on it, so is no choice

    assert FollowUp.objects.get().assigned_to == other


def test_an_office_is_put_aside_until_a_day_begins_in_its_zone(client, office):
    day = (clock.wall() + timedelta(days=3)).date()

    client.post(page("snooze/", office), {"until": day.isoformat()})

    until = FollowUp.objects.get().snoozed_until
    assert until
    assert f"{until:%H:%M}" in ("04:00", "05:00")  # midnight in New York
    client.post(page("snooze/", office), {"until": ""})
    assert FollowUp.objects.get().snoozed_until is None


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_a_day_that_makes_no_sense_is_refused(client, office, days):
    day = (clock.wall() - timedelta(hours=12) + timedelta(days=days)).date()

    answer = client.post(page("snooze/", office), {"until": day.isoformat()})

    assert "Choose a day after today" in answer.content.decode()
    assert not FollowUp.objects.exists()


def test_the_page_before_says_how_many_can_and_why_others_cannot(stripe, client, operator):
    [poor] = owing(stripe, operator)
    idle = an_office("Idle Practice")

    seen = client.post(BEGIN, {"act": "pay_now", "office": [poor.pk, idle.pk]}).content.decode()

    assert "This will be done to <strong>1 Office</strong>" in seen
    assert "199.00 USD" in seen
    assert "It owes nothing." in seen
    assert not BulkAct.objects.exists()


def test_it_is_done_and_its_page_shows_each_result(stripe, client, operator):
    [poor] = owing(stripe, operator)
    idle = an_office("Idle Practice")

    pay = {"act": "pay_now", "offices": f"{poor.pk},{idle.pk}"}

    answer = client.post(BEGIN, {**pay, **WHY, "seen": client.post(BEGIN, pay).context["seen"]})

    act = BulkAct.objects.get()
    assert answer.headers["Location"] == of(act)
    before = client.get(of(act)).content.decode()
    assert "refreshes by itself" in before
    assert 'http-equiv="refresh"' not in before  # it would keep the session of somebody who is away
    assert f'href="{of(act)}">Look again</a>' in before
    assert 'hx-trigger="every 2s"' in before
    jobs.run_due()
    after = client.get(of(act)).content.decode()
    assert "<strong>100 %</strong>" in after
    assert "199.00 USD was paid on invoice" in after
    assert "every 2s" not in after
    assert Operation.objects.get(kind="pay_invoice").reason == "Agreed with the Office"


def test_a_double_click_begins_it_once(client, office):
    seen = client.post(BEGIN, {"act": "archive", "office": [office.pk]})
    sent = {"act": "archive", "offices": str(office.pk), **WHY, "csrfmiddlewaretoken": "a" * 64}
    assert seen.status_code == 200

    first, second = client.post(BEGIN, sent), client.post(BEGIN, sent)

    assert first.headers["Location"] == second.headers["Location"]
    assert BulkAct.objects.count() == 1


def test_a_reason_must_be_given(client, office):
    answer = client.post(BEGIN, {"act": "archive", "office": [office.pk], "asked": "yes", "why": ""})

    assert "This field is required" in answer.content.decode()
    assert not BulkAct.objects.exists()


def test_the_list_of_offices_offers_them(client, office):
    address = reverse("admin:billing_office_changelist")
    for name in ("send_card_link", "pay_now", "assign", "archive", "unarchive"):
        assert f'value="bulk_{name}"' in client.get(address).content.decode()

    seen = client.post(address, {"action": "bulk_archive", "_selected_action": [office.pk]}).content.decode()

    assert "Archive: 1 Office" in seen
    assert Office.objects.get().archived_at is None


@pytest.mark.parametrize("act", ["pay_now", "archive", "write_note"])
@pytest.mark.parametrize("group", ["support", "auditor"])
def test_who_may_not_do_it_gets_no_page(office, group, act):
    answer = signed_in(a_person("who@vendor.example", group=group)).post(BEGIN, {"act": act, "office": [office.pk]})

    assert answer.status_code == 403


@pytest.mark.parametrize("act", ["move_price", "preview_price_move"])
def test_what_no_list_offers_cannot_be_begun_there(client, office, act):
    answer = client.post(BEGIN, {"act": act, "office": [office.pk], **WHY}, follow=True)

    assert answer.redirect_chain == [(WORKLIST, 302)]
    assert "This cannot be done to many Offices together." in answer.content.decode()
    assert not BulkAct.objects.exists()


@pytest.mark.parametrize(
    "given", [{"act": "fly"}, {"act": "archive"}, {"act": "archive", "office": ["x", "-1", "9" * 30]}]
)
def test_nonsense_goes_back_with_a_word(client, given):
    assert client.post(BEGIN, given).headers["Location"] == WORKLIST


def test_a_stop_leaves_out_what_waits(client, office):
    client.post(BEGIN, {"act": "archive", "office": [office.pk], **WHY})
    act = BulkAct.objects.get()

    client.post(reverse("admin:billing_bulkact_stop", args=[act.pk]), {"reason": "a mistake"})

    assert act.rows.get().state == "left_out"
    assert "was stopped" in client.get(of(act)).content.decode()


def test_the_amounts_that_a_page_showed_are_paid_and_no_others(client):
    office = owing_by_hand("Maple Practice", days=20, payment_method_brand="visa", payment_method_last4="4242")
    pay = {"act": "pay_now", "office": [office.pk]}
    shown = client.post(BEGIN, pay)
    assert "Maple Practice: 199.00 USD" in _words(shown)
    office.invoices.update(amount_remaining=29_900)

    changed = client.post(BEGIN, {**pay, **WHY, "seen": shown.context["seen"]})

    assert "This is not what you looked at" in changed.content.decode()
    assert "Maple Practice: 299.00 USD" in _words(changed)
    assert not BulkAct.objects.exists()
    begun = client.post(BEGIN, {**pay, **WHY, "seen": changed.context["seen"]})
    assert begun.headers["Location"] == of(BulkAct.objects.get())
    assert BulkRow.objects.get().given["amount"] == 29_900


def _words(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.content.decode()).split())


def test_an_unknown_outcome_that_is_known_by_now_is_shown_as_it_is(stripe, client, operator):
    [poor] = owing(stripe, operator)
    pay = {"act": "pay_now", "office": [poor.pk]}
    client.post(BEGIN, {**pay, **WHY, "seen": client.post(BEGIN, pay).context["seen"]})
    act = BulkAct.objects.get()
    jobs.run_due()
    BulkRow.objects.update(state="unknown", says=running.ASKING)

    assert "the worker found out" in client.get(of(act)).content.decode()


@pytest.mark.parametrize(
    ("query", "rows"), [({}, 3), ({"state": "waiting"}, 3), ({"state": "done"}, 0), ({"after": "x"}, 3)]
)
def test_the_results_are_filtered_by_their_status(client, query, rows):
    offices = [an_office(f"Office {number}") for number in range(3)]
    client.post(BEGIN, {"act": "archive", "office": [one.pk for one in offices], **WHY})

    seen = client.get(of(BulkAct.objects.get()), query).content.decode()

    assert seen.count('/change/">Office ') == rows
