"""Each number and bar of the overview opens a list, and what is listed adds up to it."""

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse

from billing import clock
from billing.audit import actor, trail
from billing.debts import AGES, NOT_DUE
from billing.models import Office, Subscription
from billing.money import Money
from billing.reports.rolling import roll_up
from billing.reports.waiting import trials_ending
from billing.stripe_api import sandbox_clock
from tests.admin.test_offices import signed_in
from tests.conftest import price
from tests.reports.made import NOW, begun, changed, day, known_since, owed, paid, refunded

FIRST = reverse("admin:index")
SUMMED = {
    "movement": "amount",
    "payment": "amount",
    "adjustment": "amount",
    "invoice": "amount_remaining",
    "subscription": "monthly_amount",
}


@pytest.fixture
def busy(stripe):
    """Some Offices in two currencies in the middle of June 2030: they came, paid, left, owe and are tried."""
    clock.follow(lambda: NOW - clock.wall())
    maple, oak, elm, ash, fir = (
        known_since(day(1), name)
        for name in ("Maple Street", "Oak Clinic", "Elm Practice", "Ash Surgery", "Fir Health")
    )
    for office, plan, status, amount, currency in (
        (maple, "practice-monthly", "active", 19_900, "usd"),
        (oak, "seats-monthly", "past_due", 9_800, "usd"),
        (elm, "practice-euro", "active", 18_900, "eur"),
        (ash, "practice-monthly", "trialing", 19_900, "usd"),
        (fir, "practice-monthly", "canceled", 0, "usd"),
    ):
        row = begun(office, day(5, 2), currency=currency, status=status, amount=amount)
        changed(row, day(5, 2), 0, 0 if status == "trialing" else amount or 4_900, was="")
        with trail.acting(actor.job("tests"), reason="tests"):
            row.trial_end = NOW + timedelta(days=3) if status == "trialing" else None
            row.current_period_end = NOW + timedelta(days=20)
            row.save()
            office.subscription_status, office.current_plan = status, price(plan).plan
            office.payment_provider_subscription_id = row.stripe_id
            office.currency, office.confirmed_at = currency, NOW
            office.trial_end = row.trial_end
            office.current_period_start, office.current_period_end = day(6, 2), row.current_period_end
            office.past_due_since = day(6, 2) if status == "past_due" else None
            if office == elm:
                office.payment_method_brand, office.payment_method_expires = "visa", "2030-06"
            office.save()
        if status == "canceled":
            changed(row, day(6, 2), 4_900, 0, to="canceled")
    refunded(paid(maple, day(6, 11), 19_900), day(6, 12), 5_000)
    paid(maple, day(5, 7), 19_900)
    paid(elm, day(6, 11), 18_900, currency="eur")
    owed(oak, day(6, 2), 9_800)
    owed(oak, NOW - timedelta(days=8, hours=1), 300)
    owed(oak, NOW, 200)
    owed(fir, day(5, 2), 4_900)
    owed(elm, day(6, 12), 700, currency="eur", collection="send_invoice", due_at=NOW + timedelta(days=5))
    owed(elm, day(6, 12), 600, currency="eur", status="void", amount_remaining=0)
    roll_up()
    yield
    sandbox_clock.follow()


@pytest.fixture
def shown(busy, auditor):
    return signed_in(auditor.user).get(FIRST)


def listed(auditor, page):
    """Return the rows of the list at this address, which must filter by all that the address says."""
    answer = signed_in(auditor.user).get(page)
    assert answer.status_code == 200, page
    return answer.context["cl"].queryset


def of_rows(rows, currency):
    column = SUMMED[rows.model._meta.model_name]
    assert {one.currency for one in rows} <= {currency}
    return str(Money(sum(getattr(one, column) for one in rows), currency))


def test_each_number_of_a_chart_is_the_sum_or_the_count_of_its_list(shown, auditor):
    charts = {chart.title: chart for chart in shown.context["charts"]}
    assert list(charts) == [
        "Monthly recurring revenue (MRR) in EUR",
        "Movements of MRR in EUR",
        "Monthly recurring revenue (MRR) in USD",
        "Movements of MRR in USD",
        "Collected in EUR by week",
        "Collected in USD by week",
        "Owed in EUR: 7.00 EUR",
        "Owed in USD: 152.00 USD",
        "Offices by plan",
    ]
    for title, chart in charts.items():
        currency = next((one for one in ("usd", "eur") if one.upper() in title), "")
        for row in chart.rows:
            for cell in row:
                if cell.page:
                    rows = listed(auditor, cell.page)
                    number = of_rows(rows, currency) if currency else f"{len(rows):,}"
                    assert cell.text == number, (title, row[0].text)


def test_each_bar_opens_the_list_that_its_number_in_the_table_opens(shown, auditor):
    for chart in shown.context["charts"]:
        linked = {cell.page for row in chart.rows for cell in row if cell.page}
        for bars in chart.bars:
            assert len(bars.values) == len(bars.pages) == len(chart.labels)
            for value, page in zip(bars.values, bars.pages, strict=True):
                assert page in linked or value is None or float(value) == 0, (chart.title, bars.label)


def test_no_chart_has_two_currencies(shown):
    for chart in shown.context["charts"]:
        assert not ("USD" in chart.title + str(chart.rows) and "EUR" in chart.title + str(chart.rows)), chart.title


