"""What an Office does on its pages, over HTTP at the local Stripe, and what is refused in words."""

import html
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing import errors
from billing.audit import actor, trail
from billing.models import AuditEntry, Invitation, Invoice, Office, Operation
from billing.models.operation import Kind
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from tests.conftest import a_member, a_person, price_id, subscribed_office


def page(office: Office, name: str = "office", **ids: Any) -> str:
    return reverse(f"office_pages:{name}", kwargs={"public_id": office.public_id, **ids})


def text(answer: Any) -> str:
    shown = answer.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", shown)))


def hidden(answer: Any) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.content.decode())
    return {name: html.unescape(value) for name, value in found}


@pytest.fixture
def team(stripe, operator, office):
    return subscribed_office(office, by=operator, plan="seats-monthly", quantity=3)


@pytest.fixture
def owner(office):
    client = Client(enforce_csrf_checks=True)
    client.force_login(a_member(office, "owner"))
    return client


@pytest.fixture
def viewer(office):
    client = Client()
    client.force_login(a_member(office, "viewer"))
    return client


def sent(client: Client, shown: Any, to: str, **values: Any) -> Any:
    """Send the form of a page that was shown, with its token and hidden values."""
    return client.post(to, {**hidden(shown), **values}, follow=True)


def test_the_page_says_how_the_office_stands_and_a_viewer_gets_no_button(team, owner, viewer):
    shown, seen = owner.get(page(team)), viewer.get(page(team))

    for answer in (shown, seen):
        assert "Active on Team, 3 seats, 147.00 USD a month" in text(answer)
        assert "visa …4242" in text(answer)
        assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert "Change plan or seats" in text(shown)
    assert "<form" not in seen.content.decode().partition("<main")[2]
    assert "change nothing" in text(seen)
    assert AuditEntry.objects.filter(kind="read", office=team).count() == 2


@pytest.mark.parametrize("support", ["billing-help@vendor.example", ""])
def test_a_page_names_who_answers_questions(settings, office, viewer, support):
    settings.SUPPORT_EMAIL = support

    nobody = Client()
    nobody.force_login(a_person("nobody@elsewhere.example"))
    for client, address in (
        *((viewer, page(office, name)) for name in ("office", "members")),
        (nobody, reverse("office_pages:offices")),
    ):
        shown = text(client.get(address))
        assert ("Do you have a question about your billing?" in shown) == bool(support)
        assert ("do not write about patients" in shown) == bool(support)
        assert support in shown


def test_a_change_is_previewed_and_then_done_once(stripe, team, owner):
    form = owner.get(page(team, "change"))
    seen = sent(owner, form, page(team, "preview-change"), price=price_id("seats-monthly"), quantity="5", settle="now")
    assert "Confirm and charge 98.00 USD" in text(seen)
    assert re.search(r"Seats 3 5", text(seen))
    assert Office.objects.get(pk=team.pk).quantity == 3

    done = sent(owner, seen, page(team, "change"))
    again = sent(owner, seen, page(team, "change"))

    assert "The subscription is changed." in text(done)
    assert "This was sent twice" in text(again)
    assert Office.objects.get(pk=team.pk).quantity == 5
    assert Operation.objects.filter(kind="change_subscription").count() == 1
    assert Operation.objects.get(kind="change_subscription").reason == "The Office did it itself"
    assert stripe.listed("invoices")[0]["amount_paid"] == 9_800


def test_a_change_that_changes_nothing_is_refused_in_words_and_one_without_a_preview_too(team, owner):
    form = owner.get(page(team, "change"))
    same = {"price": price_id("seats-monthly"), "quantity": "3", "settle": "now"}

    nothing = sent(owner, form, page(team, "preview-change"), **same)
    unseen = [
        sent(owner, form, page(team, "change"), **{**same, "quantity": "4"}, as_of=at)
        for at in ("", "2026-13-99", "0001-01-01T00:00:00+23:59")
    ]

    assert "already has this plan" in text(nothing)
    assert all(str(errors.PreviewStale()) in text(one) for one in unseen)
    assert not Operation.objects.filter(kind="change_subscription").exists()


def test_a_plan_that_is_not_in_the_list_is_refused_with_the_form_and_in_words(team, owner):
    form = owner.get(page(team, "change"))
    for price in (str(uuid.uuid4()), "no id", "a\0b", "9" * 30, ""):
        seen = sent(owner, form, page(team, "preview-change"), price=price, quantity="3", settle="now")
        assert seen.status_code == 200, price
        assert "Show what it costs" in text(seen), price
    of_a_plan = sent(owner, form, page(team, "preview-change"), price=str(uuid.uuid4()), quantity="3", settle="now")
    assert "Choose one from the list." in text(of_a_plan)


