"""What comes next for Offices, by hand, and the three places that show it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import coming
from billing.models import Office

AT = datetime(2030, 1, 15, tzinfo=UTC)
DAY, WEEK, MONTH = timedelta(days=1), timedelta(days=7), timedelta(days=31)


def an_office(**values):
    return Office.objects.bulk_create([Office(name="Oak Clinic", billing_email="b@oak.example", **values)])[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "is_told"),
    [
        ({"trial_end": AT}, True),
        ({"trial_end": AT + 6 * DAY}, True),
        ({"trial_end": AT + WEEK}, False),  # the window is half-open
        ({"trial_end": AT - DAY}, False),
        ({"trial_end": AT + DAY, "cancel_at": AT + DAY}, False),  # it ends with the trial
        ({"trial_end": AT + DAY, "cancel_at": AT + 400 * DAY}, True),
        ({"trial_end": AT + DAY, "archived_at": AT}, False),
        ({"trial_end": AT + DAY, "subscription_status": "active"}, False),
    ],
    ids=str,
)
def test_a_trial_that_ends_and_goes_on_is_told(values, is_told):
    an_office(**{"subscription_status": "trialing", **values})

    assert Office.objects.filter(coming.trial_ends(AT, within=WEEK)).exists() is is_told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("expires", "charged_in", "more", "is_told"),
    [
        ("2029-12", 20, {}, True),
        ("2030-01", 10, {}, False),  # valid until the end of January, and charged on the 25th
        ("2030-01", 20, {}, True),  # charged on 4 February
        ("2030-02", 20, {}, False),
        ("2029-12", 31, {}, False),  # the window is half-open
        ("2029-12", 150, {}, False),
        ("2029-12", 20, {"cancel_at": AT + 20 * DAY}, False),  # it ends, and is not charged
        ("2029-12", 20, {"cancel_at": AT + 700 * DAY}, True),
        ("2029-12", 20, {"archived_at": AT}, False),
        ("2029-12", 20, {"subscription_status": "canceled"}, False),
        ("", 20, {}, False),  # a bank account has no end
    ],
    ids=str,
)
def test_a_card_that_will_have_expired_at_the_next_charge_is_told(expires, charged_in, more, is_told):
    period_end = AT + charged_in * DAY
    an_office(
        **{"subscription_status": "active", "payment_method_expires": expires, "current_period_end": period_end, **more}
    )

    assert Office.objects.filter(coming.card_expires(AT, within=MONTH)).exists() is is_told
