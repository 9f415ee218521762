"""A move that is killed, after each table and between any two steps, continues, and nothing is missing or twice."""

import subprocess
import sys

import pytest

from tests.moving.places import contents, needs_cipher, needs_libsql_server, needs_postgresql, run
from tests.processes import ROOT

pytestmark = pytest.mark.slow

FORMS = [
    "file",
    pytest.param("postgresql", marks=needs_postgresql),
    pytest.param("libsql_server", marks=[needs_libsql_server, pytest.mark.slow]),
    pytest.param("encrypted", marks=[needs_cipher, pytest.mark.slow]),
]


@pytest.mark.parametrize("form", FORMS)
def test_wherever_it_is_killed_the_next_run_continues(source, places, form, stripe_server):
    before, to = contents(source), getattr(places, form)()

    command = [sys.executable, "-m", "tests.moving.mortal", to.url]
    environment = source.environment(to) | {"STRIPE_API_BASE": stripe_server.url}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("died: _copy") == len(before)
    assert done.stdout.count("died: write") >= 4
    found = contents(to)
    entries = found.pop("billing_auditentry"), before.pop("billing_auditentry")
    assert found == before
    assert {key: entries[0][key] for key in entries[1]} == entries[1]
    assert [row["what"][:14] for key, row in entries[0].items() if key not in entries[1]] == ["moved the data"]
    assert "was moved to" in run("worker", "--once", place=source).stderr
