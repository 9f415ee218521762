"""What another machine saw and which processes ran there is not true of the machine that restores."""

import pytest
from django.core.management import call_command
from django.db import connection

from billing import clock, observations
from billing.backups import restoring
from billing.migrate_lease import Lease
from billing.models import Hold, Observation, Office, WorkerHeartbeat
from billing.models.observation import Level
from tests.backups.test_backup import FORMS, made_in
from tests.conftest import an_office
from tests.moving.places import opened


@pytest.mark.parametrize("form", FORMS)
def test_observations_heartbeats_and_a_migrate_that_ran_are_not_restored(form, places, backup_key, tmp_path):
    lost, place = (getattr(places, form)() for _ in range(2))
    with opened(lost) as connected:
        call_command("migrate", verbosity=0)
        office = an_office()
        assert observations.put(observations.STRIPE, Level.RED, "refused")
        WorkerHeartbeat.objects.create(name="machine-1", seen_at=clock.wall())
        with Lease(connected).held():
            backup = made_in(tmp_path / "backups")
    with opened(place):
        call_command("restore", str(backup))

        assert Office.objects.get().name == office.name
        assert not Observation.objects.exists()
        assert not WorkerHeartbeat.objects.exists()


def test_a_backup_of_a_version_without_such_a_table_is_restored(with_tables, places, backup_key, tmp_path):
    """The tables are known by the manifest alone, which names those with rows."""
    statements = list(
        restoring._statements(
            {
                "name": "x",
                "made_at": "2026-01-01T00:00:00+00:00",
                "entry": 0,
                "seal": 0,
                "tables": {"billing_office": 1},
            },
            as_literal=restoring._literal_of_sqlite,
        )
    )

    assert not any("observation" in one or "heartbeat" in one for one in statements)
    with opened(places.copy_of(with_tables)), connection.cursor() as cursor:
        cursor.execute("DROP TABLE billing_observation")
        for one in statements:
            cursor.execute(one)
        assert Hold.objects.exists()
