"""Databases that earlier versions made become databases of this version: nothing is lost, and nothing is drift."""

import pytest

from tests.schema import upgrading
from tests.schema.kept import ROOT, NoHistory

POINTS = {
    "0012": "eb58e6f",  # before names were folded, items and payments were kept, and the trail was sealed
    "0022": "d353563",  # before the outbox, roles and services
    "0036": "ee5d934",  # before determinations named what they reviewed
}
"""Commits by the number of their last migration."""
MAY_CHANGE = {
    *("billing_office.name_folded", "billing_plan.name_folded", "billing_user.name_folded"),
    *("billing_office.searched_as", "billing_user.searched_as"),
}
"""What a migration fills in where it was empty."""
AFTERWARDS = """
from django.core.management import call_command
for command in (("worker", "--once"), ("reconcile",), ("worker", "--once"), ("verify_audit",)):
    call_command(*command)
"""
MADE_SINCE = (
    "SELECT kind, detail FROM billing_finding WHERE id > ? AND kind IN ('drift', 'not_compared', 'missing_event')"
)


@pytest.mark.slow
@pytest.mark.parametrize("commit", POINTS.values(), ids=POINTS)
def test_a_database_of_an_earlier_version_is_upgraded_with_its_data(commit, tmp_path):
    try:
        then = upgrading.code_of(commit, tmp_path / "then")
    except NoHistory as why:
        pytest.skip(f"git has no {commit}: {why}")
    with upgrading.a_local_stripe() as stripe:
        database = upgrading.Installation(tmp_path / "made.db", stripe)
        database.make_with(then)
        before = database.rows()
        [[last_finding]] = database.asked("SELECT coalesce(max(id), 0) FROM billing_finding")

        database.run(ROOT, "migrate", "--verbosity=0")
        after = database.rows()
        said = database.run(ROOT, "shell", "--verbosity=0", "-c", AFTERWARDS)

    assert len(before["billing_office"]) == 6
    assert len(before["billing_auditentry"]) > 20
    assert len(before["billing_invoice"]) >= 4
    assert upgrading.lost(before, after, may_change=MAY_CHANGE) == []
    assert "The trail is whole." in said
    assert "drifted" not in said
    assert database.asked(MADE_SINCE, last_finding) == []
    trail = {"billing_auditentry": before["billing_auditentry"]}
    assert upgrading.lost(trail, database.rows(), may_change=set()) == []
