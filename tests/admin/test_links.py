"""The page that shows a link once: for how long it is valid, to whom it goes, and its two buttons."""

import re

import pytest

from billing.models import AuditEntry, Notification
from billing.operations.engine.begin import perform
from billing.operations.offices.archive import ArchiveOffice
from billing.outbox import delivery
from tests.admin.test_offices import page, signed_in
from tests.admin.test_terms import WHY, sent
from tests.conftest import a_person, an_office, price

CONSOLE = "django.core.mail.backends.console.EmailBackend"


@pytest.fixture
def made(stripe, operator, office):
    """The page with a link to add a card."""
    return signed_in(operator.user).post(page("link-card/", office), {**WHY, "make_default": "on"})


def posted(by, office, answer):
    operation = re.search(r'name="operation" value="([^"]+)"', answer.content.decode())[1]
    return signed_in(by.user).post(page("send-link/", office), {"operation": operation}, follow=True)


def test_it_says_how_long_it_is_valid_and_to_whom_it_goes(stripe, operator, office, made):
    shown = made.content.decode()

    assert "for one day" in shown
    assert "billing@maple.example, the billing e-mail address of Maple Street Family Practice" in shown
    assert re.search(r'<input id="link_made" type="text" readonly data-selected value="http[^"]+/pay/', shown)
    assert 'data-copies="link_made"' in shown
    assert "no-store" in made.headers["Cache-Control"]


def test_it_is_sent_once_by_the_outbox_and_the_trail_says_who(stripe, operator, office, made, mailoutbox):
    posted(operator, office, made)
    posted(operator, office, made)
    row = Notification.objects.get()
    assert (row.kind, row.recipient, row.office) == ("card_link", "billing@maple.example", office)
    assert "/pay/" not in str(row.context)

    delivery.work_off()

    (mail,) = mailoutbox
    address = stripe.listed("checkout/sessions")[0]["url"]
    assert address in mail.body
    assert "until" in mail.body
    html, _ = mail.alternatives[0]
    assert address in html
    assert "{" not in mail.body + html
    told = AuditEntry.objects.get(kind="act", actor=operator.user, office=office)
    assert told.what == "sent the link to the Office's billing e-mail address"


def test_a_payment_link_is_sent_too_also_if_it_is_shown_again(stripe, operator, office, mailoutbox):
    form = {"price": str(price("practice-monthly").public_id), "quantity": "1", "trial_days": "0"}
    signed_in(operator.user).post(page("payment-link/", office), {**WHY, **form})
    again = signed_in(operator.user).post(page("payment-link/", office), {**WHY, **form})

    posted(operator, office, again)
    delivery.work_off()

    assert stripe.listed("checkout/sessions")[0]["url"] in mailoutbox[0].body
    assert mailoutbox[0].subject == "Start your subscription"


def test_what_is_not_open_any_more_is_not_sent(stripe, operator, office, made, mailoutbox):
    posted(operator, office, made)
    stripe.advance(days=2)
    delivery.work_off()

    assert (mailoutbox, Notification.objects.get().state) == ([], "dropped")


def test_nothing_is_sent_to_an_office_that_is_archived_meanwhile(stripe, operator, office, made, mailoutbox):
    posted(operator, office, made)
    perform(ArchiveOffice(), office, by=operator, reason="closing")
    delivery.work_off()

    assert (mailoutbox, Notification.objects.get().state) == ([], "dropped")


def test_while_stripe_does_not_answer_the_email_waits(stripe, operator, office, made, mailoutbox):
    posted(operator, office, made)
    for _ in range(4):
        stripe.fail_next("503", method="GET", path_prefix="/v1/checkout/")
    delivery.work_off()

    row = Notification.objects.get()
    assert (mailoutbox, row.state, row.last_error) == ([], "waiting", "Stripe did not answer")


def test_a_link_of_another_office_is_not_sent(stripe, operator, office, made):
    shown = posted(operator, an_office("Elm Street Practice"), made)

    assert "There is no such link to send" in shown.content.decode()
    assert not Notification.objects.exists()


def test_without_a_mail_server_it_is_only_copied(stripe, operator, office, settings):
    settings.EMAIL_BACKEND = CONSOLE
    shown = signed_in(operator.user).post(page("link-card/", office), WHY).content.decode()

    assert "no mail server is configured" in shown
    assert 'name="operation"' not in shown
    assert 'data-copies="link_made"' in shown


def test_a_link_to_the_portal_is_only_copied(stripe, operator, subscribed):
    shown = sent(operator, "portal/", subscribed).content.decode()

    assert "for a few minutes" in shown
    assert 'name="operation"' not in shown


def test_who_only_looks_cannot_send_it(stripe, operator, office, made):
    looks = signed_in(a_person("support@vendor.example", group="support"))

    assert looks.post(page("send-link/", office), {"operation": "x"}).status_code == 403