def test_each_sum_of_money_is_the_sum_of_its_list(shown, auditor):
    found = {figure["title"]: figure["sums"] for figure in shown.context["figures"]}

    assert {title: [cell.text for cell in sums] for title, sums in found.items()} == {
        "Billed each month": ["189.00 EUR", "297.00 USD"],
        "Paid this week": ["189.00 EUR", "199.00 USD"],
        "Owed now": ["7.00 EUR", "152.00 USD"],
    }
    for sums in found.values():
        for cell in sums:
            assert of_rows(listed(auditor, cell.page), cell.text[-3:].lower()) == cell.text


def test_a_trial_that_was_canceled_is_not_told_as_money_to_come(busy):
    row = Subscription.objects.get(status="trialing")
    for ends, is_told in ((None, True), (row.trial_end, False), (row.trial_end + timedelta(days=1), True)):
        row.cancel_at = row.office.cancel_at = ends
        with trail.acting(actor.job("tests"), reason="tests"):
            row.save()
            row.office.save()
        assert Subscription.objects.filter(trials_ending(at=NOW)).exists() is is_told


def test_what_is_owed_trialed_and_expires_is_said_by_money_and_listed(shown, auditor):
    tasks = {task.title: task for task in shown.context["tasks"]}

    owes = tasks["3 Offices owe 7.00 EUR and 152.00 USD"]
    assert owes.says.startswith("Their subscriptions: 1 past due, 1 canceled, 1 active.")
    assert owes.says.endswith(
        "Oak Clinic loses access next, on 15 June 2030 (America/New_York)."
    )  # 14 days after 2 June
    assert {one.name for one in listed(auditor, owes.page)} == {"Oak Clinic", "Fir Health", "Elm Practice"}
    trial = tasks["1 trial ends within 7 days"]
    assert "199.00 USD a month. It has nothing on file to pay with." in trial.says
    assert [one.office.name for one in listed(auditor, trial.page)] == ["Ash Surgery"]
    card = tasks["1 card expires before the next charge"]  # valid until 30 June, charged on 5 July
    assert "for 189.00 EUR a month" in card.says
    assert [one.office.name for one in listed(auditor, card.page)] == ["Elm Practice"]


def test_each_status_counts_the_offices_of_its_list(shown, auditor):
    for row in shown.context["statuses"]:
        assert row["n"] == len(listed(auditor, row["page"])), row["status"]


def test_debts_are_in_the_bucket_of_their_days(shown):
    (chart,) = (one for one in shown.context["charts"] if one.title.startswith("Owed in USD"))

    assert [[cell.text for cell in row] for row in chart.rows] == [
        ["0–7 days", "1", "2.00 USD"],
        ["8–14 days", "2", "101.00 USD"],  # 13 and 8 days
        ["15–30 days", "0", "0.00 USD"],
        ["More than 30 days", "1", "49.00 USD"],
        ["All", "4", "152.00 USD"],
    ]


def test_an_invoice_that_is_sent_and_not_due_yet_is_in_a_bucket_of_its_own(shown):
    (chart,) = (one for one in shown.context["charts"] if one.title.startswith("Owed in EUR"))

    assert [cell.text for cell in chart.rows[0]] == ["Not due yet", "1", "7.00 EUR"]


def test_who_owes_since_when_is_the_same_in_each_place(shown, auditor):
    """Elm's invoice was sent, and is due in five days: it owes, and nobody waits for it yet."""
    rows = signed_in(auditor.user).get(reverse("admin:billing_followup_changelist"), {"whose": "all"}).context["rows"]
    longest = shown.context["longest"]

    assert [one["office"].name for one in longest] == ["Fir Health", "Oak Clinic"]
    assert [one["since"] for one in longest] == [day(5, 2), day(6, 2)]
    assert [(row["office"].name, row["since"]) for row in rows] == [
        ("Fir Health", "44 days, since 2 May 2030"),
        ("Oak Clinic", "13 days, since 2 June 2030"),
        ("Elm Practice", "due on 20 June 2030"),
    ]
    for currency, late, not_due in (("usd", {"Fir Health", "Oak Clinic"}, set()), ("eur", set(), {"Elm Practice"})):
        found = {
            days: {one.office.name for one in listed(auditor, f"/admin/billing/invoice/?owed={days}.{currency}")}
            for days in AGES
        }
        assert found[NOT_DUE] == not_due
        assert set.union(*(names for days, names in found.items() if days != NOT_DUE)) == late


def test_a_filter_with_a_value_that_it_does_not_know_shows_the_whole_list(busy, auditor):
    for page in ("invoice/?owed=x", "movement/?month=2030-13.usd", "payment/?week=2030-06-10", "office/?on_plan=999"):
        rows = listed(auditor, f"/admin/billing/{page}")
        assert len(rows) == rows.model._default_manager.count() > 0, page


def test_a_chart_has_its_data_where_the_page_draws_it(shown):
    page = unescape(shown.content.decode())

    assert '"label": "Paid", "data": ' in page
    assert page.count('<canvas class="chart"') == len(shown.context["charts"])
    assert page.count("<summary") >= len(shown.context["charts"])
    assert Office.objects.count() == 5
