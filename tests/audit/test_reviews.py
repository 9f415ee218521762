"""An auditor reads what is unusual in a period, and signs it off. Not too early, and not their own work alone."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from billing import clock, errors, sealing, zones
from billing.access import emergency
from billing.audit import actor, trail
from billing.models import AuditEntry, AuditSeal, TrailReview
from billing.models.audit import AppendOnlyError
from billing.operations import trail_reviews
from billing.operations.trail_reviews import Days
from tests.conftest import a_person

PAGE = "/admin/billing/trailreview/review/"
NOVEMBER = Days(date(2025, 11, 1), date(2025, 11, 30))
NOON = datetime(2025, 11, 12, 12, tzinfo=UTC)
"""A Wednesday."""


def written(by, subject, what, at=NOON, kind="act"):
    with trail.acting(by):
        return AuditEntry.objects.log_create(
            subject, force_log=True, action=3, kind=kind, what=what, timestamp=at, actor_kind=by.kind
        )


@pytest.fixture
def month(operator, office):
    """A month with one entry by an operator, sealed."""
    entry = written(operator, office, "looked after an Office")
    while sealing.seal():
        pass
    return entry


def browser_of(user):
    browser = Client()
    browser.force_login(user)
    return browser


def signed(by, days=NOVEMBER, note="read all refusals"):
    return trail_reviews.sign_off(days, by=by, note=note)


def shown(browser, days=NOVEMBER):
    answer = browser.get(PAGE, {"since": days.first, "until": days.last})
    assert answer.status_code == 200
    return answer.content.decode()


def counts(page):
    table = re.search(r'<table id="unusual".*?</table>', page, re.S)[0]
    cells = re.findall(r"<th[^>]*>(.*?)</th><td[^>]*>(?:<a[^>]*>)?([\d,+]+)", table)
    return dict(cells)


def open_periods(page):
    return re.findall(r'href="\?since=([\d-]+)&amp;until=([\d-]+)"', page)


def test_a_review_names_the_seal_and_is_in_the_trail(month, auditor):
    row = signed(auditor)

    seal = AuditSeal.objects.get()
    assert (row.person, row.seal, row.root, row.note) == (auditor.user, seal, seal.root, "read all refusals")
    assert (row.since, row.until) == (datetime(2025, 11, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
    entry = AuditEntry.objects.get(content_type__model="trailreview")
    assert (entry.actor_label, entry.reason) == (auditor.user.email, "read all refusals")
    assert entry.changes["root"] == ["None", seal.root]


def test_a_review_is_never_edited_or_deleted(month, auditor):
    row = signed(auditor)

    with pytest.raises(AppendOnlyError):
        row.save()
    with pytest.raises(AppendOnlyError):
        row.delete()


@pytest.mark.parametrize("note", ["", "ok", "x" * 300, "patient Jane Doe, born 3/4/1980"])
def test_the_note_is_checked(month, auditor, note):
    with pytest.raises((errors.ReasonRequired, errors.TextNotNeutral)):
        signed(auditor, note=note)
    assert not TrailReview.objects.exists()


def test_a_period_that_is_not_over_is_refused(month, auditor):
    today = clock.wall().date()
    for days in (Days(today, today), Days(today + timedelta(days=1), today + timedelta(days=2))):
        with pytest.raises(errors.PeriodNotOver):
            signed(auditor, days)


def test_a_period_ends_in_the_vendors_zone(month, auditor, settings):
    settings.VENDOR_TIME_ZONE = "Asia/Tokyo"

    row = signed(auditor)

    assert row.until == zones.end_of(NOVEMBER.last, "Asia/Tokyo") == datetime(2025, 11, 30, 15, tzinfo=UTC)


def test_a_period_with_an_entry_that_is_not_sealed_is_refused(month, auditor, operator, office):
    written(operator, office, "later", NOON + timedelta(days=3))

    with pytest.raises(errors.NotSealedYet):
        signed(auditor)
    sealing.seal()
    assert signed(auditor).seal == AuditSeal.objects.first()


def test_before_the_first_seal_nothing_is_signed_off(auditor, operator, office):
    with pytest.raises(errors.NotSealedYet):
        signed(auditor)


@pytest.mark.parametrize("days", [Days(NOVEMBER.last, NOVEMBER.first), Days(date(2025, 1, 1), NOVEMBER.last)])
def test_a_period_that_is_none_or_too_long_is_refused(month, auditor, days):
    with pytest.raises(errors.PeriodInvalid):
        signed(auditor, days)


def test_only_auditors_sign_off(month, administrator):
    support = actor.person(a_person("support@vendor.example", group="support"))
    with pytest.raises(errors.NotPermitted):
        signed(support)
    with pytest.raises(errors.NotPermitted):
        signed(actor.job("nightly"))


def test_nobody_signs_off_their_own_acts_alone(month, operator, auditor, office):
    with pytest.raises(errors.OwnActsAlone):
        signed(operator)
    assert "Nobody but you" in AuditEntry.objects.get(kind="refusal").what

    written(auditor, office, "exported something", NOON + timedelta(days=1))
    sealing.seal()
    assert signed(operator)


@pytest.mark.parametrize("kind", ["act", "read"])
def test_that_a_colleague_signed_in_or_looked_makes_no_own_work_signable(month, operator, auditor, office, kind):
    written(auditor, auditor.user if kind == "act" else office, "came by", NOON + timedelta(days=1), kind=kind)
    sealing.seal()

    with pytest.raises(errors.OwnActsAlone):
        signed(operator)


def test_what_the_reviewer_looked_at_is_no_act_of_theirs(auditor, office):
    written(auditor, office, "looked at the Office's billing", kind="read")
    while sealing.seal():
        pass

    assert not trail_reviews.own_acts(NOVEMBER, auditor.user).exists()
    assert signed(auditor)


def test_what_a_colleague_did_to_somebody_elses_account_is_an_act(month, operator, administrator):
    written(administrator, operator.user, "changed a role", NOON + timedelta(days=1))
    sealing.seal()

    assert signed(operator)


def test_signing_in_is_no_act_that_another_must_read(auditor):
    written(auditor, auditor.user, "signed in with a password")
    while sealing.seal():
        pass

    assert signed(auditor)


def test_the_page_counts_what_is_unusual_and_links_to_it(month, auditor, operator, administrator, office):
    night = NOON + timedelta(hours=11)
    for by, subject, what, at, kind in (
        (operator, office, "cancel: no subscription is live", NOON, "refusal"),
        (operator, office, "charge_office: You are not allowed to change it.", NOON, "refusal"),
        (operator, operator.user, "not permitted: admin:billing_office_credit", NOON, "refusal"),
        (actor.service("somebody"), operator.user, "sign-in: wrong address or password", NOON, "refusal"),
        (auditor, office, "exported the audit trail", NOON, "act"),
        (operator, office, "worked late", night, "act"),
        (operator, office, "worked on a Saturday", NOON + timedelta(days=3), "act"),
        (actor.job("nightly"), office, "a job at night", night, "act"),
        (operator, office, "before the period", NOON - timedelta(days=30), "refusal"),
    ):
        written(by, subject, what, at, kind)
    browser = browser_of(auditor.user)

    page = shown(browser)

    assert counts(page) == {
        "Refusals": "4",
        "Denials: somebody was not allowed to": "2",
        "Emergency roles": "0",
        "Acts of staff at night or on weekends": "2",
        "Failed sign-ins": "1",
        "Exports": "1",
        "What you did yourself": "1",
    }
    for title, found in list(counts(page).items())[:-1]:
        link = re.search(rf'href="([^"]+)" aria-label="{title}: ', page)[1].replace("&amp;", "&")
        listed = browser.get(link)
        assert listed.status_code == 200
        assert listed.context["cl"].result_count == int(found), title


def test_an_emergency_role_is_counted(month, auditor, operator, administrator):
    emergency.give(by=administrator, person=operator.user, role="finance", reason="a card was stolen")
    today = clock.wall().date()

    assert counts(shown(browser_of(auditor.user), Days(today, today)))["Emergency roles"] == "1"


def test_the_page_shows_the_periods_that_are_not_signed_off(month, auditor):
    browser = browser_of(auditor.user)
    today = clock.wall().date()

    periods = open_periods(shown(browser))
    assert periods[-1] == ("2025-11-12", "2025-11-30")
    assert periods[-2] == ("2025-12-01", "2025-12-31")
    assert periods[0][1] == str(today - timedelta(days=1))

    signed(auditor, Days(NOVEMBER.first, date(2025, 12, 10)))

    periods = open_periods(shown(browser))
    assert periods[-1] == ("2025-12-11", "2025-12-31")


def test_an_auditor_signs_off_on_the_page(month, auditor):
    browser = browser_of(auditor.user)
    given = {"since": NOVEMBER.first, "until": NOVEMBER.last, "note": "read all refusals"}

    answer = browser.post(PAGE, given)

    assert answer.headers["Location"] == "/admin/billing/trailreview/"
    assert TrailReview.objects.get().person == auditor.user
    assert "1 November 2025 to 30 November 2025 (UTC)" in browser.get("/admin/billing/trailreview/").content.decode()
    assert "Signed off already" in shown(browser)


def test_a_refusal_stays_on_the_page_with_the_note(month, operator):
    given = {"since": NOVEMBER.first, "until": NOVEMBER.last, "note": "read all refusals"}

    page = browser_of(operator.user).post(PAGE, given).content.decode()

    assert "Nobody but you did anything in this period." in page
    assert 'value="read all refusals"' in page
    assert 'value="2025-11-01"' in page


@pytest.mark.parametrize("given", [{"since": "x", "until": "y"}, {"since": "2025-11-30", "until": "2025-11-01"}])
def test_days_that_are_none_are_told(auditor, given):
    answer = browser_of(auditor.user).get(PAGE, given)

    assert answer.status_code == 200
    assert "Sign off this period" not in answer.content.decode()


def test_who_also_operates_is_told(month, auditor, operator):
    assert "also has the powers" not in shown(browser_of(auditor.user))
    assert "also has the powers manage, operate, give back." in shown(browser_of(operator.user))
