"""Days on the pages of an Office: they are the Office's own, the zone is named, and what is typed means the same."""

import re
from datetime import datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from billing import clock
from billing.findings import report
from billing.models import Invoice, Office, Payment, Subscription
from tests.admin.test_offices import signed_in
from tests.conftest import subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
NEW_YORK, HONOLULU, KIRITIMATI = "America/New_York", "Pacific/Honolulu", "Pacific/Kiritimati"


def subscribed_at(stripe, operator, office, hour, zone=NEW_YORK):
    """Return an Office whose periods begin and end at this hour of UTC."""
    now = clock.billing()
    start = (now + timedelta(days=10)).replace(hour=hour, minute=1, second=0, microsecond=0)
    stripe.advance(seconds=int((start - now).total_seconds()))
    Office.objects.update(time_zone=zone)
    office.refresh_from_db()
    found = subscribed_office(office, by=operator)
    stripe.deliver_and_apply()
    found.refresh_from_db()
    return found


def text_of(page: str) -> str:
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", unescape(plain))


def local_day(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%B %Y}"


def cancel(operator, office, day, **more):
    page = f"/admin/billing/office/{office.pk}/cancel/"
    given = {"when": "date", "last_day": day, "why": "closing", "note": "", **more}
    return signed_in(operator.user).post(page, given, follow=True).content.decode()


@pytest.mark.parametrize(("zone", "hour"), [(NEW_YORK, 2), (HONOLULU, 5), (KIRITIMATI, 13), ("Europe/Berlin", 23)])
def test_the_day_on_which_the_period_ends_means_exactly_that_end(stripe, operator, office, zone, hour):
    office = subscribed_at(stripe, operator, office, hour, zone)
    end = office.current_period_end
    day = end.astimezone(ZoneInfo(zone)).date()
    assert day != end.date() or zone == "UTC"  # else the case shows nothing
    page = signed_in(operator.user).get(f"/admin/billing/office/{office.pk}/cancel/").content.decode()
    assert f"the period ends {local_day(end, zone)}" in text_of(page)

    confirmed(operator, office, day)

    office.refresh_from_db()
    assert office.cancel_at == end
    assert office.ends_with_this_period


def test_a_later_day_shows_what_is_still_charged_and_cancels_only_when_that_is_confirmed(stripe, operator, office):
    office = subscribed_at(stripe, operator, office, 2)
    day = office.current_period_end.astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=10)

    shown = text_of(cancel(operator, office, day))

    office.refresh_from_db()
    assert office.cancel_at is None
    assert f"The subscription renews until it ends on {day.day} {day:%B %Y}, 24:00 ({NEW_YORK})" in shown
    assert f"With the next invoice, on {local_day(office.current_period_end, NEW_YORK)}" in shown
    assert re.search(r"Charged \d+\.\d\d USD", shown)


def test_what_was_shown_is_confirmed(stripe, operator, office):
    office = subscribed_at(stripe, operator, office, 2)
    day = office.current_period_end.astimezone(ZoneInfo(NEW_YORK)).date() + timedelta(days=10)
    page = cancel(operator, office, day)
    as_of, seen = (re.search(rf'name="{name}" value="([^"]+)"', page)[1] for name in ("as_of", "seen"))

    cancel(operator, office, day, confirmed="yes", as_of=unescape(as_of), seen=seen)

    office.refresh_from_db()
    assert office.cancel_at.astimezone(ZoneInfo(NEW_YORK)).isoformat()[:16] == f"{day + timedelta(days=1)}T00:00"


def confirmed(operator, office, day):
    seen = re.search(r'name="seen" value="([^"]+)"', cancel(operator, office, day))[1]
    cancel(operator, office, day, confirmed="yes", as_of="", seen=seen)


def test_a_day_within_the_paid_period_charges_nothing_and_says_which_days_are_lost(stripe, operator, office):
    office = subscribed_at(stripe, operator, office, 2)
    day = office.current_period_end.astimezone(ZoneInfo(NEW_YORK)).date() - timedelta(days=5)

    confirmed(operator, office, day)

    office.refresh_from_db()
    assert office.cancel_at.astimezone(ZoneInfo(NEW_YORK)).isoformat()[:16] == f"{day + timedelta(days=1)}T00:00"


