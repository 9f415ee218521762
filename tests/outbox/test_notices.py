"""What Offices are told by e-mail: from Stripe's event to the mail server, once for each reason."""

import html
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from billing import clock, notices
from billing.findings import report
from billing.look import look
from billing.models import AuditEntry, Hold, Invoice, Notification, Office, Payment, Subscription, SuppressedAddress
from billing.monitoring import checks
from billing.monitoring.outcome import Seen
from billing.operations.engine.begin import perform
from billing.operations.subscriptions.cancel import CancelSubscription
from billing.operations.subscriptions.collection import PauseCollection
from billing.outbox import by_time, delivery, keeping, notice_texts, staff_digest, suppression
from tests.conftest import subscribed_office

pytestmark = pytest.mark.django_db
Kind = Notification.Kind
DECLINED = "pm_card_chargeCustomerFail"
ASKS_BANK = "pm_card_authenticationRequired"


@pytest.fixture
def switched_on(settings, stripe):
    settings.OFFICE_MAIL_SINCE = clock.billing() - timedelta(seconds=5)


def told(*kinds):
    rows = Notification.objects.order_by("pk")
    return list((rows.filter(kind__in=kinds) if kinds else rows).values_list("kind", flat=True))


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def past_due(stripe, office, operator, card=DECLINED):
    subscribed_office(office, by=operator, card=card, trial_days=3)
    stripe.advance(days=3, hours=2)
    stripe.deliver_and_apply()


def test_a_payment_that_failed_is_told_at_once(stripe, mail_server, office, operator, switched_on, settings):
    settings.SUPPORT_EMAIL = "help@vendor.example"
    past_due(stripe, office, operator)

    assert told() == [Kind.PAYMENT_FAILED]
    delivery.work_off()

    (mail,) = mail_server.received
    assert mail["To"] == office.billing_email
    assert mail["Subject"] == "Your payment did not go through"
    assert "199.00 USD" in text_of(mail)
    assert mail["List-Unsubscribe"] is None
    assert mail["Reply-To"] == "help@vendor.example"
    assert re.findall(r"https?://\S+", text_of(mail)) == ["http://127.0.0.1:8000/account/login/"]


def test_it_is_told_in_spanish_to_an_office_whose_language_is_spanish(
    stripe, mail_server, office, operator, switched_on
):
    Office.objects.update(locale="es-419")
    past_due(stripe, office, operator)
    delivery.work_off()

    assert mail_server.received[0]["Subject"] == "No pudimos cobrar su pago"


def test_reminders_come_on_their_days_and_end_when_it_is_paid(stripe, mail_server, office, operator, switched_on):
    past_due(stripe, office, operator)
    days = []
    for day in range(2, 9):
        stripe.advance(days=1)
        stripe.deliver_and_apply()
        for _ in range(2):
            by_time.put_due()
        days += [day] * (len(told(Kind.PAYMENT_FAILED)) - 1 - len(days))
    assert days == [5]

    stripe.post(f"invoices/{Invoice.objects.get(status='open').stripe_id}/pay", paid_out_of_band="true")
    stripe.deliver_and_apply()
    stripe.advance(days=4)
    by_time.put_due()

    assert told(Kind.PAYMENT_FAILED, Kind.RECEIPT) == [Kind.PAYMENT_FAILED, Kind.PAYMENT_FAILED, Kind.RECEIPT]


def test_what_was_paid_before_the_e_mail_left_is_not_asked_for(stripe, mail_server, office, operator, switched_on):
    past_due(stripe, office, operator)
    stripe.post(f"invoices/{Invoice.objects.get(status='open').stripe_id}/pay", paid_out_of_band="true")
    stripe.deliver_and_apply()
    delivery.work_off()

    assert [mail["Subject"].split()[0] for mail in mail_server.received] == ["Receipt"]
    assert Notification.objects.get(kind=Kind.PAYMENT_FAILED).state == "dropped"


def test_a_bank_that_wants_a_confirmation_is_told_in_other_words(stripe, mail_server, office, operator, switched_on):
    past_due(stripe, office, operator, card=ASKS_BANK)

    assert told() == [Kind.AUTHENTICATION_NEEDED]


def test_a_bank_that_refused_for_want_of_a_confirmation_too(stripe, mail_server, office, operator, switched_on):
    past_due(stripe, office, operator)
    Payment.objects.update(decline_code="authentication_required")
    Notification.objects.all().delete()
    notices.keep(notices.failed_payments(Invoice.objects.all(), clock.billing()))

    assert told() == [Kind.AUTHENTICATION_NEEDED]


