"""Each table has a place in the table of lives, and the table says what is true."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.apps import apps

from billing import clock, jobs, worker
from billing.audit import append_only, lives
from billing.models import Finding, Reconciliation
from billing.reconciliation import runs

DOCUMENT = Path(__file__).parents[2] / "docs" / "trail.md"
MODELS = [model._meta.label for model in apps.get_models(include_auto_created=True)]
ENDING = ("purge-", "forget-")


@pytest.mark.parametrize("label", MODELS)
def test_each_table_has_one_life(label):
    assert len(lives.life_of(label)) == 1


def test_no_life_is_of_a_table_that_there_is_not():
    named = {one for life in lives.LIVES for one in life.models.split()}

    assert named - set(MODELS) - {label.partition(".")[0] for label in MODELS} == set()


def test_each_job_that_ends_something_is_there_and_each_such_job_is_named():
    assert worker.jobs is jobs  # it has loaded every job
    named = set(re.findall(r"job `([\w-]+)`", " ".join(life.ended_by for life in lives.LIVES)))

    assert named == {name for name, kind in jobs.KINDS.items() if kind.every and name.startswith(ENDING)}


def test_the_database_refuses_to_delete_what_is_evidence_and_nothing_else():
    evidence = {
        apps.get_model(label)._meta.db_table
        for life in lives.LIVES
        for label in life.models.split()
        if life.kept in (lives.EVIDENCE, lives.FOR_EVER) or "SealedEntry" in life.models
    }

    assert evidence == {*append_only.TABLES, *append_only.KEPT}


def test_the_document_shows_this_table():
    assert lives.as_table() in DOCUMENT.read_text()


@pytest.mark.parametrize(("days", "stays"), [(399, True), (401, False)])
def test_a_comparison_goes_after_400_days_and_what_it_found_stays(db, days, stays):
    ended = clock.wall() - timedelta(days=days)
    run = Reconciliation.objects.create(recent_since=ended, began_at=ended, ended_at=ended, stage="customers")
    run.findings.add(Finding.objects.create(kind="drift", subject="x", detail="x"))
    Reconciliation.objects.create(recent_since=ended, began_at=ended, stage="customers")  # it has not ended

    runs.purge()

    assert Reconciliation.objects.filter(pk=run.pk).exists() is stays
    assert (Reconciliation.objects.filter(ended_at=None).count(), Finding.objects.count()) == (1, 1)
