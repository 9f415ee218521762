"""What is spelt for machines is shown in words, and the style sheet knows the columns that there are."""

import re
from pathlib import Path

import pytest
from django.contrib import admin
from django.contrib.staticfiles import finders
from django.urls import reverse

from billing.admin.tones import TONES
from billing.findings import KINDS, report
from billing.models import Finding, Office, Reconciliation
from billing.models.statuses import SubscriptionStatus
from tests.admin.test_offices import signed_in

pytestmark = pytest.mark.django_db
STYLES = "billing/admin.css"


def cells(html, column):
    return [
        " ".join(re.sub(r"<[^>]*>", " ", one).split())
        for one in re.findall(rf'class="field-{column} .*?</t[dh]>', html, re.S)
    ]


@pytest.mark.parametrize("status", SubscriptionStatus.values)
def test_a_status_has_no_underscore_and_keeps_its_colour(stripe, auditor, office, status):
    Office.objects.update(subscription_status=status)

    shown = signed_in(auditor.user).get(reverse("admin:billing_office_changelist")).content.decode()

    words = status.replace("_", " ")
    assert words in TONES
    assert [one.rpartition(">")[2].strip() for one in cells(shown, "state")] == [words]


@pytest.mark.parametrize("kind", KINDS)
def test_the_title_of_a_finding_is_its_kind_in_words_and_its_office(office, kind):
    title = str(report(kind, "x", office=office, detail="A long sentence. What to do. 4 more words."))

    assert title == f"{kind.replace('_', ' ')} ({office.name})"


def test_a_closed_finding_says_in_one_column_when_and_how(stripe, auditor):
    report("events_missed", "webhooks", office=None, detail="x", resolution="all events are here")
    Finding.objects.update(resolved_at="2030-01-15T12:30:00Z")

    shown = signed_in(auditor.user).get(reverse("admin:billing_finding_changelist")).content.decode()

    assert "15 Jan 2030, 12:30: all events are here" in shown


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ({}, "what can still change, and what Stripe made since 15 Jan 2030, 12:30"),
        ({"everything": True}, "all of the past"),
        ({"adopts": True}, "all of the past; each subscribed customer without an Office becomes one"),
    ],
)
def test_a_comparison_says_what_it_compares_and_what_it_counted(stripe, auditor, scope, says):
    run = Reconciliation.objects.create(
        actor_label="tests", reason="x", recent_since="2030-01-15T12:30:00Z", counts={"disputes": 1, "left": 2}, **scope
    )

    page = reverse("admin:billing_reconciliation_change", args=[run.pk])
    shown = signed_in(auditor.user).get(page).content.decode()

    assert says in shown
    assert "disputes: 1, left for a person: 2" in shown


def test_the_style_sheet_is_linked_and_names_columns_of_our_lists(stripe, auditor):
    text = Path(finders.find(STYLES)).read_text()
    pages = admin.site._registry.values()
    columns = {name for page in pages for name in page.list_display if isinstance(name, str)}
    columns |= {str(name) for page in pages for table in page.inlines for name in table.fields}

    assert STYLES in signed_in(auditor.user).get(reverse("admin:index")).content.decode()
    assert set(re.findall(r"\.field-(\w+)", text)) <= columns