def test_a_receipt_comes_once_for_each_payment(stripe, mail_server, office, operator, switched_on):
    subscribed_office(office, by=operator)
    for _ in range(2):
        look(office)
    stripe.deliver_and_apply()

    assert told() == [Kind.RECEIPT]
    delivery.work_off()
    assert "We received 199.00 USD from" in text_of(mail_server.received[0])


@pytest.mark.parametrize("since", [None, timedelta(days=40)])
def test_nothing_is_told_before_it_is_switched_on(stripe, settings, office, operator, since):
    settings.OFFICE_MAIL_SINCE = since and clock.billing() + since
    past_due(stripe, office, operator)
    by_time.put_due()
    assert told() == []

    settings.OFFICE_MAIL_SINCE = clock.billing()
    look(Office.objects.get())
    by_time.put_due()
    stripe.advance(days=5)
    by_time.put_due()
    assert told() == []


def test_an_end_that_is_arranged_is_told_once_and_the_end_itself_is_not(stripe, office, operator, switched_on):
    subscribed_office(office, by=operator)
    perform(CancelSubscription(at_period_end=True), office, by=operator, reason="closing")
    stripe.deliver_and_apply()
    assert told(Kind.CANCELLED, Kind.ACCESS_ENDS) == [Kind.CANCELLED]

    Notification.objects.update(created_at=clock.wall() - timedelta(days=20))
    office.refresh_from_db()
    stripe.advance(seconds=int((office.cancel_at - clock.billing() - timedelta(days=2)).total_seconds()))
    for _ in range(2):
        by_time.put_due()
    assert told(Kind.CANCELLED, Kind.ACCESS_ENDS) == [Kind.CANCELLED, Kind.ACCESS_ENDS]

    stripe.advance(days=3)
    stripe.deliver_and_apply()
    assert told(Kind.CANCELLED, Kind.ACCESS_ENDS) == [Kind.CANCELLED, Kind.ACCESS_ENDS]


def test_an_end_that_comes_earlier_than_arranged_is_told_too(stripe, office, operator, switched_on):
    subscribed_office(office, by=operator)
    for at_period_end in (True, False):
        perform(CancelSubscription(at_period_end=at_period_end), office, by=operator, reason="closing")
        stripe.deliver_and_apply()
        office.refresh_from_db()

    assert told(Kind.CANCELLED) == [Kind.CANCELLED, Kind.CANCELLED]


def test_an_end_that_was_moved_before_the_e_mail_left_is_not_told_with_the_new_day(
    stripe, mail_server, office, operator, switched_on
):
    subscribed_office(office, by=operator)
    delivery.work_off()
    perform(CancelSubscription(at_period_end=True), office, by=operator, reason="closing")
    stripe.deliver_and_apply()
    Subscription.objects.update(cancel_at=clock.billing() + timedelta(days=3))
    delivery.work_off()

    assert Notification.objects.get(kind=Kind.CANCELLED).state == "dropped"


def test_nobody_is_asked_to_pay_while_a_debit_is_on_its_way(stripe, mail_server, office, operator, switched_on):
    past_due(stripe, office, operator)
    Payment.objects.filter(status="failed").update(status="pending")
    assert notices.failed_payments(Invoice.objects.all(), clock.billing()) == []

    delivery.work_off()
    assert Notification.objects.get(kind=Kind.PAYMENT_FAILED).state == "dropped"


def test_a_card_that_expired_before_this_period_is_not_told_again(stripe, office, operator, switched_on):
    subscribed_office(office, by=operator)
    began = Office.objects.get().current_period_start
    before = began - timedelta(days=32)
    for expires, found in ((before, []), (began, [Kind.CARD_EXPIRES])):
        Office.objects.update(payment_method_expires=f"{expires:%Y-%m}")
        assert [one.kind for one in notices.of_time(clock.billing()) if one.kind == Kind.CARD_EXPIRES] == found


def test_an_end_at_once_is_told(stripe, mail_server, office, operator, switched_on):
    subscribed_office(office, by=operator)
    perform(CancelSubscription(at_period_end=False), office, by=operator, reason="closing")
    stripe.deliver_and_apply()

    assert told(Kind.CANCELLED) == [Kind.CANCELLED]
    delivery.work_off()
    assert "Your subscription has ended" in [mail["Subject"] for mail in mail_server.received]


