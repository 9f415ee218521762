"""Who waits for a comparison sees its stage, how many Offices are done, and a percentage that only grows."""

import pytest
from django.urls import reverse

from billing.audit import actor
from billing.models import Office, Reconciliation
from billing.reconciliation import begin, carry_on, progress
from tests.admin.test_offices import signed_in
from tests.conftest import an_office, subscribed_office

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "impatient", "optional"])
BY = actor.job("tests")


def shown(client, run):
    return client.get(reverse("admin:billing_reconciliation_change", args=[run.pk])).content.decode()


def test_a_comparison_that_is_under_way_says_how_far_it_is_until_it_has_ended(stripe, operator, auditor):
    for name in ("Ash Practice", "Beech Practice"):
        subscribed_office(an_office(name), by=operator)
    an_office("Not at Stripe")
    client, run = signed_in(auditor.user), begin(by=BY, reason="a test")
    percents, done = [], []

    assert "0 of 2 Offices found at Stripe" in shown(client, run)
    while run.ended_at is None:
        seen = progress.of(run)
        percents.append(seen.percent)
        done.append(seen.done)
        page = shown(client, run)
        assert 'hx-trigger="every 3s"' in page
        assert f"<strong>{seen.percent} %</strong>: stage {seen.number} of {seen.stages}, {run.stage}." in page
        carry_on(run, by=BY)

    assert percents == sorted(percents)
    assert (percents[0], done[0], done[-1]) == (0, 0, 2)
    assert percents[-1] < 100
    assert progress.of(run) is None
    assert 'hx-trigger="every 3s"' not in shown(client, run)


def test_in_the_stage_of_offices_the_percentage_follows_them(db, operator):
    run = Reconciliation.objects.create(
        actor_label="tests", reason="x", recent_since="2030-01-15T12:30Z", everything=True
    )
    run.stage = "customers"  # the third of twelve: events, catalogue
    run.refresh_from_db(fields=["began_at"])
    for n in range(4):
        office = an_office(f"Practice {n}")
        Office.objects.filter(pk=office.pk).update(
            payment_provider_customer_id=f"cus_{n}", reconciled_at=run.began_at if n < 3 else None
        )
    seen = progress.of(run)
    assert (seen.done, seen.offices, seen.number) == (3, 4, 3)
    assert seen.percent == int(100 * 2.75 / seen.stages)


def test_a_comparison_that_was_just_begun_is_shown_at_once(stripe, operator):
    answer = signed_in(operator.user).post(reverse("admin:billing_reconciliation_compare_all"))
    run = Reconciliation.objects.get()
    assert answer.headers["Location"] == reverse("admin:billing_reconciliation_change", args=[run.pk])
