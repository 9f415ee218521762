"""What Offices are told by e-mail: from Stripe's event to the mail server, once for each reason."""

from datetime import timedelta

import pytest

from billing import clock
from billing.models import Notification
from billing.outbox import delivery
from tests.conftest import subscribed_office

pytestmark = pytest.mark.django_db
Kind = Notification.Kind
DECLINED = "pm_card_chargeCustomerFail"


@pytest.fixture
def switched_on(settings, stripe):
    settings.OFFICE_MAIL_SINCE = clock.billing() - timedelta(seconds=1)


def told():
    return list(Notification.objects.order_by("pk").values_list("kind", flat=True))


def test_a_payment_that_failed_is_told_at_once(stripe, mail_server, office, operator, switched_on):
    subscribed_office(office, by=operator, card=DECLINED, trial_days=3)
    stripe.advance(days=4)
    stripe.deliver_and_apply()

    assert told() == [Kind.PAYMENT_FAILED]
    delivery.work_off()

    (mail,) = mail_server.received
    assert mail["To"] == office.billing_email
    assert mail["Subject"] == "Your payment did not go through"
    assert "199.00 USD" in mail.get_body(("plain",)).get_content()