def test_a_cancellation_says_what_is_lost_and_is_taken_back(team, owner):
    seen = owner.get(page(team, "cancel"))
    assert "Time that is paid is not lost" in text(seen)
    unseen = sent(owner, seen, page(team, "cancel"), seen="something else")
    assert "has changed since you saw it" in text(unseen)

    done = sent(owner, seen, page(team, "cancel"))
    assert "The subscription is canceled." in text(done)
    assert "its last day is" in text(done)
    assert Office.objects.get(pk=team.pk).cancel_at is not None

    kept = sent(owner, owner.get(page(team, "keep")), page(team, "keep"))
    assert "The cancellation is taken back." in text(kept)
    assert Office.objects.get(pk=team.pk).cancel_at is None


def test_a_card_is_entered_at_stripe_and_its_address_is_stored_nowhere(stripe, team, owner):
    shown = owner.get(page(team))
    answer = owner.post(page(team, "card"), {"csrfmiddlewaretoken": hidden(shown)["csrfmiddlewaretoken"]})

    assert answer.status_code == 302
    assert answer["Location"].startswith(stripe.url)
    assert stripe.url in answer["Content-Security-Policy"].partition("form-action")[2]
    assert Operation.objects.get(kind="make_card_link").status == "succeeded"


def test_owner_and_viewer_open_an_invoice_and_it_is_on_record(team, owner, viewer):
    invoice = team.invoices.get()
    before = AuditEntry.objects.filter(office=team, kind="act").count()

    for one in (owner, viewer):
        for name in ("invoice-pdf", "invoice-page"):
            opened = one.get(page(team, name, invoice_id=invoice.public_id))
            assert (opened.status_code, opened["Location"].startswith("http")) == (302, True)

    assert AuditEntry.objects.filter(office=team, kind="act").count() == before + 4


@pytest.mark.parametrize(
    "stands", [{"subscription_status": "paused"}, {"subscription_status": "unpaid"}, {"collection_paused": True}]
)
def test_no_charge_is_promised_where_none_comes(team, owner, stands):
    assert "Stripe calculates the exact amount" in text(owner.get(page(team)))

    Office.objects.update(**stands)

    shown = text(owner.get(page(team)))
    assert "No charge is planned." in shown
    assert "next charge on" not in shown


def test_an_old_invoice_that_is_owed_stays_on_the_page(team, owner):
    paid = team.invoices.get()
    with trail.acting(actor.job("tests")):
        for number in range(30):
            at = {"created_at": paid.created_at - timedelta(days=number + 1), "ticket": 1}
            owes = {"status": "open", "amount_paid": 0, "amount_remaining": 7_700} if number == 29 else {}
            amounts = {
                "subtotal": 7_700,
                "total": 7_700,
                "amount_paid": 7_700,
                "amount_remaining": 0,
                "currency": "usd",
            }
            given = {"status": "paid", **amounts, **owes, **at}
            Invoice.objects.create(office=team, stripe_id=f"in_{number}", number=f"OLD-{number}", **given)

    shown = text(owner.get(page(team)))

    assert "OLD-29" in shown
    assert "Pay 77.00 USD" in shown
    assert "OLD-28" not in shown


def test_nothing_is_paid_but_what_was_seen(stripe, team, owner):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    owed = team.invoices.get(status="open")
    shown = owner.get(page(team, "pay", invoice_id=owed.public_id))

    answer = sent(owner, shown, page(team, "pay", invoice_id=owed.public_id), seen="Something else is charged.")

    assert "has changed meanwhile" in text(answer)
    assert not Operation.objects.filter(kind="pay_invoice").exists()


def test_what_is_owed_is_the_first_thing_that_can_be_done(stripe, team, owner, viewer):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    to_pay = f"Pay 147.00 USD for {team.invoices.get(status='open').number}"

    shown, seen = text(owner.get(page(team))), text(viewer.get(page(team)))

    assert 0 < shown.index(to_pay) < shown.index("Cancel the subscription")
    assert to_pay not in seen


