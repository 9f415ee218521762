"""No statement of the impatient and the optional connection runs without its time limits."""

import ast
import re
from pathlib import Path

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing import look, time_limits
from billing.models import Job
from config import databases
from config.environment import Problems
from tests.conftest import an_office
from tests.other_connections import postgresql_only
from tests.processes import ROOT

EACH = ["default", "impatient", "optional"]
LIMITED = {"impatient": time_limits.impatient, "optional": time_limits.optional}
each = pytest.mark.parametrize("alias", LIMITED)


def words_in(file: Path) -> set[str]:
    """Each text in this module that is a value."""
    values = [one.value for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.Constant)]
    return {one for one in values if isinstance(one, str)}


def test_only_the_module_of_the_limits_names_these_connections():
    naming = {str(file.relative_to(ROOT)) for file in (ROOT / "billing").rglob("*.py") if words_in(file) & set(LIMITED)}

    assert naming == {"billing/time_limits.py"}


def test_on_postgresql_nothing_is_sent_at_the_start_and_nothing_is_kept_for_a_session():
    from django.db.backends.postgresql.base import DatabaseWrapper

    patient = databases.database("postgres://billing@127.0.0.1/billing", base_dir=ROOT, problems=Problems())
    for one in (patient, databases.with_limits(patient, seconds=databases.IMPATIENT_SECONDS)):
        settings = connections.configure_settings({"default": one})["default"]
        given = DatabaseWrapper(settings).get_connection_params()
        assert "options" not in given
        assert given["prepare_threshold"] is None  # psycopg prepares no statement
        assert settings["DISABLE_SERVER_SIDE_CURSORS"]
    assert re.fullmatch(r"SET LOCAL statement_timeout = \d+; SET LOCAL lock_timeout = \d+", settings["LIMITS"])


@postgresql_only
@each
@pytest.mark.django_db(transaction=True, databases=EACH)
def test_the_limits_are_the_first_statement_and_end_with_the_transaction(alias):
    with LIMITED[alias]() as using:
        within = limits_in_force(using)
    after = limits_in_force(alias)

    assert (using, within) == (alias, {"impatient": ["700ms", "560ms"], "optional": ["200ms", "160ms"]}[alias])
    assert after == limits_in_force("default")


def limits_in_force(alias):
    """Asked past Django, where a statement without limits would fail."""
    connections[alias].ensure_connection()
    asked = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    return list(connections[alias].connection.execute(asked).fetchone())


@postgresql_only
@each
@pytest.mark.django_db(transaction=True, databases=EACH)
def test_a_statement_that_takes_longer_is_ended(alias):
    with (
        pytest.raises(OperationalError, match="statement timeout"),
        LIMITED[alias]() as using,
        connections[using].cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(10)")


@postgresql_only
@pytest.mark.django_db(transaction=True, databases=EACH)
def test_a_statement_beside_the_limits_fails_in_each_test():
    with pytest.raises(AssertionError, match="without its time limits"):
        Job.objects.using("impatient").exists()


@pytest.mark.django_db(transaction=True, databases=EACH)
def test_the_health_page_and_a_queued_look_use_these_connections():
    with CaptureQueriesContext(connections["impatient"]) as of_health:
        Client().get("/healthz")
    with CaptureQueriesContext(connections["optional"]) as of_look:
        look.queue_look_if_possible(an_office())

    assert Job.objects.count() == 1
    for seen in (of_health, of_look):
        statements = [one["sql"] for one in seen.captured_queries if one["sql"] != "BEGIN"]
        assert len(statements) >= 3
        assert statements[0].startswith("SET LOCAL") == (connection.vendor == "postgresql")
