"""Days and amounts in lists: one format, the zone named once, and amounts at the right of their column."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.db import models
from django.urls import reverse
from django.utils import timezone

from billing import zones
from billing.models import Office
from billing.templatetags.moments import shown
from tests.admin.test_offices import signed_in

STYLES = Path(finders.find("billing/admin.css")).read_text()
LISTS = {model._meta.model_name: page for model, page in admin.site._registry.items()}
CELL = re.compile(r'<t[dh][^>]*class="[^"]*\bfield-(?!tabular)(\w+)[^>]*>(.*?)</t[dh]>', re.S)
AMOUNT = re.compile(r"[-−]?[\d,]+(\.\d+)? [A-Z]{3}( a month)?")
AT_THE_RIGHT = set(
    re.findall(
        r"\.field-(\w+)", next(one for one in STYLES.split("}") if "text-align: right" in one and ".field-" in one)
    )
)


def cells(html):
    """Each column of the tables of a page with the text of one of its cells."""
    return [(name, " ".join(re.sub(r"<[^>]*>", " ", inside).split())) for name, inside in CELL.findall(html)]


@pytest.mark.parametrize(
    ("zone", "given", "day", "tooltip"),
    [
        ("UTC", {}, "29 Dec 2026", "29 Dec 2026, 03:05 (UTC)"),
        ("America/New_York", {}, "28 Dec 2026", "28 Dec 2026, 22:05 (America/New_York)"),
        ("UTC", {"with_time": True}, "29 Dec 2026, 03:05", "29 Dec 2026, 03:05 (UTC)"),
    ],
)
def test_a_moment_is_a_day_in_the_zone_of_the_page(zone, given, day, tooltip):
    with timezone.override(zones.of(zone)):
        html = shown(datetime(2026, 12, 29, 3, 5, 7, tzinfo=UTC), **given)

    assert html == f'<time datetime="2026-12-29T03:05:07+00:00" title="{tooltip}">{day}</time>'


def test_an_end_at_midnight_is_the_day_before():
    html = shown(datetime(2027, 1, 6, tzinfo=UTC), is_end=True)

    assert 'title="5 Jan 2027, 24:00 (UTC)">5 Jan 2027</time>' in html


@pytest.mark.django_db
def test_a_list_of_offices_shows_days_and_can_be_sorted_by_them(stripe, auditor, subscribed):
    Office.objects.update(current_period_end="2027-01-06T00:00:00Z")
    place = LISTS["office"].list_display.index("current_period_end") + 1

    html = signed_in(auditor.user).get(reverse("admin:billing_office_changelist"), {"o": place}).content.decode()

    assert dict(cells(html))["current_period_end"] == "5 Jan 2027"
    assert "in the time zone UTC" in html
    assert f"?o=-{place}" in html


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTS)
def test_each_list_with_moments_names_their_zone_once(stripe, auditor, model):
    html = signed_in(auditor.user).get(reverse(f"admin:billing_{model}_changelist")).content.decode()
    columns = set(LISTS[model].list_display) & {
        one.name for one in LISTS[model].opts.fields if isinstance(one, models.DateTimeField)
    }

    assert html.count("are in the time zone UTC") == 1 or not columns


@pytest.mark.django_db
def test_each_column_of_amounts_stands_at_the_right(stripe, operator, subscribed):
    client = signed_in(operator.user)
    rows = [
        *(reverse(f"admin:billing_{model}_changelist") for model in LISTS),
        reverse("admin:billing_office_change", args=[subscribed.pk]),
        reverse("admin:billing_subscription_change", args=[subscribed.subscriptions.get().pk]),
        reverse("admin:billing_invoice_change", args=[subscribed.invoices.get().pk]),
    ]
    found = {name for page in rows for name, text in cells(client.get(page).content.decode()) if AMOUNT.fullmatch(text)}

    assert found >= {"due", "a_month", "total_shown", "money"}
    assert found <= AT_THE_RIGHT
