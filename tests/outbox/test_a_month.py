"""Who gets which e-mail in the month after a charge that failed, and what a payment stops, as in docs/mail.md."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from billing import clock
from billing.models import Office
from billing.outbox import by_time, delivery
from tests.conftest import an_office, subscribed_office

pytestmark = pytest.mark.django_db
DECLINED, ASKS_BANK, ACCEPTED = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired", "pm_card_visa"
CARDS = {"Pays": ACCEPTED, "Pays on day 7": DECLINED, "Never pays": DECLINED, "Does not confirm": ASKS_BANK}
PAID_ON = {"Pays on day 7": 7}
FAILED, REMINDER = "Your payment did not go through", "Reminder: a payment is still open"
CONFIRM, STILL_CONFIRM = "Please confirm a payment with your bank", "Reminder: please confirm a payment"
RECEIPT, ENDS, ENDED = "Receipt for invoice …", "Your access ends on …", "Your subscription has ended"
EXPECTED = {  # PAYMENT_REMINDER_DAYS are 1, 5 and 10; access ends 14 days after day 1; the next charge is a month later
    "Pays": [(1, RECEIPT), (32, RECEIPT)],
    "Pays on day 7": [(1, FAILED), (5, REMINDER), (7, RECEIPT), (32, FAILED), (36, REMINDER)],
    "Never pays": [(1, FAILED), (5, REMINDER), (10, REMINDER), (12, ENDS), (16, ENDED)],
    "Does not confirm": [(1, CONFIRM), (5, STILL_CONFIRM), (10, STILL_CONFIRM), (12, ENDS), (16, ENDED)],
}


def test_a_month_of_e_mails(stripe, mail_server, operator, settings):
    settings.OFFICE_MAIL_SINCE = clock.billing() - timedelta(seconds=5)
    for name, card in CARDS.items():
        office = an_office(name)
        Office.objects.filter(pk=office.pk).update(billing_email=f"{name.lower().replace(' ', '-')}@practice.example")
        office.refresh_from_db()
        subscribed_office(office, by=operator, card=card, trial_days=3)
    names = dict(Office.objects.values_list("billing_email", "name"))
    seen: dict[str, list[tuple[int, str]]] = {name: [] for name in CARDS}
    stripe.advance(days=3, hours=2)
    for day in range(1, 41):
        for name in [name for name, paid_on in PAID_ON.items() if paid_on == day]:
            owed = Office.objects.get(name=name).invoices.get(status="open")
            stripe.post(f"invoices/{owed.stripe_id}/pay", paid_out_of_band="true")
        stripe.deliver_and_apply()
        by_time.put_due()
        delivery.work_off()
        while mail_server.received:
            mail = mail_server.received.pop(0)
            seen[names[mail["To"]]].append((day, re.sub(r"(invoice|ends on) .*", r"\1 …", mail["Subject"])))
        stripe.advance(days=1)

    assert seen == EXPECTED


def test_the_page_about_e_mails_shows_this_table():
    page = (Path(__file__).parents[2] / "docs" / "mail.md").read_text()
    rows = dict(re.findall(r"^\| (\d+) \| (.*) \|$", page, re.MULTILINE))

    shown = {name: list[tuple[int, str]]() for name in EXPECTED}
    for day, cells in rows.items():
        for name, cell in zip(EXPECTED, cells.split(" | "), strict=True):
            shown[name] += [(int(day), cell)] if cell != "–" else []
    assert shown == EXPECTED