@pytest.mark.parametrize("page", ["office/{office}/change/", "office/{office}/account/", "subscription/{row}/change/"])
def test_an_end_at_midnight_is_told_with_its_last_day_on_every_page(stripe, operator, office, page):
    office = subscribed_at(stripe, operator, office, 2)
    day = office.current_period_end.astimezone(ZoneInfo(NEW_YORK)).date() - timedelta(days=5)
    confirmed(operator, office, day)

    path = page.format(office=office.pk, row=Subscription.objects.get().pk)
    shown = text_of(signed_in(operator.user).get(f"/admin/billing/{path}").content.decode())

    after = day + timedelta(days=1)
    assert f"{day.day} {day:%b %Y}" in shown
    assert f"{after.day} {after:%b %Y}" not in shown


MONTHS = "January February March April May June July August September October November December".split()
SHORT = r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sep\.?|Sept\.?|Oct\.?|Nov\.?|Dec\.?"
DAY = re.compile(
    rf"\b(?:(?P<d>\d\d?) (?P<m>{'|'.join(MONTHS)}|{SHORT}) (?P<y>\d{{4}})"
    rf"|(?P<m2>{'|'.join(MONTHS)}|{SHORT}) (?P<d2>\d\d?), (?P<y2>\d{{4}}))"
)


def days_in(text: str) -> set[tuple[int, int, int]]:
    found = set()
    for one in DAY.finditer(text):
        month = next(i for i, name in enumerate(MONTHS, 1) if name.startswith((one["m"] or one["m2"])[:3]))
        found.add((int(one["y"] or one["y2"]), month, int(one["d"] or one["d2"])))
    return found


@pytest.mark.parametrize(("zone", "hour"), [(HONOLULU, 5), (KIRITIMATI, 13)])
def test_no_page_of_an_office_shows_a_day_of_another_zone(stripe, operator, office, zone, hour):
    """All that Stripe shows happens at this hour, when it is another day at the Office than in UTC."""
    office = subscribed_at(stripe, operator, office, hour, zone)
    report("drift", "x", office=office, detail=f"It ends {local_day(office.current_period_end, zone)}.")
    client, seen = signed_in(operator.user), set()
    pages = [
        reverse(f"admin:billing_{name}_change", args=[pk])
        for name, pk in (
            ("office", office.pk),
            ("invoice", Invoice.objects.get().pk),
            ("payment", Payment.objects.get().pk),
            ("subscription", Subscription.objects.get().pk),
        )
    ]
    acts = ("cancel", "account", "upcoming", "restart-period", "pause-collection", "charge", "change-plan", "contact")
    pages += [f"/admin/billing/office/{office.pk}/{act}/" for act in acts]
    pages += [f"/admin/billing/payment/{Payment.objects.get().pk}/refund/"]
    pages += [f"/admin/billing/invoice/{Invoice.objects.get().pk}/credit-note/"]
    starts = office.current_period_start
    right = {
        (local.year, local.month, local.day)
        for at in (starts, office.current_period_end, starts + (office.current_period_end - starts) * 2)
        for local in (at.astimezone(ZoneInfo(zone)),)
    }
    for one in (starts, office.current_period_end):
        assert (one.year, one.month, one.day) not in right

    for page in pages:
        shown = text_of(client.get(page).content.decode())
        assert f"time zone {zone}" in shown, page
        days = days_in(shown)
        wrong = {(at.year, at.month, at.day) for at in (starts, office.current_period_end)} & days
        assert not wrong, (page, wrong)
        seen |= days & right

    assert len(seen) >= 2


def test_a_page_of_many_offices_names_its_one_zone(stripe, operator, office):
    subscribed_at(stripe, operator, office, 2)
    client = signed_in(operator.user)

    for name in ("office", "invoice", "payment", "subscription", "finding"):
        shown = text_of(client.get(reverse(f"admin:billing_{name}_changelist")).content.decode())
        assert "time zone UTC" in shown, name