@pytest.mark.parametrize(("paused", "is_promised"), [("", True), ("keep_as_draft", False)])
def test_a_trial_whose_invoice_is_not_collected_ends_without_a_promised_charge(
    stripe, mail_server, office, operator, switched_on, paused, is_promised
):
    office = subscribed_office(office, by=operator, trial_days=14)
    if paused:
        perform(PauseCollection(invoices_become=paused), office, by=operator, reason="a dispute")
    stripe.advance(days=8)
    by_time.put_due()
    delivery.work_off()

    (mail,) = mail_server.received
    written = " ".join(text_of(mail).split())
    assert ("we charge the payment method on file" in written) is is_promised
    assert ("Then nothing is charged" in written) is is_promised


def test_a_trial_that_ends_is_told_once_and_can_be_turned_off(stripe, mail_server, office, operator, switched_on):
    subscribed_office(office, by=operator, trial_days=14)
    by_time.put_due()
    assert told() == []
    stripe.advance(days=8)
    for _ in range(2):
        by_time.put_due()
    assert told() == [Kind.TRIAL_ENDS]
    delivery.work_off()

    (mail,) = mail_server.received
    link = mail["List-Unsubscribe"].strip(" <>").replace("http://127.0.0.1:8000", "")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.get(link).status_code == 200
    assert not SuppressedAddress.objects.exists()
    assert visitor.post(link + "x").status_code == 404
    assert visitor.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert suppression.found_for(office.billing_email).why == "asked"
    assert AuditEntry.objects.filter(what__contains="gets fewer e-mails").exists()


def test_a_card_that_expires_is_told(stripe, mail_server, office, operator, switched_on):
    subscribed_office(office, by=operator)
    Office.objects.update(payment_method_expires=f"{clock.billing():%Y-%m}")
    stripe.advance(days=5)
    for _ in range(2):
        by_time.put_due()
    assert told(Kind.CARD_EXPIRES) == [Kind.CARD_EXPIRES]


@pytest.mark.parametrize(
    ("why", "kind", "is_sent"),
    [
        ("asked", Kind.TRIAL_ENDS, False),
        ("asked", Kind.RECEIPT, True),
        ("asked", Kind.ACCESS_ENDS, True),
        ("bounced", Kind.TRIAL_ENDS, False),
        ("bounced", Kind.RECEIPT, False),
        ("bounced", Kind.INVITATION, True),
    ],
)
def test_the_suppression_list_holds_back_what_it_says(office, operator, why, kind, is_sent):
    suppression.put_on(office, why=why, by=operator)
    row = Notification(kind=kind, office=office)
    assert (suppression.why_not(row) == "") is is_sent

    suppression.take_off(office, by=operator)
    assert suppression.why_not(row) == ""


def test_the_digest_of_an_address_is_kept_and_not_the_address(office, operator):
    suppression.put_on(office, why="bounced", by=operator)
    assert office.billing_email not in str(SuppressedAddress.objects.values().get())


def test_a_restored_database_does_not_tell_again_what_the_lost_one_told(stripe, settings, office, operator):
    settings.OFFICE_MAIL_SINCE = clock.billing() - timedelta(hours=2)
    subscribed_office(office, by=operator)
    now = clock.billing()
    Hold.objects.create(
        backup="a", made_at=now - timedelta(hours=1), restored_at=now + timedelta(hours=1), entry=0, seal=0
    )
    with transaction.atomic():
        Notification.objects.all().delete()
    look(office)

    assert told() == []


@pytest.mark.parametrize("language", notice_texts.LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "variant"), [(kind, one) for kind, some in notice_texts.VARIANTS.items() for one in some]
)
def test_each_text_is_whole_in_each_language_and_the_same_as_html(kind, variant, language):
    mail = notice_texts.sample(kind, variant, language)

    assert mail.subject.strip()
    assert "Maple Practice" in mail.text
    assert "  " not in mail.text
    assert not re.search(r"[{}]|\(\)| ,| \.|None", mail.text)
    for line in filter(None, mail.text.splitlines()):
        if not line.startswith("http"):
            assert line.removesuffix(":") in mail.html or line in mail.html
    assert f'<html lang="{language}">' in mail.html


@pytest.mark.parametrize(
    ("language", "asks", "about", "unread"),
    [
        ("en", "Do you have a question? Reply to this e-mail, or write to", "about patients", "Nobody reads replies."),
        ("es", "¿Tiene alguna pregunta? Responda a este mensaje o escriba a", "sobre pacientes", "nadie lee las res"),
    ],
)
def test_each_notice_names_who_answers_questions_or_says_that_nobody_does(settings, language, asks, about, unread):
    for kind in suppression.NOTICES:
        for support in ("help@vendor.example", ""):
            settings.SUPPORT_EMAIL = support
            mail = notice_texts.sample(kind, next(iter(notice_texts.VARIANTS[kind])), language)
            for says in (mail.text, mail.html):
                assert (asks in says and "help@vendor.example" in says) == bool(support)
                assert (about in says) == bool(support)
                assert (unread in says) == (not support)