def test_an_unpaid_invoice_is_declined_in_words_and_then_paid(stripe, team, owner, viewer):
    stripe.control("charges", outcome="decline", code="insufficient_funds")
    stripe.advance(days=32)
    stripe.deliver_and_apply()
    invoice = team.invoices.get(kind="cycle")
    at = page(team, "pay", invoice_id=invoice.public_id)
    shown = owner.get(page(team))
    assert "Owes 147.00 USD since" in text(shown)
    assert "Pay 147.00 USD" in text(shown)
    assert "Pay 147.00 USD" not in text(viewer.get(page(team)))

    stripe.control("charges", outcome="decline", code="insufficient_funds")
    asked = owner.get(at)
    declined = sent(owner, asked, at)
    assert "there is not enough money" in text(declined)
    reloaded = sent(owner, asked, at)  # as by F5: nothing is done again, and it says what became of it
    assert "there is not enough money" in text(reloaded)
    assert Operation.objects.filter(kind="pay_invoice").count() == 1
    paid = sent(owner, declined, at)
    again = sent(owner, owner.get(page(team)), at)

    assert "The invoice is paid." in text(paid)
    assert "Active on Team" in text(paid)
    assert str(errors.InvoicePaid(invoice)) in text(again)
    assert "There is nothing left to pay" in text(owner.get(at, follow=True))
    assert [one["status"] for one in stripe.listed("charges") if one["amount"] == 14_700].count("succeeded") == 2


def test_a_lost_answer_is_told_as_unknown_and_is_no_success(stripe, team, owner):
    seen = owner.get(page(team, "cancel"))
    stripe.fail_next("503", path_prefix="/v1/subscriptions", method="POST")

    told = sent(owner, seen, page(team, "cancel"))

    assert "The subscription is canceled." not in text(told)
    assert Operation.objects.get(kind=Kind.CANCEL_SUBSCRIPTION).status == "unknown"
    assert str(errors.StripeUnavailable()) in text(told)
    assert "is not settled yet" in text(told)


def test_a_canceled_office_reads_when_it_ended_and_not_why_staff_did_it(stripe, operator, team, owner):
    perform(CancelSubscription(at_period_end=False), team, by=operator, reason="they told us a secret")

    shown = text(owner.get(page(team)))

    assert "It has no subscription: Team, 3 seats ended" in shown
    assert "It was canceled here on" in shown
    assert "secret" not in shown
    assert "operator@vendor.example" not in shown


def test_the_next_invoice_is_shown_as_stripe_calculates_it(team, owner, viewer):
    for one in (owner, viewer):
        assert "147.00 USD" in text(one.get(page(team, "upcoming")))


def test_an_owner_invites_withdraws_and_removes(stripe, office, owner, viewer):
    listed = owner.get(page(office, "members"))
    assert "viewer@maple.example" in text(listed)
    invited = sent(owner, listed, page(office, "members"), email="nora@maple.example", role="manager")
    sent(owner, listed, page(office, "members"), email="nora@maple.example", role="manager")
    assert "The invitation is on its way." in text(invited)
    invitation = Invitation.objects.get(email="nora@maple.example")

    withdrawn = sent(owner, invited, page(office, "withdraw-invitation", invitation_id=invitation.public_id))
    assert "The invitation is withdrawn." in text(withdrawn)
    assert "nora@maple.example" not in text(withdrawn)

    person = office.memberships.get(role="viewer").user
    asked = owner.get(page(office, "remove-member", person_id=person.public_id))
    removed = sent(owner, asked, page(office, "remove-member", person_id=person.public_id))
    assert "The membership is ended." in text(removed)
    assert viewer.get(page(office)).status_code == 404


def test_the_last_owner_stays_and_a_bad_address_is_refused_in_words(stripe, office, owner):
    own = office.memberships.get(role="owner").user
    asked = owner.get(page(office, "remove-member", person_id=own.public_id))
    refused = sent(owner, asked, page(office, "remove-member", person_id=own.public_id))
    assert "owner" in text(refused)
    assert office.memberships.in_force().filter(user=own).exists()

    bad = sent(owner, owner.get(page(office, "members")), page(office, "members"), email="x", role="viewer")
    assert "valid email address" in text(bad)
    assert not Invitation.objects.exists()


def test_a_form_without_its_token_does_nothing(team, owner):
    for name in ("card", "complete", "change", "preview-change", "cancel", "keep", "members"):
        assert owner.post(page(team, name), {"quantity": "5"}).status_code == 403, name
    assert not Operation.objects.exclude(kind=Kind.START_SUBSCRIPTION).exists()