def test_both_languages_have_each_kind_and_each_kind_has_a_sample():
    assert set(notice_texts.VARIANTS) == set(suppression.NOTICES)
    for language in notice_texts.LANGUAGES:
        for kind in suppression.NOTICES:
            assert notice_texts.sample(kind, next(iter(notice_texts.VARIANTS[kind])), language).subject


def test_each_example_is_also_shown_as_html(administrator):
    client = Client()
    client.force_login(administrator.user)
    page = reverse("admin:billing_notification_examples")
    links = re.findall(r'href="(\?kind=[^"]+)"', client.get(page).content.decode())
    assert len(links) == sum(map(len, notice_texts.VARIANTS.values())) * len(notice_texts.LANGUAGES)
    for link in links:
        shown = client.get(page + html.unescape(link))
        named = dict(re.findall(r"(kind|form|language)=([^&]+)", unquote_plus(html.unescape(link))))
        assert notice_texts.sample(*named.values()).html == shown.content.decode(), named
    for other in ("kind=none", "kind=receipt&form=none&language=en", "kind=receipt", "x=1"):
        assert client.get(f"{page}?{other}").status_code == 404


@pytest.mark.parametrize(
    ("zone", "language", "written"),
    [
        ("America/New_York", "en", "5 January 2027 at 24:00 (America/New_York)"),
        ("UTC", "es", "6 de enero de 2027 a las 05:00 (UTC)"),
    ],
)
def test_an_end_is_written_with_its_time(zone, language, written):
    assert notice_texts.moment(datetime(2027, 1, 6, 5, tzinfo=UTC), zone, language) == written


def test_a_name_with_marks_is_escaped_as_html_and_plain_as_text():
    facts = {"office": "Smith & <Sons>", "number": "A-1", "amount": "1.00 USD", "paid": "today"}
    mail = notice_texts.write(Kind.RECEIPT, "en", facts)
    assert "Smith & <Sons>" in mail.text
    assert "Smith &amp; &lt;Sons&gt;" in mail.html


def test_a_refused_notice_goes_to_the_new_address_when_staff_send_it_again(
    stripe, mail_server, office, operator, switched_on
):
    subscribed_office(office, by=operator)
    mail_server.answers["RCPT"] = "550 nobody here"
    delivery.work_off()
    row = Notification.objects.get()
    assert (row.state, row.recipient) == ("parked", office.billing_email)

    mail_server.answers.clear()
    Office.objects.update(billing_email="new@maple.example")
    keeping.send_again(row, by=operator)
    delivery.work_off()
    assert [mail["To"] for mail in mail_server.received] == ["new@maple.example"]


def hour_is(hour):
    """A zone in which it is this hour now."""
    ahead = (hour - clock.wall().hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"


@pytest.mark.parametrize(("hour", "count"), [(3, 0), (12, 2)])
def test_staff_get_one_digest_a_day_from_seven_on(settings, mail_server, office, hour, count):
    settings.STAFF_DIGEST_EMAILS = ["one@vendor.example", "two@vendor.example"]
    settings.VENDOR_TIME_ZONE = hour_is(hour)
    report("refund_failed", "x", office=office, detail="The money came back.")
    for _ in range(2):
        staff_digest.put_digest()
    delivery.work_off()

    assert sorted(mail["To"] for mail in mail_server.received) == settings.STAFF_DIGEST_EMAILS[:count]
    assert all("Open findings: 1" in text_of(mail) for mail in mail_server.received)


def test_no_digest_is_sent_if_nothing_waits(settings, mail_server, db):
    settings.STAFF_DIGEST_EMAILS = ["one@vendor.example"]
    settings.VENDOR_TIME_ZONE = hour_is(12)
    staff_digest.put_digest()
    delivery.work_off()

    assert mail_server.received == []
    assert Notification.objects.get().state == "dropped"


@pytest.mark.parametrize(
    ("since", "pages", "support", "level"),
    [
        (None, True, "", None),
        (1, True, "help@vendor.example", "green"),
        (1, False, "help@vendor.example", "amber"),
        (1, True, "", "amber"),
    ],
)
def test_doctor_tells_where_e_mails_lead_to_pages_that_are_off_or_name_nobody(
    settings, db, since, pages, support, level
):
    settings.OFFICE_MAIL_SINCE = since and clock.billing()
    settings.OFFICE_PAGES = pages
    settings.SUPPORT_EMAIL = support

    found = [str(each.level) for each in checks.run_all(Seen()) if each.check.name == "office_mail"]
    assert found == ([level] if level else [])
